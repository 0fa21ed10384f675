"""Runs jobs: the one that holds the slot, from its start or restart to its end, and then the next."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog

from evalcore.errors import StorageError
from evalcore.runs.plan import JobPlan
from evalhook import errors, jobs
from evalhook.errors import CurrentJob
from evalhook.jobs import Attention, Completed, Job, JobError, Queued, timestamp
from evalhook.monitoring.observers import JobObserver
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread
from evalhook.worker.execution import JobContext, JobExecution
from evalhook.worker.queue import JobQueue
from evalhook.worker.watchdog import Watchdog

SNAPSHOT_SECONDS: Final = 5.0
"""How often the progress of a running job is written to disk, and a stalled job looked for."""
CANCEL_SECONDS: Final = 2.0
"""How long the answer to a cancellation waits for the job's end."""
Ending = Literal["stopped", "cancelled", "deadline"]
log = structlog.stdlib.get_logger(__name__)


class JobRunner:
    """Runs the job that holds the slot, then gives the slot to the next one in the queue."""

    def __init__(
        self, *, store: JobStore, queue: JobQueue, context: JobContext, observer: JobObserver
    ) -> None:
        self._store = store
        self._queue = queue
        self._context = context
        self._observer = observer
        self._task: asyncio.Task[None] | None = None
        self._execution: asyncio.Task[Job] | None = None
        self._watchdog: Watchdog | None = None
        self._ending: Ending | None = None
        self._may_call = True

    def begin(self, job: Job, holder: CurrentJob, plan: JobPlan | None = None) -> None:
        """Run a job in the background; it keeps the slot to its end. Without `plan`, it is read from disk."""
        if isinstance(job.state, Queued):
            job = jobs.start(job, self._now())
            self._store.update(job)
        # Left over from the job before: neither its cancellation nor its task is this one's.
        self._ending = None
        self._execution = None
        self._task = asyncio.create_task(self._run(job, holder, plan), name=f"job {job.job_id}")

    def begin_next(self) -> None:
        """Begin the first job in the queue, where the slot is free and the service is not stopping."""
        while self._queue.holder is None and self._may_call:
            job = self._store.get(self._queue.pop() or "")
            if job is None:
                return
            if not job.is_finished:
                holder = CurrentJob(job.job_id, job.skill_name, job.started_at or self._now())
                self._queue.take(holder)
                self.begin(job, holder)

    def resume_jobs(self) -> None:
        """Queue the jobs that a former process left unfinished, running ones first, and begin the first."""
        for job in sorted(self._store.unfinished(), key=_resume_order):
            log.info("job_taken_up", job_id=job.job_id, state=type(job.state).__name__.lower())
            self._queue.add(job)
        self.begin_next()

    async def cancel(self, job: Job) -> Job:
        """End an unfinished job at a person's request; its replies and records stay.

        Raises NotReady where the disk does not take the request.
        """
        try:
            if self._queue.remove(job.job_id):
                job = jobs.cancel(job, self._now())
                await self._store.save(job)
                self._observer.job_ended(job)
                return job
            # Without an execution the job's plan is still being read; one that is done is being closed, and
            # its end stands.
            is_running = self._task is not None and not self._task.done()
            if is_running and (self._execution is None or not self._execution.done()):
                # On the disk before it is done: a service that is killed in between ends the job at its next
                # start.
                await self._store.save(jobs.ask_cancel(job))
                self._end("cancelled")
        except StorageError as error:
            raise errors.NotReady(error.line) from error
        if self._task is not None:
            # A push that is under way ends by its own time limit, which no caller is to wait for.
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)
        return self._store.require(job.job_id)

    async def idle(self) -> None:
        """Wait until the job that was begun has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Make no further call, wait the grace time for those in flight, and leave the job as it then is.

        Its file says how far it is; the next start resumes it from there.
        """
        # First of all: no call begins while those in flight are waited for.
        self._may_call = False
        if self._task is None or self._task.done():
            return
        if self._watchdog is not None and not self._watchdog.is_idle.is_set() and self._context.limits.grace:
            idle = asyncio.ensure_future(self._watchdog.is_idle.wait())
            await asyncio.wait(
                [idle, self._task], timeout=self._context.limits.grace, return_when=asyncio.FIRST_COMPLETED
            )
            idle.cancel()
        self._end("stopped")
        await asyncio.wait([self._task])

    def _end(self, ending: Ending) -> None:
        # The first reason counts, but a stop above all: a stopped job is to go on, not to be ended.
        if self._ending is None or ending == "stopped":
            self._ending = ending
        if self._execution is not None:
            self._execution.cancel()

    async def _run(self, job: Job, holder: CurrentJob, plan: JobPlan | None) -> None:
        # The task has a context of its own: everything that is logged in it carries this job's id.
        structlog.contextvars.bind_contextvars(job_id=job.job_id)
        try:
            known = await in_thread(self._store.read_plan, job.job_id) if plan is None else plan
        except StorageError as error:
            log.warning("job_failed", job_id=job.job_id, code=error.code, reason=error.line)
            shown = JobError(error.code, self._context.scrub(error.line))
            await self._close(jobs.fail(job, self._now(), shown), holder)
            return
        log.info("job_started", job_id=job.job_id, skill=job.skill_name, calls=known.calls)
        self._watchdog = Watchdog(self._context.effects.monotonic)
        calls = self._observer.job_started(job, known)
        execution = JobExecution(
            known, self._context, self._store, calls, self._watchdog, lambda: self._may_call
        )
        self._execution = asyncio.create_task(execution.run(), name=f"execution of {job.job_id}")
        if job.is_cancelling:  # asked for before a restart, and not done by then
            self._end("cancelled")
        elif self._ending is not None:  # stopped or cancelled while the plan was read
            self._execution.cancel()
        ended = await self._ended(job, execution, self._execution, self._watchdog)
        self._watchdog = None
        if ended is not None:
            await self._close(ended, holder)

    async def _ended(
        self, job: Job, execution: JobExecution, task: asyncio.Task[Job], watchdog: Watchdog
    ) -> Job | None:
        """Wait for the job's end, within its deadline; None where the service stops."""
        snapshots = asyncio.create_task(self._keep_snapshots(job, watchdog))
        # What the job has used up before a restart counts, or a service that restarts often has no deadline.
        left = max(0.0, self._context.limits.deadline - job.elapsed_s)
        await asyncio.wait([task], timeout=left)
        if not task.done():
            self._end("deadline")
            await asyncio.wait([task])
        snapshots.cancel()
        await asyncio.wait([snapshots])
        if not task.cancelled():
            return task.result()
        current = self._store.require(job.job_id)
        match self._ending:
            case "cancelled":
                return jobs.cancel(current, self._now(), execution.result())
            case "deadline":
                hours = self._context.limits.deadline / 3600
                message = f"the job was not done within {hours:g} h; its replies are kept"
                error = JobError("deadline_exceeded", message)
                return jobs.fail(current, self._now(), error, execution.result())
            case _:
                await self._store.try_save(current)
                log.info("job_left", job_id=job.job_id, done=current.progress.done)
                return None

    async def _close(self, ended: Job, holder: CurrentJob) -> None:
        await self._store.save_ended(ended)
        # No await between the two: nobody sees the job finished while the slot is still taken.
        self._queue.release(holder)
        self._store.update(ended)
        self._observer.job_ended(ended)
        log.info("job_ended", job_id=ended.job_id, state=type(ended.state).__name__.lower())
        self.begin_next()
        # A failed or cancelled job may be published by hand later, and needs its plan for that.
        if isinstance(ended.state, Completed):
            await in_thread(self._store.drop_plan, ended.job_id)

    async def _keep_snapshots(self, job: Job, watchdog: Watchdog) -> None:
        """Write the job as readers see it from time to time, and notify observers of what needs attention."""
        began, written, notified = self._context.effects.monotonic(), None, None
        while True:
            seconds = job.elapsed_s + self._context.effects.monotonic() - began
            current = self._with_stall(jobs.spend(self._store.require(job.job_id), seconds), watchdog)
            if current != written:
                await self._store.try_save(current)
                # Read again: the job may have moved on while the disk was written.
                written = current = self._store.require(job.job_id)
            if current.attention != notified:
                notified = current.attention
                self._observer.attention_changed(current)
            await self._context.effects.sleep(SNAPSHOT_SECONDS)

    def _with_stall(self, job: Job, watchdog: Watchdog) -> Job:
        """Set or clear the job's attention according to whether its calls make progress."""
        is_stalled = watchdog.seconds_without_progress >= self._context.limits.stall
        is_marked = job.attention is not None and job.attention.code == "stalled"
        # Another attention, such as a full disk, is left as it is: it says why nothing moves.
        if is_stalled and job.attention is None:
            minutes = watchdog.seconds_without_progress / 60
            message = f"no call has ended for {minutes:.0f} min; {watchdog.describe()}"
            log.warning("job_stalled", job_id=job.job_id, reason=message)
            job = jobs.set_attention(job, Attention("stalled", message, self._now()))
        elif is_marked and not is_stalled:
            log.info("job_moves_again", job_id=job.job_id)
            job = jobs.set_attention(job, None)
        return job

    def _now(self) -> str:
        return timestamp(self._context.effects.now())


def _resume_order(job: Job) -> tuple[bool, str, str]:
    return (isinstance(job.state, Queued), job.created_at, job.job_id)
