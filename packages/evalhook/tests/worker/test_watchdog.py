"""The watchdog knows which calls are in flight and since when nothing has come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.evaluation.outcome import RunOutcome
from evalhook.worker.watchdog import MOST_NAMED, Watchdog
from evalsim.testing import make_case, make_job_plan, make_reply, make_run_plan


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_reply_is_progress_and_a_call_is_none(clock: Clock) -> None:
    watchdog, plan = Watchdog(clock), make_run_plan()
    clock.now = 10
    watchdog.call_started(plan, "one", 0)
    assert (watchdog.seconds_without_progress, watchdog.is_idle.is_set()) == (10, False)
    clock.now = 30
    watchdog.replied(plan, make_reply("one", 0))
    assert (watchdog.seconds_without_progress, watchdog.is_idle.is_set()) == (0, True)
    clock.now = 40
    watchdog.run_started(plan, Path(), 0)
    assert watchdog.seconds_without_progress == 0


def test_calls_in_flight_are_named_by_model_and_replicate_the_longest_first(clock: Clock) -> None:
    watchdog, plan = Watchdog(clock), make_run_plan()
    assert watchdog.describe() == "the job is neither reading, calling nor scoring"
    for minute in range(MOST_NAMED + 2):
        clock.now = 60.0 * minute
        watchdog.call_started(plan, "confidential-case", minute)
    words = watchdog.describe()
    assert words.startswith("waiting for alpha replicate 1 (6 min), waiting for alpha replicate 2 (5 min), ")
    assert words.endswith(" and 2 more")
    assert "confidential" not in words


def test_the_case_that_is_scored_is_numbered_with_its_time_until_the_run_is_scored(clock: Clock) -> None:
    watchdog, plan = Watchdog(clock), make_run_plan(cases=[make_case("confidential-1"), make_case("other")])
    watchdog.scoring(plan, 1)
    clock.now = 340
    assert watchdog.describe() == "scoring case 2 of 2 of alpha for 340 s"
    assert watchdog.seconds_without_progress == 340
    watchdog.run_finished(RunOutcome("alpha", "complete"))
    assert watchdog.describe() == "the job is neither reading, calling nor scoring"


def test_a_restart_forgets_the_calls_of_the_attempt_before(clock: Clock) -> None:
    watchdog = Watchdog(clock)
    watchdog.call_started(make_run_plan(), "one", 0)
    clock.now = 5
    watchdog.restart()
    assert (watchdog.is_idle.is_set(), watchdog.seconds_without_progress) == (True, 0)


def test_the_document_that_is_read_is_numbered_and_counts_as_work_in_hand(clock: Clock) -> None:
    watchdog = Watchdog(clock)
    watchdog.reading(3, 10)
    clock.now = 90
    assert watchdog.describe() == "reading document 3 of 10 for 90 s"
    assert watchdog.seconds_without_progress == 90
    assert not watchdog.is_idle.is_set()
    watchdog.documents_read(make_job_plan())
    assert watchdog.is_idle.is_set()
    assert watchdog.describe() == "the job is neither reading, calling nor scoring"
