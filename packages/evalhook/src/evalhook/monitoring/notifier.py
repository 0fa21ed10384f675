"""Notifies GitHub of how jobs go, beside the jobs themselves: no failure here fails a job.

A job whose end GitHub has not been notified of is a file in `<state>/untold/`, so that a restart finishes
the notification. What is posted carries the job's mark, and is looked for before it is posted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from evalcore.errors import EvaluatorError
from evalcore.evaluation.outcome import Observer
from evalcore.github.reports import GitHubReports, Note
from evalcore.runs.plan import JobPlan
from evalhook.jobs import Completed, Failed, Job
from evalhook.monitoring import report_texts
from evalhook.monitoring.observers import JobObserver
from evalhook.threads import in_daemon

SECONDS_BETWEEN: Final = 60.0
"""A commit takes a thousand statuses of one name; a day has 1440 minutes, and a job a deadline."""
# Half an hour at a minute each, then every ten minutes: a job of 24 h sets about 170 of the thousand.
SLOWER_AFTER: Final = 30
SLOWER_FACTOR: Final = 10
# With doubled waits about an hour in all, as long as results are tried to be published.
MOST_TRIES: Final = 6
log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Pending:
    """What is still to be sent of one job."""

    statuses: int = 0
    """How many statuses its commit has had."""
    tries: int = 0
    not_before: float = 0.0


class Notifier(JobObserver):
    """Sets the commit's status while a job runs, and at its end updates the issue of its component."""

    def __init__(
        self,
        folder: Path,
        find: Callable[[str], Job | None],
        reports: GitHubReports,
        public_url: str | None,
        *,
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        self._folder = folder
        self._find = find
        self._reports = reports
        self._public_url = public_url
        self._seconds_between = seconds_between
        self._pending: dict[str, _Pending] = {}
        self._wake = asyncio.Event()
        self._last_failure = ""

    @property
    def pending(self) -> int:
        """How many jobs GitHub is still to be notified of."""
        return len(self._pending)

    def job_started(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - as JobObserver
        """Send the job's status from now on."""
        self._pending.setdefault(job.job_id, _Pending())
        self._wake.set()
        return Observer()

    def job_ended(self, job: Job) -> None:
        """Send how the job ended."""
        self._send_now(job)

    def attention_changed(self, job: Job) -> None:
        """Send at once that the job needs attention, or no longer does."""
        self._send_now(job)

    def _send_now(self, job: Job) -> None:
        self._pending.setdefault(job.job_id, _Pending()).not_before = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled, beginning with what a former process left."""
        await self._guarded(self._restore)
        while True:
            # Ids are UUIDv7: in the order in which the jobs were accepted.
            for job_id in sorted(self._pending):
                await self._send(job_id)
            try:
                async with asyncio.timeout(self._seconds_between if self._pending else None):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _send(self, job_id: str) -> None:
        pending, job = self._pending[job_id], self._find(job_id)
        now = asyncio.get_running_loop().time()
        if job is not None and now < pending.not_before:
            return
        if job is None:
            # Its file has been removed, and with it everything that could be sent.
            self._pending.pop(job_id)
            await self._guarded(partial(self._forget, job_id))
        elif job.is_finished:
            await self._send_end(job, pending)
        else:
            pending.statuses += 1
            wait = self._seconds_between * (SLOWER_FACTOR if pending.statuses > SLOWER_AFTER else 1)
            # A little less, so that waking up a moment early does not skip a whole turn.
            pending.not_before = now + 0.9 * wait
            await self._guarded(partial(self._report_running, job))

    async def _send_end(self, job: Job, pending: _Pending) -> None:
        if await self._guarded(partial(self._report_end, job)):
            self._pending.pop(job.job_id, None)
            return
        pending.tries += 1
        pending.not_before = asyncio.get_running_loop().time() + self._seconds_between * 2**pending.tries
        if pending.tries >= MOST_TRIES:
            self._pending.pop(job.job_id, None)
            log.error("job_not_told", job_id=job.job_id, retried="at the next start")

    async def _guarded(self, work: Callable[[], None]) -> bool:
        """Do blocking work beside the loop; whether it succeeded. A repeated failure is logged once."""
        try:
            # The end of the process does not wait for it: what it leaves undone is done at the next start.
            await in_daemon(work)
        except (EvaluatorError, OSError) as error:
            reason = error.line if isinstance(error, EvaluatorError) else str(error)
            # A GitHub that is away for a night would otherwise write a line a minute.
            if reason != self._last_failure:
                log.warning("not_told", reason=reason)
            self._last_failure = reason
            return False
        except Exception:  # a bug in one notification must not end all of them, nor a job
            log.exception("telling_crashed")
            return False
        self._last_failure = ""
        return True

    def _restore(self) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                self._pending.setdefault(path.name, _Pending())

    def _forget(self, job_id: str) -> None:
        (self._folder / job_id).unlink(missing_ok=True)

    def _report_running(self, job: Job) -> None:
        # Before the first status: where the service is killed, the next start still says how the job ended.
        leave_pending(self._folder, job.job_id)
        self._reports.set_status(job.prompt_commit, report_texts.status_of(job, self._public_url))

    def _partial_note(self, job: Job) -> Note | None:
        if not isinstance(job.state, Completed):
            return None
        return report_texts.partial_note(job, job.state.result, self._public_url)

    def _report_end(self, job: Job) -> None:
        issue = None
        try:
            if isinstance(job.state, Failed):
                note = report_texts.failure_note(job, job.state.error, self._public_url)
                issue = self._reports.tell_failure(report_texts.issue_title(job.skill_name), note)
            partial = self._partial_note(job)
            if partial is not None:
                self._reports.tell_failure(report_texts.issue_title(job.skill_name), partial)
            self._report_regression(job)
            self._report_figures(job)
        finally:
            # The status is set even where the token may not write issues or comments.
            self._reports.set_status(job.prompt_commit, report_texts.status_of(job, self._public_url, issue))
        # Not of a cancelled job, which has neither failed nor succeeded.
        if isinstance(job.state, Completed) and partial is None:
            result, mark = job.state.result, report_texts.issue_mark(job.skill_name)
            self._reports.tell_success(lambda: report_texts.success_note(job, result), mark)
        self._forget(job.job_id)

    def _report_regression(self, job: Job) -> None:
        note = report_texts.regression_note(job, self._public_url)
        if note is not None and self._reports.comment_on_origin(job.prompt_commit, note) is None:
            log.info("regression_of_no_pull_request", job_id=job.job_id, commit=job.prompt_commit)

    def _report_figures(self, job: Job) -> None:
        note = report_texts.figures_note(job)
        if note is not None and self._reports.comment_on_head(job.prompt_commit, note) is None:
            log.info("figures_of_no_pull_request", job_id=job.job_id, commit=job.prompt_commit)


def leave_pending(folder: Path, job_id: str) -> None:
    """Let the next start of the service notify GitHub of a job's end; blocking, raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / job_id).touch(mode=0o600)
