"""Where a campaign stands: its counts, what is left, and when it will be done by what has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalcli.campaigns.assignment import RunResult, RunState, WorkerState
from evalcli.campaigns.file import ProviderLimits
from evalcli.campaigns.plan import EVALUATOR, CampaignPlan, PlannedRun
from evalcli.campaigns.status import CampaignStatus, status_object, status_table, summary
from evalcore.formats.strict_json import encode_canonical
from evalsim.testing import make_record

Planned = Callable[..., PlannedRun]
Plan = Callable[..., CampaignPlan]
State = Callable[..., RunState]
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
COMPLETE = RunResult("complete", None, make_record(cost_usd=0.5), "host", "/runs/one")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def worker(**fields: Any) -> WorkerState:
    """A worker that was seen a second ago."""
    return WorkerState(
        **{"id": "a", "host": "a", "evaluator": EVALUATOR, "seen_s": 1.0, "lease_s": 30.0} | fields
    )


def status_of(
    plan: CampaignPlan, *states: RunState, workers: tuple[WorkerState, ...] = (worker(),)
) -> CampaignStatus:
    return CampaignStatus(plan, states, workers, NOW)


def test_its_end_is_foreseen_by_what_is_left_and_by_how_long_the_others_took(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    runs = [make_planned(f"memo/{name}", seconds=100.0) for name in "abc"]
    plan = make_plan(*runs, limits={"mindrouter": ProviderLimits(runs=1)})
    waiting = [make_state(run, "waiting") for run in runs]
    assert status_of(plan, *waiting).end == at(300)
    begun = make_state(runs[1], "running", begun_at=at(-30))
    assert status_of(plan, waiting[0], begun).end == at(170)
    # Twice as long as was foreseen.
    done = make_state(runs[0], "ended", COMPLETE, begun_at=at(-230), ended_at=at(-30))
    assert status_of(plan, done, begun, waiting[2]).end == at(170 + 200)
    assert status_of(plan, done).end is None


@pytest.mark.parametrize(
    "workers",
    [(), (worker(lease_s=-1.0),), (worker(seen_s=31.0),), (worker(evaluator="0.1.0"),)],
    ids=["none", "stopped", "lost", "of another version"],
)
def test_while_nobody_is_at_work_it_has_no_end_but_is_as_long_as_it_is(
    make_planned: Planned, make_plan: Plan, make_state: State, workers: tuple[WorkerState, ...]
) -> None:
    runs = [make_planned(f"memo/{name}", seconds=60.0) for name in "ab"]
    plan = make_plan(*runs, limits={"mindrouter": ProviderLimits(runs=1)})
    # How much of the first is kept is not known here.
    states = [make_state(runs[0], "interrupted", begun_at=at(-50)), make_state(runs[1], "waiting")]
    status = status_of(plan, *states, workers=workers)
    assert (status.end, status.seconds_left, status.at_work) == (None, 120.0, [])
    assert summary(status) == (
        "nightly: 0 of 2 runs complete, 1 interrupted, 1 waiting;"
        " it takes about 2 min 0 s once a worker is at work"
    )


def test_runs_that_wait_for_their_hour_are_not_done_before_it(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    runs = [make_planned(f"memo/{name}", seconds=60.0) for name in "abc"]
    plan = make_plan(*runs, limits={"mindrouter": ProviderLimits(runs=2, runs_per_hour=1)})
    # Before the first is begun, as `plan` says it too.
    waiting = [make_state(run, "waiting") for run in runs]
    assert status_of(plan, *waiting).end == at(2 * 3600 + 60) == plan.end(NOW)
    done = make_state(runs[0], "ended", COMPLETE, begun_at=at(-600), ended_at=at(-540))
    assert status_of(plan, done, *waiting[1:]).end == at(3000 + 3600 + 60)
    begun = make_state(runs[1], "running", begun_at=at(-90))
    assert status_of(plan, begun, waiting[2]).end == at(3600 - 90 + 60)


def test_a_run_that_ended_before_it_began_by_another_hosts_clock_took_no_time(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    runs = [make_planned(f"memo/{name}", seconds=100.0) for name in "ab"]
    done = make_state(runs[0], "ended", COMPLETE, begun_at=NOW, ended_at=at(-1))
    assert status_of(make_plan(*runs), done, make_state(runs[1], "waiting")).end == NOW


def test_what_is_late_is_done_now_and_what_is_unknown_is_as_long_as_the_others(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    known, unknown = make_planned("memo/a", seconds=100.0), make_planned("memo/b")
    plan = make_plan(known, unknown, limits={"mindrouter": ProviderLimits(runs=1)})
    late = make_state(known, "running", begun_at=at(-500))
    assert status_of(plan, late).end == NOW
    assert status_of(plan, make_state(unknown, "waiting")).end is None
    states = [make_state(known, "waiting"), make_state(unknown, "waiting")]
    assert status_of(plan, *states).end == at(200)


def test_it_is_said_in_one_sentence(make_planned: Planned, make_plan: Plan, make_state: State) -> None:
    runs = [make_planned(f"memo/{name}", seconds=60.0) for name in "abcd"]
    plan = make_plan(*runs, deadline=at(30))
    states = [
        make_state(runs[0], "ended", COMPLETE, begun_at=at(-60), ended_at=NOW),
        make_state(runs[1], "waiting"),
        make_state(runs[2], "cancelled"),
    ]
    assert summary(status_of(plan, *states)) == (
        "nightly: 1 of 4 runs complete, 1 cancelled, 1 waiting, 1 not queued; 0.50 USD;"
        " done in about 1 min 0 s, 30 s after the deadline"
    )
    assert not status_of(plan, *states).is_complete
    assert status_of(make_plan(runs[0]), states[0]).is_complete


@pytest.mark.parametrize("phase", ["waiting", "running", "interrupted", "cancelled"])
def test_what_needs_a_look_comes_first(
    make_planned: Planned, make_plan: Plan, make_state: State, phase: str
) -> None:
    runs = [make_planned(f"memo/{name}") for name in "abc"]
    failed = RunResult("failed", "the disk is full", None, "host-1", "")
    states = [
        make_state(runs[0], "ended", COMPLETE),
        make_state(runs[1], phase, worker="host-2-abc"),
        make_state(runs[2], "ended", failed),
    ]
    rows = status_table(status_of(make_plan(*runs), *states)).rows
    assert rows[0][1:] == ("c", "failed", "-", "4", "host-1", "the disk is full")
    assert {row[2] for row in rows} == {"failed", phase, "complete"}


def test_workers_that_have_stopped_are_not_among_those_that_are_there(
    make_planned: Planned, make_plan: Plan
) -> None:
    workers = (worker(), worker(id="b", lease_s=-1.0))
    told: Any = status_object(status_of(make_plan(make_planned()), workers=workers))
    assert [worker["id"] for worker in told["workers"]] == ["a"]
    assert (told["planned"], told["runs"]) == (1, [])


MOMENTS = st.none() | st.floats(-1e6, 1e6).map(at)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(0, 1e13),
            st.sampled_from(["waiting", "running", "interrupted", "cancelled", "ended"]),
            MOMENTS,
            MOMENTS,
        ),
        max_size=6,
    )
)
def test_wherever_its_runs_stand_it_can_be_shown(
    make_planned: Planned, make_plan: Plan, make_state: State, stands: list[tuple[Any, ...]]
) -> None:
    runs = [make_planned(f"memo/{number}", seconds=one[0]) for number, one in enumerate(stands)]
    states = [
        make_state(run, phase, COMPLETE if phase == "ended" else None, begun_at=begun, ended_at=ended)
        for run, (_, phase, begun, ended) in zip(runs, stands, strict=True)
    ]
    status = status_of(make_plan(*runs, deadline=NOW), *states)
    encode_canonical(status_object(status))
    assert len(status_table(status).rows) == len(stands)
    assert summary(status).startswith("nightly: ")
    assert status.end is None or status.end >= NOW
