"""What GitHub is told of a job: statuses within GitHub's length, and notes without confidential names."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from evalhook import jobs
from evalhook.jobs import Attention, Job, JobError, JobResult, ModelRow, Progress, Queued
from evalhook.monitoring import report_texts
from evalhook.monitoring.report_texts import ADVICE, LONGEST_STATUS, NAMING_CASES

AT = "2026-01-01T00:00:00.000Z"
ROWS = (
    ModelRow("alpha", "complete", 0.5, None, None),
    ModelRow("beta", "partial", 0.5, None, "x"),
    ModelRow("gamma", "skipped", None, None, "y"),
)


def running() -> Job:
    queued = Job(
        job_id="job", skill_name="memo", replicates=1, git_sha=None, prompt_commit="a" * 40,
        dataset_commit=None, created_at=AT, progress=Progress(done=3, total=8, errors=1), state=Queued(),
    )  # fmt: skip
    return jobs.start(queued, AT)


def failed(code: str, message: str) -> Job:
    return jobs.fail(running(), AT, JobError(code, message))


def test_a_running_jobs_status_shows_its_calls_and_what_needs_attention() -> None:
    status = report_texts.status_of(running(), "https://hook.example")
    assert (status.state, status.url) == ("pending", "https://hook.example/")
    assert status.description == "Evaluating: 3 of 8 calls (37 %), 1 without a usable reply"
    stalled = jobs.set_attention(running(), Attention("stalled", "x", AT))
    assert report_texts.status_of(stalled, None).description.endswith("; no progress for a while")


def test_a_completed_jobs_status_counts_its_models_and_leads_to_the_results() -> None:
    result = JobResult("https://github.example/pull/7", "b", ROWS)
    done = jobs.complete(jobs.publish(running(), ROWS), AT, result)
    status = report_texts.status_of(done, None)
    assert (status.state, status.url) == ("success", "https://github.example/pull/7")
    assert status.description == "2 models evaluated, 1 of them in part, 1 left out; x"
    assert "https://github.example/pull/7" in report_texts.success_note(done, result).text


def test_partial_runs_are_noted_with_the_reason_and_complete_ones_are_not() -> None:
    reason = "69 of 100 calls were never answered: unauthorized, the key is not accepted (401)"
    rows = (ROWS[0], ModelRow("beta", "partial", 0.5, None, reason))
    result = JobResult("https://github.example/pull/7", "b", rows)
    done = jobs.complete(jobs.publish(running(), rows), AT, result)
    assert "unauthorized, the key is not accepted (401)" in report_texts.status_of(done, None).description
    note = report_texts.partial_note(done, result, None)
    assert note is not None
    assert reason in MarkdownIt().render(note.text)
    assert "alpha" not in note.text
    assert report_texts.partial_note(done, JobResult(None, None, ROWS[:1]), None) is None


@pytest.mark.parametrize("code", [*ADVICE, "unheard-of"])
def test_every_failure_says_what_to_do_in_a_status_of_githubs_length(code: str) -> None:
    job = failed(code, "words " * 100)
    status = report_texts.status_of(job, None, "https://github.example/issues/1")
    assert (status.state, status.url) == ("failure", "https://github.example/issues/1")
    assert len(status.description) <= LONGEST_STATUS
    assert "**What to do.**" in report_texts.failure_note(job, JobError(code, "x"), None).text


@pytest.mark.parametrize("code", sorted(NAMING_CASES))
def test_a_message_that_may_name_a_case_stays_on_the_machine(code: str) -> None:
    error = JobError(code, "acme-merger-2026 cannot be scored")
    assert "acme-merger" not in report_texts.failure_note(failed(code, error.message), error, None).text


def test_a_message_is_text_whatever_markup_it_holds() -> None:
    error = JobError("push_refused", "<!-- x --> <b>@team</b> [x](https://evil.example) ![y](//evil.example)")
    note = report_texts.failure_note(failed(error.code, error.message), error, None)
    tokens = [
        child
        for token in MarkdownIt("gfm-like", {"linkify": False}).parse(note.text)
        for child in (token.children or [token])
    ]
    assert not {"html_block", "html_inline", "link_open", "image"} & {token.type for token in tokens}


def test_a_cancelled_job_neither_fails_nor_succeeds() -> None:
    assert report_texts.status_of(jobs.cancel(running(), AT), None).state == "error"
