"""The texts of commit statuses and of the issues of failing components; untrusted text is escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from evalcore.github.reports import CommitStatus, Note
from evalcore.publishing.messages import CELL, escape_markdown
from evalcore.publishing.regressions import comment_mark, comment_text
from evalhook.jobs import Cancelled, Completed, Failed, Job, JobError, JobResult

# GitHub refuses a longer description of a status (422).
LONGEST_STATUS: Final = 140
LONGEST_REASON: Final = 300
MOST_PARTIAL: Final = 20
"""Runs that are named in an issue."""
NAMING_CASES: Final = frozenset({"scoring", "unusable_file", "no_usable_case", "internal"})
"""Codes whose message may name a case or a file of the data sets: such a message stays on the VM."""

ASK_AGAIN: Final = (
    "Then ask for the evaluation again: *Actions*, *Evaluate on the local models*, *Run workflow*."
)
OPERATOR: Final = "This is for the operator of the service; the component itself is not at fault."
ADVICE: Final[dict[str, tuple[str, str]]] = {
    "no_model_served": (
        "no local model could be called",
        (
            "Look whether MindRouter serves the models of `.evaluator/models.yaml`, by these very names "
            f"(`evalcli models check` compares them). {ASK_AGAIN}"
        ),
    ),
    "provider_unreachable": (
        "MindRouter could not be reached",
        f"{OPERATOR} Nothing needs to be changed here. {ASK_AGAIN}",
    ),
    "provider_refused": (
        "MindRouter refuses the service",
        f"{OPERATOR} The service's key for MindRouter has to be looked at. {ASK_AGAIN}",
    ),
    "interrupted": (
        "the service was stopped in the middle",
        f"Nothing needs to be changed here. {ASK_AGAIN}",
    ),
    "invalid_leaderboard": (
        "the component's leaderboard.json is not valid",
        (
            "It is never overwritten while it is not. Mend it (`evalcli leaderboard validate` says where it "
            f"is wrong), or restore its last good version. {ASK_AGAIN}"
        ),
    ),
    "push_refused": (
        "the results could not be pushed",
        (
            f"{OPERATOR} Look at the rules for branches `eval-results/*`, and at what the token may do. "
            "The results are kept on the VM."
        ),
    ),
    "pull_request_refused": (
        "the pull request with the results could not be opened",
        f"{OPERATOR} The branch with the results is pushed: a pull request can be opened by hand.",
    ),
    "github_refused": (
        "GitHub refuses the service's token",
        f"{OPERATOR} The token must read and write *Contents*, *Pull requests*, *Issues*, *Commit statuses*.",
    ),
    "storage": ("the service's disk cannot be written", f"{OPERATOR} {ASK_AGAIN}"),
    "scoring": (
        "the replies could not be scored",
        (
            "Look at the component's schema, scoring policy and expected answers, the newest first; the "
            f"service's log has the details. {ASK_AGAIN}"
        ),
    ),
    "deadline_exceeded": (
        "the evaluation took longer than a job may",
        f"Fewer replicates or cases take less time. {ASK_AGAIN}",
    ),
}
ATTENTION: Final = {
    "stalled": "no progress for a while",
    "storage_full": "the service's disk is full",
    "publishing_delayed": "publishing is delayed",
}
DEFAULT_ADVICE: Final = ("the evaluation ended with an error", f"{OPERATOR} {ASK_AGAIN}")


def issue_title(slug: str) -> str:
    """Return the title of a component's issue."""
    return f"Evaluation of {slug} on the local models fails"


def issue_mark(slug: str) -> str:
    """Return the hidden mark of a component's issue; a slug has no character that could end a comment."""
    return f"<!-- evaluator: failure of {slug} -->"


def status_of(job: Job, public_url: str | None, issue: str | None = None) -> CommitStatus:
    """Return the commit status of a job; `issue` is the URL of the issue of its failure."""
    page = None if public_url is None else f"{public_url}/"
    match job.state:
        case Completed(result=result) if job.outbox.regression is not None:
            text = _short(f"Regression: {job.outbox.regression.summary}")
            return CommitStatus("failure", text, result.pull_request_url or page)
        case Completed(result=result):
            return CommitStatus("success", _done(result), result.pull_request_url or page)
        case Failed(error=error):
            return CommitStatus("failure", _short(f"Failed: {_what(error)}"), issue or page)
        case Cancelled():
            return CommitStatus("error", "Cancelled; what was called is kept", page)
        case _:
            return CommitStatus("pending", _progress(job), page)


def failure_note(job: Job, error: JobError, public_url: str | None) -> Note:
    """Return the comment that says what failed and what to do about it."""
    what, todo = ADVICE.get(error.code, DEFAULT_ADVICE)
    done = job.progress
    # Issues of a public repository are public, and such a message may quote a private case.
    reason = "" if error.code in NAMING_CASES else f": {escape_markdown(error.message, LONGEST_REASON)}"
    where = "" if public_url is None else f" The service's page: {public_url}/."
    lines = [
        f"Evaluating {escape_markdown(job.skill_name, CELL)} at commit {job.prompt_commit} failed: {what}.",
        f"What the service says ({escape_markdown(error.code, CELL)}){reason}",
        f"**What to do.** {todo}",
        (
            f"{done.done} of {done.total} calls were made. Job {escape_markdown(job.job_id, CELL)}.{where} "
            "The next evaluation that succeeds closes this issue."
        ),
    ]
    return _note(job, "\n\n".join(lines), f"<!-- evaluator: job {job.job_id} -->")


def partial_note(job: Job, result: JobResult, public_url: str | None) -> Note | None:
    """Return the comment that says which runs lack too many replies, and why; None where none does."""
    partial = [row for row in result.models if row.status == "partial"]
    if not partial:
        return None
    where = "" if public_url is None else f" The service's page: {public_url}/."
    rows = [
        f"- {escape_markdown(row.model, CELL)}: {escape_markdown(row.reason or '', LONGEST_REASON)}"
        for row in partial[:MOST_PARTIAL]
    ]
    lines = [
        (
            f"Evaluating {escape_markdown(job.skill_name, CELL)} at commit {job.prompt_commit} gave results "
            "in part: these runs are shown, and never ranked."
        ),
        "\n".join(rows),
        f"**What to do.** {OPERATOR} {ASK_AGAIN}",
        (
            f"Job {escape_markdown(job.job_id, CELL)}.{where} The next evaluation that is whole closes this "
            "issue."
        ),
    ]
    return _note(job, "\n\n".join(lines), f"<!-- evaluator: job {job.job_id} -->")


def regression_note(job: Job, public_url: str | None) -> Note | None:
    """Return the comment for the pull request that brought a regression; None where there is none."""
    regression = job.outbox.regression
    if regression is None or job.outbox.figures is not None or not isinstance(job.state, Completed):
        return None
    page = None if public_url is None else f"{public_url}/"
    text = comment_text(job.skill_name, regression, job.state.result.pull_request_url or page)
    return _note(job, text, comment_mark(job.job_id))


def figures_note(job: Job) -> Note | None:
    """Return the comment that shows the figures of a pull request's own head; None for other jobs."""
    figures = job.outbox.figures
    if figures is None or not isinstance(job.state, Completed):
        return None
    return _note(job, figures, f"<!-- evaluator: figures of job {job.job_id} -->")


def success_note(job: Job, result: JobResult) -> Note:
    """Return the comment that says that the evaluation works again."""
    url = result.pull_request_url
    # The URL of a pull request in the configured repository: never text from a model.
    where = f", results in {url}" if url is not None else ""
    # A mark of its own: a job that failed may have been published by hand since.
    mark = f"<!-- evaluator: success of job {job.job_id} -->"
    return _note(job, f"Evaluated again at commit {job.prompt_commit}: {_done(result)}{where}.", mark)


def _note(job: Job, text: str, job_mark: str) -> Note:
    return Note(
        issue_mark=issue_mark(job.skill_name),
        job_mark=job_mark,
        text=text,
        since=datetime.fromisoformat(job.created_at),
    )


def _what(error: JobError) -> str:
    return ADVICE.get(error.code, DEFAULT_ADVICE)[0]


def _progress(job: Job) -> str:
    progress = job.progress
    percent = 100 * progress.done // max(progress.total, 1)
    errors = f", {progress.errors} without a usable reply" if progress.errors else ""
    if job.attention is not None:
        errors += f"; {ATTENTION.get(job.attention.code, 'needs attention')}"
    return _short(f"Evaluating: {progress.done} of {progress.total} calls ({percent} %){errors}")


def _done(result: JobResult) -> str:
    evaluated = [row for row in result.models if row.status != "skipped"]
    partial = sum(row.status == "partial" for row in evaluated)
    left_out = len(result.models) - len(evaluated)
    parts = [f"{len(evaluated)} model{'s' if len(evaluated) != 1 else ''} evaluated"]
    parts += [f"{partial} of them in part"] if partial else []
    parts += [f"{left_out} left out"] if left_out else []
    reason = next((row.reason for row in evaluated if row.status == "partial" and row.reason), None)
    return _short(", ".join(parts) + (f"; {reason}" if reason else ""))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_STATUS else f"{text[: LONGEST_STATUS - 3]}..."
