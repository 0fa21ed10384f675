"""The running job as it is at this moment: stage, counts, rate, what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalcore.evaluation.outcome import RunOutcome
from evalhook import jobs
from evalhook.jobs import Attention, Job
from evalhook.monitoring.events import DONE, PROGRESS, EventHub
from evalhook.monitoring.live import LONG_WAIT_S, Live, LiveJob
from evalsim.testing import make_job_plan, make_models_file, make_reply, make_run_plan

PLAN = make_job_plan(job_id="a", models=make_models_file("alpha", "beta").models)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_model_left_out_before_a_restart_is_shown_so(running_job: Job) -> None:
    plan = make_job_plan(models=make_models_file("alpha", "beta").models)
    live = Live(EventHub(), lambda: 0.0)
    live.job_started(jobs.skip(running_job, "beta", "not served"), plan)
    shown = live.get("a")
    assert shown is not None
    assert [(model.model, model.stage, model.reason) for model in shown.models()] == [
        ("alpha", "looking", None),
        ("beta", "skipped", "not served"),
    ]


def test_a_job_goes_from_calling_over_scoring_to_publishing() -> None:
    clock = Clock()
    live, run = LiveJob(PLAN, EventHub(), clock), make_run_plan()
    live.model_skipped("beta", "not served")
    live.run_started(run, Path(), 0)
    assert (live.progress().stage, live.progress().done, live.progress().total) == ("calling", 0, 2)
    for replicate in range(2):
        live.call_started(run, "one", replicate)
        clock.now += 1
        live.replied(run, make_reply("one", replicate))
    shown = live.progress()
    assert (shown.stage, shown.done, shown.in_flight, shown.rate) == ("scoring", 2, 0, 1.0)
    assert shown.seconds_left == 0
    live.run_finished(RunOutcome("alpha", "complete", None))
    assert live.progress().stage == "publishing"


def test_the_time_left_follows_the_rate_of_the_last_minutes() -> None:
    clock = Clock()
    live, run = LiveJob(make_job_plan(replicates=100), EventHub(), clock), make_run_plan(replicates=100)
    assert (live.progress().rate, live.progress().seconds_left) == (None, None)
    live.run_started(run, Path(), 50)
    for replicate in range(50, 60):
        clock.now += 2
        live.replied(run, make_reply("one", replicate))
    assert (live.progress().rate, live.progress().seconds_left) == (0.5, 80)


def test_calls_in_flight_for_long_are_named_without_their_case() -> None:
    clock = Clock()
    live, run = LiveJob(PLAN, EventHub(), clock), make_run_plan()
    live.call_started(run, "confidential", 1)
    clock.now = LONG_WAIT_S
    (wait,) = live.progress().waits
    assert (wait.model, wait.replicate, wait.seconds) == ("alpha", 2, int(LONG_WAIT_S))
    assert live.seconds_since_progress == LONG_WAIT_S


def test_followers_are_notified_of_attention_and_of_the_end(running_job: Job) -> None:
    hub = EventHub()
    live, job = Live(hub, Clock()), running_job
    live.job_started(job, PLAN)
    follower = hub.follow(job.job_id, "10.0.0.1")
    live.attention_changed(jobs.set_attention(job, Attention("stalled", "nothing moves", "t")))
    running = live.running()
    assert running is not None
    assert running.progress().attention == "nothing moves"
    live.job_ended(job)
    assert list(follower._topics) == [PROGRESS, DONE]
    assert (live.running(), live.get(job.job_id)) == (None, None)


@pytest.mark.parametrize(("stage", "reason"), [("awaited", "not served now; looked for again for 9 s")])
def test_a_model_that_is_waited_for_says_for_how_long(stage: str, reason: str) -> None:
    live = LiveJob(PLAN, EventHub(), Clock())
    live.model_awaited("alpha", 9, "")
    shown = live.model("alpha")
    assert shown is not None
    assert (shown.stage, shown.reason) == (stage, reason)
    assert live.model("gamma") is None
