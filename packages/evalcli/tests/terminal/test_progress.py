from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from msgspec import structs
from packages.evalcli.tests.terminal.progress_calls import Clock, call, plan_of
from rich.console import Console

from evalcli.reports.results import results_table
from evalcli.terminal.progress import (
    LINE_EVERY_S,
    LONG_WAIT_S,
    CallCounts,
    PlainProgress,
    duration,
    long_waits,
    time_left,
    with_ticks,
)
from evalcli.terminal.rich_progress import RichProgress
from evalcore.clients.reply import CallError
from evalcore.evaluation.outcome import RunOutcome
from evalcore.library.models import BUILT_IN
from evalcore.runs.plan import Origin
from evalcore.runs.record import RunRecord
from evalsim.testing import make_case, make_record, make_reply


def test_a_log_gets_a_line_every_few_seconds_however_many_replies_come() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of(replicates=1000)
    progress.run_started(plan, Path("runs/r"), 0)
    for number in range(1000):
        clock.now = number / 100
        call(progress, plan, number, is_error=number == 3)
    assert lines[:2] == ["big: 1000 calls; replies in runs/r", "big: a call failed: no answer"]
    assert len(lines) == 2 + 9.99 // LINE_EVERY_S
    assert lines[2] == "501/1000 calls, 1 error, 100.2/s, 5 s left"


def test_what_calls_failed_of_is_told_once_for_each_cause_and_model() -> None:
    lines = list[str]()
    progress = PlainProgress(Clock(), lines.append)
    for plan in (plan_of("small"), plan_of("big")):
        progress.run_started(plan, Path("r"), 0)
        for replicate in range(3):
            call(progress, plan, replicate, is_error=True)
    assert [line for line in lines if "failed" in line] == [
        "small: a call failed: no answer",
        "big: a call failed: no answer",
    ]


def test_no_words_of_a_server_are_in_a_log_of_actions() -> None:
    lines = list[str]()
    progress, plan = PlainProgress(Clock(), lines.append), structs.replace(plan_of(), origin="actions")
    progress.run_started(plan, Path("r"), 0)
    call(progress, plan, 0, is_error=True)
    assert "big: a call failed: the time limit of the call was reached" in lines
    assert "no answer" not in "".join(lines)


def test_no_case_of_the_data_sets_is_named_in_a_log_of_actions() -> None:
    cases = (make_case("acme-merger", source="data_sets"), make_case("sample", source="library"))
    for origin, named in (("local", True), ("actions", False)):
        clock, lines = Clock(), list[str]()
        progress, plan = (
            PlainProgress(clock, lines.append),
            structs.replace(plan_of(), origin=origin, cases=cases),
        )
        progress.run_started(plan, Path("r"), 0)
        for case in cases:
            progress.call_started(plan, case.name, 0)
        clock.now += 10 * LONG_WAIT_S
        progress.tick()
        assert ("acme-merger" in lines[-1]) == named
        assert ("a case of the data sets, replicate 0" in lines[-1]) != named
        assert "sample, replicate 0" in lines[-1]


@pytest.mark.parametrize(("origin", "is_told"), [("local", True), ("actions", False)])
def test_no_words_of_a_server_are_in_the_end_of_a_run_in_actions(origin: Origin, *, is_told: bool) -> None:
    reason = "2 of 2 calls were never answered: bad_request, input was: Zebra"
    record = make_record(origin=origin, status="partial", reason=reason)
    lines = list[str]()
    outcome = RunOutcome("m", "partial", reason, record)
    PlainProgress(Clock(), lines.append).run_finished(outcome)
    (row,) = results_table([outcome], "memo").rows
    for shown in (lines[-1], row[-1]):
        assert "never answered: bad_request" in shown
        assert ("Zebra" in shown) == is_told


def test_several_models_are_told_apart() -> None:
    clock, lines = Clock(), list[str]()
    progress = PlainProgress(clock, lines.append)
    small, big = plan_of("small", 1), plan_of("big")
    for plan in (small, big):
        progress.run_started(plan, Path("r"), 0)
        call(progress, plan, 0)
    clock.now = LINE_EVERY_S
    progress.tick()
    assert lines[-1] == "2/11 calls, 0 errors, 0.2/s, 45 s left: big 1/10"


def test_silence_is_explained() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of()
    progress.run_started(plan, Path("r"), 4)
    progress.call_started(plan, "one", 4)
    clock.now = 60.0
    progress.tick()
    assert lines[-1].endswith("waiting for big: one, replicate 4, for 60 s")
    assert lines[-1].startswith("4/10 calls, 0 errors, 0.0/s, ? left")


def test_waits_are_told_once_in_a_while() -> None:
    clock, lines = Clock(), list[str]()
    progress = PlainProgress(clock, lines.append)
    for _ in range(16):
        progress.waited("big", "rate_limited", 60.0)
    assert lines == ["big: the rate limit is reached; trying again in 1 min 0 s"]
    clock.now = 66.0
    progress.waited("big", "rate_limited", 60.0)
    assert len(lines) == 2


def test_a_model_that_is_not_served_is_waited_for_by_name_once_all_else_is_done() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of(replicates=2)
    progress.run_started(plan, Path("r"), 0)
    progress.model_awaited("gamma", 45.0, "")
    call(progress, plan, 0)
    clock.now = 5.0
    progress.tick()
    assert lines[-1] == "1/2 calls, 0 errors, 0.2/s, 5 s left; waiting for gamma, 40 s"
    call(progress, plan, 1)
    clock.now = 15.0
    progress.tick()
    assert lines[-1] == "waiting for gamma, 30 s"
    progress.model_skipped("gamma", "no backend")
    clock.now = 25.0
    progress.tick()
    assert "waiting" not in lines[-1]


def test_what_has_all_its_replies_and_no_figures_yet_is_being_scored() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of(replicates=1)
    progress.run_started(plan, Path("r"), 0)
    call(progress, plan, 0)
    clock.now = 5.0
    progress.tick()
    assert lines[-1] == "1/1 calls, 0 errors; scoring"


def test_the_only_model_is_waited_for_by_name() -> None:
    clock, lines = Clock(), list[str]()
    progress = PlainProgress(clock, lines.append)
    progress.model_awaited("gamma", 45.0, "")
    clock.now = 15.0
    progress.tick()
    assert lines[-1] == "waiting for gamma, 30 s"


def test_starts_ends_and_models_left_out_are_told(make_record: Callable[..., RunRecord]) -> None:
    clock, lines = Clock(), list[str]()
    progress = PlainProgress(clock, lines.append)
    progress.model_awaited("away", 45.0, "did you mean `awake`?")
    progress.model_skipped("gone", "no backend")
    outcome = RunOutcome("big", "partial", "2 of 10", make_record(mean=0.5), Path("r"))
    progress.run_finished(outcome)
    assert lines == [
        "away: not served now; looking again for 45 s; did you mean `awake`?",
        "gone: skipped: no backend",
        "big: partial (2 of 10), accuracy 0.500, reproducibility -",
    ]
    assert progress.outcomes == [outcome]


def test_ticks_stop_with_the_work() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    async def failing() -> int:
        raise LookupError

    progress = PlainProgress(Clock(), print)
    assert asyncio.run(with_ticks(work(), progress)) == 3
    with pytest.raises(LookupError):
        asyncio.run(with_ticks(failing(), progress))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "?"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_written_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_replies_kept_from_before_do_not_count_as_speed() -> None:
    counts = CallCounts("m", total=100, kept=50, began=0.0, done=60)
    assert counts.rate(10.0) == pytest.approx(1.0)
    assert time_left([counts], 10.0) == pytest.approx(40.0)


def test_a_finished_model_keeps_its_speed() -> None:
    assert CallCounts("m", total=10, kept=0, began=0.0, done=10, last=5.0).rate(50.0) == pytest.approx(2.0)


def test_the_slowest_model_decides_the_time_left() -> None:
    fast = CallCounts("fast", total=100, kept=0, began=0.0, done=90)
    slow = CallCounts("slow", total=100, kept=0, began=0.0, done=10)
    done = CallCounts("done", total=10, kept=0, began=0.0, done=10)
    assert time_left([fast, slow, done], 10.0) == pytest.approx(90.0)
    assert time_left([done], 10.0) == 0.0


def test_nothing_is_promised_before_the_first_reply() -> None:
    assert time_left([CallCounts("m", total=10, kept=0, began=0.0)], 5.0) is None


def test_calls_that_are_out_for_long_are_named_the_longest_first() -> None:
    counts = CallCounts("m", total=10, kept=0, began=0.0)
    counts.in_flight = {(0, f"case-{number}"): float(number) for number in range(5)}
    counts.in_flight[1, "fresh"] = 100.0
    assert long_waits([counts], LONG_WAIT_S - 1) == ""
    text = long_waits([counts], 100.0)
    assert text.startswith("waiting for m: case-0, replicate 0, for 100 s; m: case-1,")
    assert text.endswith("; and 2 more")
    assert "fresh" not in text


def test_reading_documents_is_a_line_at_first_and_then_every_few_seconds() -> None:
    clock, lines = Clock(), list[str]()
    progress = PlainProgress(clock, lines.append)
    for number in range(1, 4):
        progress.reading(number, 10)
        progress.tick()
    assert lines == ["reading documents 1 of 10"]
    clock.now += LINE_EVERY_S
    progress.tick()
    assert lines[1:] == ["reading documents 3 of 10"]


def test_on_a_terminal_reading_documents_is_the_line_at_the_foot() -> None:
    written = StringIO()
    with RichProgress(Clock(), Console(file=written, force_terminal=True, width=100)) as progress:
        progress.reading(3, 10)
        progress.tick()
    assert "reading documents 3 of 10" in written.getvalue()


def test_a_rate_limit_that_is_waited_out_is_named_and_no_call_looks_slow() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of()
    progress.run_started(plan, Path("r"), 0)
    progress.call_started(plan, "one", 0)
    progress.waited("big", "rate_limited", 61.0)
    clock.now = 40.0
    progress.tick()
    assert lines[-1].endswith("big: the rate limit is reached, trying again in 21 s")
    clock.now = 70.0
    progress.tick()
    assert lines[-1].endswith("waiting for big: one, replicate 0, for 70 s")


def test_a_wait_of_one_call_says_nothing_of_the_others() -> None:
    clock, lines = Clock(), list[str]()
    progress, plan = PlainProgress(clock, lines.append), plan_of()
    progress.run_started(plan, Path("r"), 0)
    progress.call_started(plan, "one", 0)
    clock.now = 40.0
    progress.waited("big", "no_capacity", 10.0)
    progress.tick()
    assert lines[-1].endswith("waiting for big: one, replicate 0, for 40 s")


def test_a_key_that_is_not_accepted_is_named_by_its_variable() -> None:
    lines = list[str]()
    progress = PlainProgress(Clock(), lines.append)
    plan = structs.replace(plan_of(), provider=BUILT_IN["mindrouter"])
    progress.run_started(plan, Path("r"), 0)
    refused = CallError("infrastructure", "unauthorized", "the key is not accepted (401)")
    progress.replied(plan, make_reply("one", 0, error=refused))
    assert lines[-1] == "big: a call failed: the key is not accepted (401); check MINDROUTER_API_KEY"


def test_why_models_are_left_out_is_said_once_for_each_cause() -> None:
    lines = list[str]()
    progress = PlainProgress(Clock(), lines.append)
    for model, reason in (("big", "no connection"), ("small", "no connection"), ("odd", "not served")):
        progress.model_skipped(model, reason)
    assert lines == ["big: skipped: no connection", "small: skipped: as big", "odd: skipped: not served"]
