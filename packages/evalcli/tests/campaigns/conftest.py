"""What the tests of campaigns share: planned runs, plans, and where a run stands, made of a few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from evalcli.campaigns.assignment import Assignment, RunResult, RunState
from evalcli.campaigns.file import Campaign
from evalcli.campaigns.forecast import RunForecast
from evalcli.campaigns.plan import EVALUATOR, CampaignPlan, PlannedRun
from evalsim.testing import SHA

UNKNOWN = RunForecast("nothing", 0, None, None, None, None, None)


def planned(key: str = "memo/alpha", seconds: float | None = None, **fields: Any) -> PlannedRun:
    """A run of the component and the model that its key names; `seconds` are foreseen."""
    component, _, model = key.partition("/")
    values = {
        "component": component,
        "version": "1.0.0",
        "model": model,
        "provider": "mindrouter",
        "replicates": 2,
        "calls": 4,
        "in_flight": 4,
        "forecast": msgspec.structs.replace(UNKNOWN, seconds=seconds),
        "inputs_sha256": SHA,
    }
    return PlannedRun(**values | fields)


def plan_of(*runs: PlannedRun, name: str = "nightly", **fields: Any) -> CampaignPlan:
    """A plan of these runs; fields are of what the campaign's file asks for."""
    asked = {
        "components": None, "models": None, "task": "evaluate", "replicates": 2, "deadline": None,
        "budget_usd": None, "limits": {},
    }  # fmt: skip
    return CampaignPlan(Campaign(name=name, **asked | fields), EVALUATOR, runs, ())


def state_of(run: PlannedRun, phase: str, result: RunResult | None = None, **fields: Any) -> RunState:
    """Where the first attempt of a run stands."""
    given = {
        "campaign": "nightly",
        "attempt": 1,
        "job_id": f"job-{run.component}",
        "run_id": f"id-{run.model}",
    }
    assigned = {name: fields.pop(name) for name in (*given,) if name in fields}
    values = {"worker": None, "begun_at": None, "ended_at": None}
    return RunState(
        assignment=Assignment(run=run, **given | assigned), phase=phase, result=result, **values | fields
    )


@pytest.fixture
def make_planned() -> Callable[..., PlannedRun]:
    return planned


@pytest.fixture
def make_plan() -> Callable[..., CampaignPlan]:
    return plan_of


@pytest.fixture
def make_state() -> Callable[..., RunState]:
    return state_of
