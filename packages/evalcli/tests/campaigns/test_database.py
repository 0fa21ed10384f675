"""Campaigns in a real database: what is noted once, and read back whole."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from evalcli.campaigns.address import sqlite_url
from evalcli.campaigns.assignment import Assignment, RunResult
from evalcli.campaigns.begin import to_be_queued
from evalcli.campaigns.database import CampaignDatabase
from evalcli.campaigns.engine import Engine
from evalcli.campaigns.file import ProviderLimits
from evalcli.campaigns.plan import EVALUATOR, CampaignPlan, PlannedRun
from evalcli.campaigns.rows import id_of
from evalcore.errors import ConfigurationError
from evalcore.ids import uuid7
from evalsim.testing import make_record

Planned = Callable[..., PlannedRun]
Plan = Callable[..., CampaignPlan]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "campaigns.sqlite")


@pytest.fixture
def database(url: str) -> Iterator[CampaignDatabase]:
    with closing(CampaignDatabase(url)) as opened:
        yield opened


def queue(database: CampaignDatabase, plan: CampaignPlan) -> list[Assignment]:
    """Begin a campaign and queue what is to be queued."""
    database.begin(plan)
    numbers = iter(range(1, 1000))
    queued = to_be_queued(plan, database.runs(plan.campaign.name), lambda: uuid7(next(numbers), bytes(10)))
    database.add(plan, queued)
    return [assignment for assignment, _ in queued]


def work(url: str, do: Callable[[Assignment], RunResult], until: Callable[[], bool]) -> None:
    """Let a worker of this process do what is queued for MindRouter until that holds."""
    engine = Engine(url, "worker", EVALUATOR, ["mindrouter"], do)
    try:
        await_that(until)
    finally:
        engine.close()


def await_that(holds: Callable[[], bool]) -> None:
    """Return once that holds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_campaign_is_noted_once_and_the_first_plan_counts(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    first = make_plan(make_planned(), limits={"mindrouter": ProviderLimits(calls=8, runs=2)})
    assert (database.plan("nightly"), database.names()) == (None, [])
    assert database.begin(first) == first
    assert database.begin(make_plan(make_planned("memo/beta"))) == first
    database.begin(make_plan(make_planned(), name="another"))
    assert (database.plan("nightly"), database.names()) == (first, ["another", "nightly"])
    renewed = make_plan(make_planned(seconds=3.0), budget_usd=2.0)
    database.renew(renewed)
    assert database.plan("nightly") == renewed


def test_what_was_begun_is_there_for_the_next_process(
    url: str, make_plan: Plan, make_planned: Planned
) -> None:
    plan = make_plan(make_planned("memo/a/b:c"), make_planned("budget/é"))
    with closing(CampaignDatabase(url)) as first:
        queued = queue(first, plan)
    with closing(CampaignDatabase(url)) as second:
        states = second.runs("nightly")
    assert {state.assignment.run.key: state.assignment for state in states} == {
        one.run.key: one for one in queued
    }
    assert [(state.phase, state.worker, state.result) for state in states] == [("waiting", None, None)] * 2


def test_a_run_is_queued_once_however_often_it_is_added(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    plan = make_plan(make_planned())
    (assignment,) = queue(database, plan)
    other_id = msgspec.structs.replace(assignment, run_id=uuid7(99, bytes(10)))
    database.add(plan, [(assignment, 1), (other_id, 1)])
    (state,) = database.runs("nightly")
    assert state.assignment == assignment
    assert database.open_runs(["mindrouter"]) == {EVALUATOR: 1}


def test_a_campaigns_runs_are_its_own_also_where_its_name_is_a_pattern_for_anothers(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    for name in ("a_b", "axb", "a_b-2"):
        queue(database, make_plan(make_planned(f"memo/{name}"), name=name))
    for name in ("a_b", "axb", "a_b-2"):
        (state,) = database.runs(name)
        assert state.assignment.run.model == name
        assert database.open_runs(["mindrouter"], name) == {EVALUATOR: 1}
    assert database.cancel("a_b") == 1
    assert [database.runs(name)[0].phase for name in ("a_b", "axb", "a_b-2")] == [
        "cancelled", "waiting", "waiting"
    ]  # fmt: skip


def test_what_is_cancelled_stays_so_and_is_begun_again_by_a_further_attempt(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    plan = make_plan(make_planned("memo/alpha"), make_planned("memo/beta"))
    first = queue(database, plan)
    ids = [id_of(one) for one in first]
    assert database.cancelled(ids) == set()
    assert (database.cancel("nightly"), database.cancel("nightly"), database.cancel("absent")) == (2, 0, 0)
    assert database.cancelled([*ids, "nightly/1/absent"]) == set(ids)
    assert database.open_runs(["mindrouter"]) == {}
    second = queue(database, plan)
    assert [(one.attempt, one.run_id, one.job_id) for one in second] == [
        (2, one.run_id, one.job_id) for one in first
    ]
    assert [state.phase for state in database.runs("nightly")] == ["waiting", "waiting"]


def test_a_worker_may_be_allowed_more_than_all_of_them_together(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    limits = {"mindrouter": ProviderLimits(calls=4, runs=2, runs_per_model=8, runs_per_worker=3)}
    queue(database, make_plan(make_planned(), limits=limits))
    assert database.open_runs(["mindrouter"]) == {EVALUATOR: 1}


def test_open_runs_are_those_of_the_providers_asked_for(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    queue(database, make_plan(make_planned("memo/a"), make_planned("memo/b", provider="lab")))
    assert database.open_runs([]) == {}
    assert database.open_runs(["absent"]) == {}
    assert database.open_runs(["lab"]) == {EVALUATOR: 1}
    assert database.open_runs(["lab", "mindrouter"], "nightly") == {EVALUATOR: 2}
    assert database.open_runs(["lab", "mindrouter"], "other") == {}


def test_how_a_run_ended_is_read_back_as_its_worker_wrote_it(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    queue(database, make_plan(*(make_planned(f"memo/{name}") for name in ("good", "late", "bad"))))
    results = {
        "good": RunResult("complete", None, make_record(), "host", "runs/one"),
        "late": RunResult("skipped", "it is not served", None, "host", ""),
    }

    def do(assignment: Assignment) -> RunResult:
        if assignment.run.model not in results:
            raise RuntimeError("nobody foresaw it")
        return results[assignment.run.model]

    work(url, do, lambda: not database.open_runs(["mindrouter"]))
    states = {state.assignment.run.model: state for state in database.runs("nightly")}
    assert {state.phase for state in states.values()} == {"ended"}
    assert {name: states[name].result for name in results} == results
    # What no code of ours foresaw is a failed run, and not the end of the worker.
    assert states["bad"].result is not None
    assert states["bad"].result.status == "failed"
    assert "nobody foresaw it" in (states["bad"].result.reason or "")
    for state in states.values():
        assert state.worker == "worker"
        assert state.begun_at is not None
        assert state.ended_at is not None
        assert state.begun_at <= state.ended_at


def test_a_run_whose_worker_has_stopped_or_is_lost_is_interrupted_until_another_has_it(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    queue(database, make_plan(make_planned()))
    database.workers.seen("worker", "host", EVALUATOR, 30.0)
    is_shown, stood = threading.Event(), []

    def do(_: Assignment) -> RunResult:
        is_shown.wait()
        return RunResult("complete", None, make_record(), "host", "")

    def look() -> bool:
        (state,) = database.runs("nightly")
        stood.append((state.phase, state.worker))
        return state.phase == "running"

    engine = Engine(url, "worker", EVALUATOR, ["mindrouter"], do)
    try:
        await_that(look)
        database.workers.retire("worker")
        assert not look()
        database.workers.forget("worker")
        assert not look()
        assert stood[-2:] == [("interrupted", "worker")] * 2
        assert database.open_runs(["mindrouter"]) == {EVALUATOR: 1}
        is_shown.set()
        await_that(lambda: not database.open_runs(["mindrouter"]))
    finally:
        is_shown.set()
        engine.close()
    assert [state.phase for state in database.runs("nightly")] == ["ended"]


def test_runs_begin_in_the_plans_order(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    keys = [f"memo/{name}" for name in ("c", "a", "d", "b")]
    limits = {"mindrouter": ProviderLimits(calls=1, runs=1)}
    queue(database, make_plan(*map(make_planned, keys), limits=limits))
    begun: list[str] = []

    def do(assignment: Assignment) -> RunResult:
        begun.append(assignment.run.key)
        return RunResult("skipped", None, None, "", "")

    work(url, do, lambda: not database.open_runs(["mindrouter"]))
    assert begun == keys


def test_a_model_has_no_more_runs_at_once_than_it_may_each_in_the_plans_order(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    keys = [f"{component}/{model}" for component in ("c", "a", "d", "b") for model in ("alpha", "beta")]
    limits = {"mindrouter": ProviderLimits(calls=8, runs=4, runs_per_model=1)}
    queue(database, make_plan(*map(make_planned, keys), limits=limits))
    lock, both = threading.Lock(), threading.Barrier(2)
    going: Counter[str] = Counter()
    most: Counter[str] = Counter()
    begun: dict[str, list[str]] = {"alpha": [], "beta": []}

    def do(assignment: Assignment) -> RunResult:
        model = assignment.run.model
        with lock:
            going[model] += 1
            most[model] = max(most[model], going[model])
            begun[model].append(assignment.run.component)
        # The other model's run is done beside it.
        both.wait(30)
        with lock:
            going[model] -= 1
        return RunResult("skipped", None, None, "", "")

    work(url, do, lambda: not database.open_runs(["mindrouter"]))
    assert most == {"alpha": 1, "beta": 1}
    assert begun == {model: ["c", "a", "d", "b"] for model in most}


def test_a_worker_takes_no_run_that_another_version_planned(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    other = msgspec.structs.replace(make_plan(make_planned("memo/other"), name="old"), evaluator="0.1.0")
    queue(database, other)
    queue(database, make_plan(make_planned("memo/ours")))
    done: list[str] = []

    def do(assignment: Assignment) -> RunResult:
        done.append(assignment.run.model)
        return RunResult("skipped", None, None, "", "")

    work(url, do, lambda: not database.open_runs(["mindrouter"])[EVALUATOR])
    assert done == ["ours"]
    assert database.open_runs(["mindrouter"]) == {"0.1.0": 1}


def test_other_limits_wait_until_the_campaign_that_has_them_is_done(
    database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    queue(database, make_plan(make_planned()))
    other = make_plan(make_planned(), name="second", limits={"mindrouter": ProviderLimits(calls=32, runs=8)})
    with pytest.raises(ConfigurationError, match="campaign nightly, which is not done, has other limits"):
        database.begin(other)
    elsewhere = make_plan(
        make_planned(provider="lab"), name="third", limits={"lab": ProviderLimits(calls=32)}
    )
    database.begin(elsewhere)
    database.cancel("nightly")
    assert database.begin(other) == other
    queue(database, other)
    # Nor is a campaign gone on with, under other limits than those that the queue has by now.
    with pytest.raises(ConfigurationError, match="campaign second, which is not done, has other limits"):
        database.begin(make_plan(make_planned()))


def test_other_limits_hold_from_the_first_run_on_for_a_worker_that_waits_already(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    """It reads them before it waits for its next look, at which it would take what was queued meanwhile."""
    at_once: list[int] = []

    def do(assignment: Assignment) -> RunResult:
        # What it takes by one look is being done from that moment on.
        states = database.runs(assignment.campaign)
        at_once.append(sum(state.phase in {"running", "interrupted"} for state in states))
        return RunResult("skipped", None, None, "", "")

    many, alone = (
        {"mindrouter": ProviderLimits(calls=runs, runs=runs, runs_per_model=runs)} for runs in (4, 1)
    )
    queue(database, make_plan(make_planned(), limits=many))
    engine = Engine(url, "worker", EVALUATOR, ["mindrouter"], do)
    try:
        database.workers.seen("worker", "host", EVALUATOR, 60.0)
        await_that(lambda: not database.open_runs(["mindrouter"]))
        runs = [make_planned(f"memo/{name}") for name in "abcd"]
        queue(database, make_plan(*runs, name="second", limits=alone))
        await_that(lambda: not database.open_runs(["mindrouter"]))
    finally:
        engine.close()
    assert at_once == [1] * 5


def test_workers_are_seen_by_the_databases_clock_until_they_are_forgotten(database: CampaignDatabase) -> None:
    was_known = [
        database.workers.seen("one", "host-1", EVALUATOR, 30.0),
        database.workers.seen("two", "host-2", "0.1.0", 2.0),
        database.workers.seen("one", "host-1", EVALUATOR, 60.0),
    ]
    assert was_known == [False, False, True]
    workers = {worker.id: worker for worker in database.workers.known()}
    assert {name: (one.host, one.evaluator, one.lease_s) for name, one in workers.items()} == {
        "one": ("host-1", EVALUATOR, 60.0),
        "two": ("host-2", "0.1.0", 2.0),
    }
    assert all(-0.5 < worker.seen_s < 20 for worker in workers.values())
    # Its lease is over from the moment on that it says so.
    database.workers.retire("one")
    assert next(one for one in database.workers.known() if one.id == "one").lease_s < 0
    database.workers.forget("one")
    database.workers.forget("one")
    assert [one.id for one in database.workers.known()] == ["two"]


def test_what_is_no_run_of_a_campaign_is_one_line(
    url: str, database: CampaignDatabase, make_plan: Plan, make_planned: Planned
) -> None:
    (assignment,) = queue(database, make_plan(make_planned()))
    escape = msgspec.structs.replace(assignment, attempt=2, run_id="../../etc")
    database.add(make_plan(make_planned()), [(escape, 1)])
    with pytest.raises(ConfigurationError, match="it holds what is no run of a campaign") as raised:
        database.runs("nightly")
    assert raised.value.where == url
    with closing(sa.create_engine(url).connect()) as connection:
        connection.execute(sa.text("UPDATE evaluator_campaigns SET plan = '{'"))
        connection.commit()
    with pytest.raises(ConfigurationError, match="it holds what is no run of a campaign"):
        database.plan("nightly")
