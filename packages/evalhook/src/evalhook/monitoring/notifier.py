"""Tells GitHub how jobs go, beside the work itself: no failure here fails a job, and none is told twice.

A job that is not told to its end is a file in `<state>/untold/`, so that a restart finishes the telling.
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
from evalcore.github.reports import GitHubReports
from evalcore.runs.plan import JobPlan
from evalhook.jobs import Completed, Failed, Job
from evalhook.monitoring import report_texts
from evalhook.threads import in_daemon

SECONDS_BETWEEN: Final = 60.0
"""A commit takes a thousand statuses of one name; a day has 1440 minutes, and a job a deadline."""
SLOWER_AFTER: Final = 30
SLOWER_FACTOR: Final = 10
MOST_TRIES: Final = 6
log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Telling:
    """What is told of one job."""

    pending: int = 0
    """How many statuses it has had."""
    tries: int = 0
    not_before: float = 0.0


class Teller:
    """Sets the commit's status while a job runs, and at its end the issue of its component."""

    def __init__(
        self,
        folder: Path,
        find: Callable[[str], Job | None],
        reports: Callable[[], GitHubReports],
        public_url: str | None,
        *,
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        self._folder = folder
        self._find = find
        self._reports = reports
        self._public_url = public_url
        self._seconds_between = seconds_between
        self._tellings: dict[str, _Telling] = {}
        self._wake = asyncio.Event()
        self._complaint = ""

    @property
    def untold(self) -> int:
        """How many jobs are not told to their end."""
        return len(self._tellings)

    def begun(self, job: Job, plan: JobPlan) -> Observer:  # noqa: ARG002 - the interface's
        """Tell of a job from now on."""
        self._tellings.setdefault(job.job_id, _Telling())
        self._wake.set()
        return Observer()

    def ended(self, job: Job) -> None:
        """Tell how a job ended."""
        telling = self._tellings.setdefault(job.job_id, _Telling())
        telling.not_before = 0.0
        self._wake.set()

    def attended(self, job: Job) -> None:
        """Tell at once that a job needs attention, or no longer does."""
        self._tellings.setdefault(job.job_id, _Telling()).not_before = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        await self._guarded(self._recall)
        while True:
            for job_id in sorted(self._tellings):
                await self._tell(job_id)
            try:
                async with asyncio.timeout(self._seconds_between if self._tellings else None):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _tell(self, job_id: str) -> None:
        telling, job = self._tellings[job_id], self._find(job_id)
        now = asyncio.get_running_loop().time()
        if job is not None and now < telling.not_before:
            return
        if job is None:
            # Its file is gone, and with it what could be told.
            self._tellings.pop(job_id)
            await self._guarded(partial(self._forget, job_id))
        elif job.is_finished:
            await self._tell_end(job, telling)
        else:
            telling.pending += 1
            wait = self._seconds_between * (SLOWER_FACTOR if telling.pending > SLOWER_AFTER else 1)
            # A little less, so that waking up a moment early does not cost a whole turn.
            telling.not_before = now + 0.9 * wait
            await self._guarded(partial(self._tell_pending, job))

    async def _tell_end(self, job: Job, telling: _Telling) -> None:
        if await self._guarded(partial(self._report_end, job)):
            self._tellings.pop(job.job_id, None)
            return
        telling.tries += 1
        telling.not_before = asyncio.get_running_loop().time() + self._seconds_between * 2**telling.tries
        if telling.tries >= MOST_TRIES:
            self._tellings.pop(job.job_id, None)
            log.error("job_not_told", job_id=job.job_id, retried="at the next start")

    async def _guarded(self, work: Callable[[], None]) -> bool:
        """Do blocking work beside the loop; whether it went well. The same failure is logged once."""
        try:
            # Not waited for at the end of the process: whatever it leaves undone is done at the next start.
            await in_daemon(work)
        except (EvaluatorError, OSError) as error:
            reason = error.line if isinstance(error, EvaluatorError) else str(error)
            if reason != self._complaint:
                log.warning("not_told", reason=reason)
            self._complaint = reason
            return False
        except Exception:  # a mistake of ours in telling must not end all telling, nor a job
            log.exception("telling_crashed")
            return False
        self._complaint = ""
        return True

    def _recall(self) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                self._tellings.setdefault(path.name, _Telling())

    def _forget(self, job_id: str) -> None:
        (self._folder / job_id).unlink(missing_ok=True)

    def _tell_pending(self, job: Job) -> None:
        leave_untold(self._folder, job.job_id)
        self._reports().set_status(job.prompt_commit, report_texts.status_of(job, self._public_url))

    def _report_end(self, job: Job) -> None:
        reports, issue = self._reports(), None
        try:
            if isinstance(job.state, Failed):
                note = report_texts.failure_note(job, job.state.error, self._public_url)
                issue = reports.tell_failure(report_texts.issue_title(job.skill_name), note)
        finally:
            # The status is told even where the token may not write issues.
            reports.set_status(job.prompt_commit, report_texts.status_of(job, self._public_url, issue))
        if isinstance(job.state, Completed):  # what a person cancelled has neither failed nor succeeded
            result, mark = job.state.result, report_texts.issue_mark(job.skill_name)
            reports.tell_success(lambda: report_texts.success_note(job, result), mark)
        self._forget(job.job_id)


def leave_untold(folder: Path, job_id: str) -> None:
    """Let the next start of the service tell how a job ended; blocking, raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / job_id).touch(mode=0o600)
