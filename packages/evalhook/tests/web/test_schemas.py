"""A job as callers see it, in each of its states."""

from __future__ import annotations

import msgspec
import pytest

from evalhook import jobs
from evalhook.jobs import Attention, Job, JobError, JobResult, ModelRow, Progress, Queued
from evalhook.web.schemas import accepted, job_path, view

BEGAN, ENDED = "2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z"
ROW = ModelRow("alpha", "complete", 0.9, 0.8, None)
RESULT = JobResult("https://github.example/pull/1", "eval-results/x", (ROW,))


@pytest.fixture
def queued():
    return Job(
        job_id="j-1",
        skill_name="memo",
        replicates=2,
        git_sha="ABCDEF1",
        prompt_commit="1" * 40,
        dataset_commit="2" * 40,
        created_at=BEGAN,
        progress=Progress(total=8),
        state=Queued(),
    )


def shown(job, **options):
    return msgspec.to_builtins(view(job, **options))


def test_an_accepted_request_is_answered_with_where_its_job_is(queued):
    assert msgspec.to_builtins(accepted(jobs.start(queued, BEGAN))) == {
        "job_id": "j-1",
        "status": "running",
        "skill_name": "memo",
        "replicates": 2,
        "prompt_commit": "1" * 40,
        "calls": 8,
        "status_url": "/jobs/j-1",
    }


def test_a_request_that_waits_is_answered_with_its_place(queued):
    answer = msgspec.to_builtins(accepted(queued, 3))
    assert (answer["status"], answer["position"]) == ("queued", 3)


def test_a_job_that_waits_has_neither_begun_nor_ended(queued):
    job = shown(queued, position=1)
    assert (job["status"], job["phase"], job["position"]) == ("queued", "waiting", 1)
    assert job["started_at"] is job["finished_at"] is job["result"] is job["error"] is None
    assert (job["git_sha"], job["dataset_commit"]) == ("ABCDEF1", "2" * 40)


def test_a_running_job_says_how_far_it_is_and_what_is_amiss(queued):
    job = jobs.advance(jobs.start(queued, BEGAN), done=3, errors=1)
    job = jobs.set_attention(job, Attention("stalled", "no reply for 30 min", BEGAN))
    seen = shown(job)
    assert (seen["status"], seen["phase"], seen["started_at"]) == ("running", "evaluating", BEGAN)
    assert seen["progress"] == {"done": 3, "total": 8, "errors": 1}
    assert seen["attention"] == {"code": "stalled", "message": "no reply for 30 min", "since": BEGAN}


def test_a_publishing_job_is_shown_as_running_without_a_result_yet(queued):
    seen = shown(jobs.publish(jobs.start(queued, BEGAN), (ROW,)))
    assert (seen["status"], seen["phase"], seen["result"]) == ("running", "publishing", None)


def test_a_completed_job_has_its_result(queued):
    job = jobs.complete(jobs.publish(jobs.start(queued, BEGAN), (ROW,)), ENDED, RESULT)
    seen = shown(job)
    assert (seen["status"], seen["finished_at"], seen["error"]) == ("completed", ENDED, None)
    assert seen["result"]["models"] == (msgspec.to_builtins(ROW),)
    assert "phase" not in seen


def test_a_failed_job_has_its_error_and_what_was_finished(queued):
    seen = shown(jobs.fail(jobs.start(queued, BEGAN), ENDED, JobError("storage", "no space"), RESULT))
    assert (seen["status"], seen["error"]) == ("failed", {"code": "storage", "message": "no space"})
    assert seen["result"]["branch"] == "eval-results/x"


def test_a_cancelled_job_has_no_error(queued):
    seen = shown(jobs.cancel(queued, ENDED))
    assert (seen["status"], seen["error"], seen["result"], seen["started_at"]) == (
        "cancelled",
        None,
        None,
        None,
    )


def test_what_is_not_so_is_left_out_and_the_contracts_fields_are_always_there(queued, job_fields):
    assert list(shown(jobs.start(queued, BEGAN))) == [*job_fields, "phase"]


def test_a_path_is_right_behind_any_proxy():
    assert job_path("j-1") == "/jobs/j-1"
