"""Which runs are queued: what was never, and what did not end complete; a campaign stays the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalcli.campaigns.assignment import RunResult, RunState
from evalcli.campaigns.begin import require_same, to_be_queued
from evalcli.campaigns.file import ProviderLimits
from evalcli.campaigns.plan import CampaignPlan, PlannedRun
from evalcore.errors import ConfigurationError
from evalsim.testing import make_record

Planned = Callable[..., PlannedRun]
Plan = Callable[..., CampaignPlan]
State = Callable[..., RunState]

COMPLETE = RunResult("complete", None, make_record(), "host", "runs/one")
PARTIAL = RunResult("partial", "3 of 4 calls were never answered", make_record(), "host", "runs/one")
SKIPPED = RunResult("skipped", "it is not served", None, "host", "")
STOPPED = RunResult("stopped", "at the limit of its cost", None, "host", "runs/one")
FAILED = RunResult("failed", "the disk is full", None, "host", "")
STANDS = [
    ("waiting", None),
    ("running", None),
    ("cancelled", None),
    *(("ended", result) for result in (COMPLETE, PARTIAL, SKIPPED, STOPPED, FAILED)),
]
KEYS = [f"{component}/{model}" for component in ("memo", "budget") for model in ("alpha", "beta")]


def numbered() -> Callable[[], str]:
    numbers: Iterator[int] = count(1)
    return lambda: f"new-{next(numbers)}"


def test_at_first_every_run_is_queued_in_the_plans_order_one_job_for_each_component(
    make_planned: Planned, make_plan: Plan
) -> None:
    plan = make_plan(*map(make_planned, KEYS))
    queued = to_be_queued(plan, [], numbered())
    assert [(one.run.key, priority) for one, priority in queued] == list(zip(KEYS, (1, 2, 3, 4), strict=True))
    assert {one.attempt for one, _ in queued} == {1}
    assert len({one.run_id for one, _ in queued}) == 4
    jobs = {(one.run.component, one.job_id) for one, _ in queued}
    assert len(jobs) == len({job for _, job in jobs}) == 2


@pytest.mark.parametrize("result", [COMPLETE, None], ids=["complete", "open"])
def test_what_is_complete_or_not_ended_is_left_alone(
    make_planned: Planned, make_plan: Plan, make_state: State, result: RunResult | None
) -> None:
    run = make_planned()
    phases = ["ended"] if result else ["waiting", "running", "interrupted"]
    for phase in phases:
        assert to_be_queued(make_plan(run), [make_state(run, phase, result)], numbered()) == []


@pytest.mark.parametrize("result", [None, SKIPPED, STOPPED, FAILED])
def test_what_was_cut_short_goes_on_with_the_replies_that_are_kept(
    make_planned: Planned, make_plan: Plan, make_state: State, result: RunResult | None
) -> None:
    run = make_planned()
    state = make_state(run, "ended" if result else "cancelled", result, attempt=3)
    ((again, _),) = to_be_queued(make_plan(run), [state], numbered())
    assert (again.attempt, again.run_id, again.job_id) == (4, "id-alpha", "job-memo")


def test_what_ended_partial_has_its_record_and_is_called_anew(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    run = make_planned()
    ((again, _),) = to_be_queued(make_plan(run), [make_state(run, "ended", PARTIAL)], numbered())
    assert (again.attempt, again.run_id, again.job_id) == (2, "new-1", "job-memo")


def test_what_an_attempt_with_a_record_has_cost_is_taken_off_the_runs_share_of_the_budget(
    make_planned: Planned, make_plan: Plan, make_state: State
) -> None:
    run = make_planned(max_cost=3.0)
    dear = msgspec.structs.replace(PARTIAL, record=msgspec.structs.replace(make_record(), cost_usd=1.25))
    ((second, _),) = to_be_queued(make_plan(run), [make_state(run, "ended", dear)], numbered())
    assert second.spent_usd == 1.25
    ended = msgspec.structs.replace(make_state(run, "ended", dear), assignment=second)
    ((third, _),) = to_be_queued(make_plan(run), [ended], numbered())
    assert third.spent_usd == 2.5
    cancelled = msgspec.structs.replace(make_state(run, "cancelled"), assignment=third)
    ((fourth, _),) = to_be_queued(make_plan(run), [cancelled], numbered())
    assert (fourth.spent_usd, fourth.run_id) == (2.5, third.run_id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.sampled_from(STANDS), min_size=4, max_size=4))
def test_queued_is_exactly_what_is_neither_open_nor_complete_and_queueing_again_adds_nothing(
    make_planned: Planned,
    make_plan: Plan,
    make_state: State,
    stands: list[tuple[str, RunResult | None] | None],
) -> None:
    runs = [make_planned(key) for key in KEYS]
    plan = make_plan(*runs)
    states = [make_state(run, *stand) for run, stand in zip(runs, stands, strict=True) if stand is not None]
    queued = to_be_queued(plan, states, numbered())
    asked = [
        run.key
        for run, stand in zip(runs, stands, strict=True)
        if stand is None or stand[0] == "cancelled" or stand[1] not in (None, COMPLETE)
    ]
    assert [one.run.key for one, _ in queued] == asked
    # One job for each component, whoever of its runs was there before.
    jobs = {state.assignment.run.component: state.assignment.job_id for state in states}
    assert all(one.job_id == jobs.setdefault(one.run.component, one.job_id) for one, _ in queued)
    known = {state.assignment.run.key: state for state in states}
    for one, _ in queued:
        known[one.run.key] = make_state(
            one.run, "waiting", run_id=one.run_id, job_id=one.job_id, attempt=one.attempt
        )
    assert to_be_queued(plan, list(known.values()), numbered()) == []


def test_a_campaign_goes_on_with_other_forecasts_deadline_and_budget(
    make_planned: Planned, make_plan: Plan
) -> None:
    begun = make_plan(make_planned(max_cost=3.0))
    asked = make_plan(make_planned(seconds=9.0, max_cost=5.0), budget_usd=5.0)
    require_same(asked, begun)


@pytest.mark.parametrize(
    "change",
    [{"inputs_sha256": "1" * 64}, {"replicates": 3}, {"in_flight": 5}],
    ids=["inputs", "replicates", "in flight"],
)
def test_a_campaign_of_the_name_with_other_files_or_settings_is_refused_and_the_run_named(
    make_planned: Planned, make_plan: Plan, change: dict[str, object]
) -> None:
    begun = make_plan(make_planned("memo/alpha"), make_planned("memo/beta"))
    asked = make_plan(make_planned("memo/alpha"), make_planned("memo/beta", **change))
    with pytest.raises(ConfigurationError, match=r"nightly: .* for memo/beta; "):
        require_same(asked, begun)


def test_a_run_more_or_less_is_another_campaign(make_planned: Planned, make_plan: Plan) -> None:
    one, two = make_plan(make_planned(KEYS[0])), make_plan(*map(make_planned, KEYS))
    for asked, begun in ((one, two), (two, one)):
        with pytest.raises(ConfigurationError, match="for budget/alpha and 2 more; "):
            require_same(asked, begun)


def test_other_limits_are_another_campaign_though_each_run_has_as_many_calls(
    make_planned: Planned, make_plan: Plan
) -> None:
    run = make_planned()
    begun = make_plan(run, limits={"mindrouter": ProviderLimits(calls=8, runs=2)})
    asked = make_plan(run, limits={"mindrouter": ProviderLimits(calls=16, runs=4)})
    with pytest.raises(ConfigurationError, match="limits of mindrouter"):
        require_same(asked, begun)
    require_same(make_plan(run, limits={"another": ProviderLimits(calls=1, runs=1)}), make_plan(run))


def test_another_version_of_the_evaluator_is_named(make_planned: Planned, make_plan: Plan) -> None:
    asked = make_plan(make_planned())
    begun = msgspec.structs.replace(asked, evaluator="0.1.0, scoring version 1")
    with pytest.raises(ConfigurationError, match=r"it was begun with evaluator 0\.1\.0"):
        require_same(asked, begun)
