"""The slot's jobs: begun, gone on with, ended; one at a time, the others in line."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog

from evalcore.errors import StorageError
from evalcore.publishing.outbox import Published
from evalcore.runs.plan import JobPlan
from evalhook import errors, jobs
from evalhook.errors import CurrentJob
from evalhook.jobs import Attention, Completed, Job, JobError, Queued
from evalhook.monitoring.observers import Audience
from evalhook.storage.store import JobStore, Shelf
from evalhook.threads import in_thread
from evalhook.worker.execution import Means, Work, timestamp
from evalhook.worker.outbox import Publisher
from evalhook.worker.queue import Line, Slot
from evalhook.worker.watchdog import Vigil

__all__ = ["Published", "Publisher", "Worker", "timestamp"]

SNAPSHOT_SECONDS: Final = 5.0
"""How often the progress of a running job is written to disk, and a stalled one looked for."""
CANCEL_SECONDS: Final = 2.0
"""How long the answer to a cancellation waits for the job's end."""
Ending = Literal["stopped", "cancelled", "deadline"]
log = structlog.stdlib.get_logger(__name__)


class Worker:
    """Runs the job that holds the slot, and lets the next one have it."""

    def __init__(self, *, store: JobStore, slot: Slot, line: Line, means: Means, audience: Audience) -> None:
        self._store = store
        self._shelf = Shelf(store)
        self._slot = slot
        self._line = line
        self._means = means
        self._audience = audience
        self._task: asyncio.Task[None] | None = None
        self._work: asyncio.Task[Job] | None = None
        self._vigil: Vigil | None = None
        self._ending: Ending | None = None
        self._may_call = True

    def begin(self, job: Job, holder: CurrentJob, plan: JobPlan | None = None) -> None:
        """Run a job in the background; the slot is its own to its end. The plan is read where not given."""
        if isinstance(job.state, Queued):
            job = jobs.start(job, self._now())
            self._store.show(job)
        self._ending = None
        self._task = asyncio.create_task(self._run(job, holder, plan), name=f"job {job.job_id}")

    def next(self) -> None:
        """Begin the first job in line, where the slot is free and the service goes on."""
        while self._slot.holder is None and self._may_call:
            job = self._store.get(self._line.next() or "")
            if job is None:
                return
            if not job.is_finished:
                holder = CurrentJob(job.job_id, job.skill_name, job.started_at or self._now())
                self._slot.take(holder)
                self.begin(job, holder)

    async def cancel(self, job: Job) -> Job:
        """End an unfinished job at a person's wish: what there is stays; raises NotReady on a full disk."""
        try:
            if self._line.remove(job.job_id):
                job = jobs.cancel(job, self._now())
                await self._shelf.save(job)
                self._audience.ended(job)
                return job
            if self._work is not None and not self._work.done():
                await self._shelf.save(jobs.ask_cancel(job))
                self._end("cancelled")
        except StorageError as error:
            raise errors.NotReady(error.line) from error
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)
        return self._shelf.job(job.job_id)

    async def idle(self) -> None:
        """Wait until the job that was begun has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Begin no call any more, give those in flight their time, and leave the job as it then stands.

        Its file says how far it is; the next start goes on from there.
        """
        self._may_call = False
        if self._task is None or self._task.done():
            return
        if self._vigil is not None and not self._vigil.is_idle.is_set() and self._means.limits.grace:
            idle = asyncio.ensure_future(self._vigil.is_idle.wait())
            await asyncio.wait(
                [idle, self._task], timeout=self._means.limits.grace, return_when=asyncio.FIRST_COMPLETED
            )
            idle.cancel()
        self._end("stopped")
        await asyncio.wait([self._task])

    def _end(self, ending: Ending) -> None:
        if self._ending is None or ending == "stopped":
            self._ending = ending
        if self._work is not None:
            self._work.cancel()

    async def _run(self, job: Job, holder: CurrentJob, plan: JobPlan | None) -> None:
        # The task has a context of its own: what anybody logs in it is of this job.
        structlog.contextvars.bind_contextvars(job_id=job.job_id)
        try:
            known = await in_thread(self._store.read_plan, job.job_id) if plan is None else plan
        except StorageError as error:
            log.warning("job_failed", job_id=job.job_id, code=error.code, reason=error.line)
            await self._close(jobs.fail(job, self._now(), JobError(error.code, error.line)), holder)
            return
        log.info("job_started", job_id=job.job_id, skill=job.skill_name, calls=known.calls)
        self._vigil = Vigil(self._means.effects.monotonic)
        watch = self._audience.begun(job, known)
        work = Work(known, self._means, self._shelf, watch, self._vigil, lambda: self._may_call)
        self._work = asyncio.create_task(work.run(), name=f"work {job.job_id}")
        if job.is_cancelling:
            self._end("cancelled")
        ended = await self._ended(job, work, self._work, self._vigil)
        self._vigil = None
        if ended is not None:
            await self._close(ended, holder)

    async def _ended(self, job: Job, work: Work, task: asyncio.Task[Job], vigil: Vigil) -> Job | None:
        """Wait for the job's end, within its deadline; None where the service stops."""
        watching = asyncio.create_task(self._watch(job, vigil))
        left = max(0.0, self._means.limits.deadline - job.elapsed_s)
        await asyncio.wait([task], timeout=left)
        if not task.done():
            self._end("deadline")
            await asyncio.wait([task])
        watching.cancel()
        await asyncio.wait([watching])
        if not task.cancelled():
            return task.result()
        current = self._shelf.job(job.job_id)
        match self._ending:
            case "cancelled":
                return jobs.cancel(current, self._now(), work.result())
            case "deadline":
                hours = self._means.limits.deadline / 3600
                message = f"the job was not done within {hours:g} h; its replies are kept"
                return jobs.fail(current, self._now(), JobError("deadline_exceeded", message), work.result())
            case _:
                await self._shelf.try_save(current)
                log.info("job_left", job_id=job.job_id, done=current.progress.done)
                return None

    async def _close(self, ended: Job, holder: CurrentJob) -> None:
        await self._shelf.end(ended)
        # No await between the two: nobody sees the job finished while the slot is still taken.
        self._slot.release(holder)
        self._store.show(ended)
        self._audience.ended(ended)
        log.info("job_ended", job_id=ended.job_id, state=type(ended.state).__name__.lower())
        self.next()
        if isinstance(ended.state, Completed):
            await in_thread(self._store.drop_plan, ended.job_id)

    async def _watch(self, job: Job, vigil: Vigil) -> None:
        """Keep the job as it is shown from time to time; say when nothing moves, and what needs attention."""
        began, kept, told = self._means.effects.monotonic(), None, None
        while True:
            current = jobs.spend(
                self._shelf.job(job.job_id), job.elapsed_s + self._means.effects.monotonic() - began
            )
            current = self._looked_after(current, vigil)
            if current != kept:
                await self._shelf.try_save(current)
                kept = current = self._shelf.job(job.job_id)
            if current.attention != told:
                told = current.attention
                self._audience.attended(current)
            await self._means.effects.sleep(SNAPSHOT_SECONDS)

    def _looked_after(self, job: Job, vigil: Vigil) -> Job:
        is_stalled = vigil.still_for >= self._means.limits.stall
        is_told = job.attention is not None and job.attention.code == "stalled"
        if is_stalled and job.attention is None:
            minutes = vigil.still_for / 60
            message = f"no call has ended for {minutes:.0f} min; waiting for {vigil.waits()}"
            log.warning("job_stalled", job_id=job.job_id, reason=message)
            job = jobs.attend(job, Attention("stalled", message, self._now()))
        elif is_told and not is_stalled:
            log.info("job_moves_again", job_id=job.job_id)
            job = jobs.attend(job, None)
        return job

    def _now(self) -> str:
        return timestamp(self._means.effects.now())


def go_on(store: JobStore, line: Line, worker: Worker) -> None:
    """Put them in line, those first that were begun, and begin with the first."""
    for job in sorted(store.unfinished(), key=_order):
        log.info("job_taken_up", job_id=job.job_id, state=type(job.state).__name__.lower())
        line.add(job)
    worker.next()


def _order(job: Job) -> tuple[bool, str, str]:
    return (isinstance(job.state, Queued), job.created_at, job.job_id)
