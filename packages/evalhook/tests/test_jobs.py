"""A job's states and the only ways between them."""

from __future__ import annotations

import msgspec
import pytest

from evalcore.evaluation.outcome import RunOutcome
from evalcore.publishing.outbox import Outbox
from evalhook import jobs
from evalhook.errors import MAX_MESSAGE
from evalhook.jobs import (
    Attention,
    Completed,
    Failed,
    Job,
    JobError,
    JobResult,
    Progress,
    Queued,
    Running,
    WrongTransition,
)
from evalhook.web.schemas import view

NOW = "2026-01-01T00:00:00.000Z"
RESULT = JobResult(pull_request_url=None, branch=None, models=())


def queued() -> Job:
    return Job(
        job_id="j",
        skill_name="memo",
        replicates=2,
        git_sha=None,
        prompt_commit="1" * 40,
        dataset_commit=None,
        created_at=NOW,
        progress=Progress(total=8),
        state=Queued(),
    )


def test_the_way_to_completion() -> None:
    running = jobs.start(queued(), NOW)
    assert running.state == Running(NOW)
    counted = jobs.advance(jobs.advance(running, done=3, errors=1), total=-4)
    assert counted.progress == Progress(done=3, total=4, errors=1)
    publishing = jobs.set_outbox(jobs.publish(counted, RESULT.models), Outbox(branch="b"))
    assert view(publishing).status == "running"
    assert view(publishing).phase == "publishing"
    done = jobs.complete(publishing, NOW, RESULT)
    assert done.state == Completed(NOW, NOW, RESULT)
    assert done.is_finished


def test_a_job_may_fail_before_it_starts() -> None:
    failed = jobs.fail(queued(), NOW, JobError("storage", "no space"))
    assert failed.state == Failed(None, NOW, JobError("storage", "no space"))


def test_a_job_may_be_cancelled_while_it_runs() -> None:
    assert view(jobs.cancel(jobs.start(queued(), NOW), NOW)).status == "cancelled"


@pytest.mark.parametrize("finish", [jobs.cancel, lambda job, at: jobs.fail(job, at, JobError("x", "y"))])
def test_a_finished_job_changes_no_more(finish: object) -> None:
    done = jobs.complete(jobs.publish(jobs.start(queued(), NOW), ()), NOW, RESULT)
    with pytest.raises(WrongTransition):
        finish(done, NOW)
    with pytest.raises(WrongTransition):
        jobs.start(done, NOW)
    with pytest.raises(WrongTransition):
        jobs.advance(done, done=1)


def test_only_a_publishing_job_completes() -> None:
    for job in (queued(), jobs.start(queued(), NOW)):
        with pytest.raises(WrongTransition):
            jobs.complete(job, NOW, RESULT)


def test_a_failed_or_cancelled_job_can_be_published_again_with_its_outbox() -> None:
    publishing = jobs.set_outbox(jobs.publish(jobs.start(queued(), NOW), RESULT.models), Outbox(branch="b"))
    for ended in (
        jobs.fail(publishing, NOW, JobError("x", "y"), RESULT),
        jobs.cancel(publishing, NOW, RESULT),
    ):
        again = jobs.reopen(ended, NOW, RESULT.models)
        assert again.outbox == Outbox(branch="b")
        assert not again.is_finished
    with pytest.raises(WrongTransition):
        jobs.reopen(publishing, NOW, ())


def test_a_clock_that_is_set_back_ends_no_job_before_it_began() -> None:
    job = jobs.start(queued(), "2026-01-01T12:00:00.000Z")
    assert view(jobs.cancel(job, "2026-01-01T11:00:00.000Z")).finished_at == "2026-01-01T12:00:00.000Z"


def test_a_job_survives_being_written_in_every_state() -> None:
    running = jobs.start(queued(), NOW)
    for job in (
        queued(),
        running,
        jobs.publish(running, RESULT.models),
        jobs.set_attention(jobs.skip(running, "m", "gone"), Attention("stalled", "waits", NOW)),
        jobs.complete(jobs.publish(running, ()), NOW, RESULT),
        jobs.fail(running, NOW, JobError("x", "y"), RESULT),
        jobs.cancel(running, NOW),
    ):
        assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


def test_a_failed_job_shows_its_error_and_the_runs_that_were_finished() -> None:
    shown = view(jobs.fail(jobs.start(queued(), NOW), NOW, JobError("push_refused", "no"), RESULT))
    assert shown.status == "failed"
    assert shown.error == JobError("push_refused", "no")
    assert shown.result == RESULT
    assert shown.finished_at == NOW


def test_a_reason_that_cannot_be_encoded_is_made_one_line_that_can() -> None:
    row = jobs.row_of(RunOutcome("m", "skipped", f"file \udcff\n{'x' * 2000}"))
    assert msgspec.json.encode(row)
    assert row.reason is not None
    assert row.reason.startswith("file xxx")
    assert len(row.reason) == MAX_MESSAGE
