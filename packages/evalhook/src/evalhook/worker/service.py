"""The service's use cases, each a method: what a route calls once it has read its request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from evalcore.effects import Effects
from evalcore.errors import StorageError
from evalcore.runs.plan import JobPlan
from evalhook import errors, jobs
from evalhook.errors import CurrentJob
from evalhook.jobs import (
    Cancelled,
    Documents,
    EvaluateRequest,
    Failed,
    Job,
    Progress,
    Queued,
    status_of,
    timestamp,
)
from evalhook.storage.space import FreeSpace, bytes_of_documents
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread
from evalhook.worker.intake import Intake, Step
from evalhook.worker.queue import JobQueue
from evalhook.worker.runner import JobRunner

ANSWER_SECONDS: Final = 50.0
"""Within which POST /evaluate is planned or refused, below the 60 s that docker/Caddyfile waits."""
CLONES_SECONDS: Final = 30.0
"""How long a request waits for the clones while results are committed back from one of them."""
CANCELLED_SECONDS: Final = 2.0
"""How long a refusal waits for the end of what it has cancelled, so that the slot is free with the answer."""


class Service:
    """Accepts jobs and shows them."""

    def __init__(
        self,
        *,
        store: JobStore,
        queue: JobQueue,
        intake: Intake,
        runner: JobRunner,
        effects: Effects,
        space: FreeSpace,
        clones: asyncio.Lock,
    ) -> None:
        self._store = store
        self._queue = queue
        self._clones = clones
        self._intake = intake
        self._runner = runner
        self._effects = effects
        self._space = space

    async def accept(self, request: EvaluateRequest, seconds: float = ANSWER_SECONDS) -> Job:
        """Take the slot, check the request, and begin its job; raises Refusal, within so many seconds.

        Where another job holds the slot and jobs may wait, it is queued.
        """
        if self._queue.holder is not None and self._queue.has_places:
            return await self._enqueue(request, seconds)
        now = timestamp(self._effects.now())
        holder = CurrentJob(job_id=self._effects.new_id(), skill=request.skill_name, started_at=now)
        self._queue.take(holder)
        step = Step()
        # A task of its own: a time-out answers the caller, and a thread in the clones is followed to its end.
        planning = asyncio.create_task(self._plan(request, holder.job_id, step))
        try:
            plan = await _within(seconds, planning, step)
            job = _queued(request, plan, now)
            await self._write_planned(job, plan)
        except BaseException:
            # However the intake ended, even with the request cancelled, the slot must become free; but not
            # while a thread of it is still at work in the clones.
            if planning.done():
                self._release(holder)
            else:
                planning.add_done_callback(lambda _: self._release(holder))
            raise
        self._store.update(job)
        self._runner.begin(job, holder, plan)
        return self.find(job.job_id)

    async def _enqueue(self, request: EvaluateRequest, seconds: float) -> Job:
        now = timestamp(self._effects.now())
        if self._queue.is_full:
            self._queue.take(CurrentJob(job_id="", skill="", started_at=now))  # raises Busy
        with self._queue.reserved():
            step = Step()
            planning = asyncio.create_task(self._plan(request, self._effects.new_id(), step))
            plan = await _within(seconds, planning, step)
            waiting = map(self.find, self._queue.waiting())
            # A workflow that is started again asks for the same once more, and gets the job that waits.
            duplicate = next((job for job in waiting if _is_same(job, request, plan)), None)
            if duplicate is not None:
                return duplicate
            job = _queued(request, plan, now)
            await self._write_planned(job, plan)
            self._store.update(job)
            self._queue.add(job)
        self._runner.begin_next()  # the slot may have become free meanwhile
        return self.find(job.job_id)

    async def _plan(self, request: EvaluateRequest, job_id: str, step: Step) -> JobPlan:
        # Before the slow steps, and again below: how many calls there are is known only once all is read.
        self._space.require()
        step.name = "waiting for the clones"
        async with self._clones_alone():
            plan = await self._intake.plan(request, job_id, step)
        self._space.require(plan.calls, bytes_of_documents(plan))
        # Known before their folders are made, so that a restart finds what was begun.
        run_ids = {model.id: self._effects.new_id() for model in plan.models}
        return msgspec.structs.replace(plan, run_ids=run_ids)

    @asynccontextmanager
    async def _clones_alone(self) -> AsyncIterator[None]:
        """Let nobody else into the clones meanwhile; raises NotReady where publishing does not leave them."""
        try:
            async with asyncio.timeout(CLONES_SECONDS):
                await self._clones.acquire()
        except TimeoutError:
            raise errors.NotReady("results are being committed back; ask again in a minute") from None
        try:
            yield
        finally:
            self._clones.release()

    def _release(self, holder: CurrentJob) -> None:
        self._queue.release(holder)
        self._runner.begin_next()

    def position(self, job: Job) -> int | None:
        """The job's position in the queue, from 1; None for one that does not wait."""
        return self._queue.position(job.job_id)

    async def cancel(self, job_id: str) -> Job:
        """End a job; raises Refusal where there is none, or it has ended already."""
        job = self.find(job_id)
        if job.is_finished:
            raise errors.WrongState(job_id, f"is {status_of(job)}")
        return await self._runner.cancel(job)

    async def publish(self, job_id: str) -> Job:
        """Publish what a failed or cancelled job has; raises Refusal."""
        job, holder = reopened(self._store, job_id, timestamp(self._effects.now()))
        self._queue.take(holder)
        try:
            await self._write(job)
        except BaseException:
            self._release(holder)
            raise
        self._store.update(job)
        self._runner.begin(job, holder)
        return job

    def find(self, job_id: str) -> Job:
        """Look a job up; raises UnknownJob where there is none."""
        job = self._store.get(job_id)
        if job is None:
            raise errors.UnknownJob(job_id)
        return job

    def newest(self, limit: int) -> list[Job]:
        """List jobs, the newest first."""
        return self._store.newest(limit)

    def count(self) -> int:
        """Count the jobs in the store."""
        return len(self._store)

    async def _write_planned(self, job: Job, plan: JobPlan) -> None:
        """Write the plan, and then the job, which is what counts; raises NotReady."""
        try:
            await in_thread(self._store.write_plan, plan)
        except StorageError as error:
            raise errors.NotReady(error.line) from error
        await self._write(job)

    async def _write(self, job: Job) -> None:
        try:
            await in_thread(self._store.write, job)
        except StorageError as error:
            raise errors.NotReady(error.line) from error


async def _within(seconds: float, planning: asyncio.Task[JobPlan], step: Step) -> JobPlan:
    """Wait for a plan; raises NotReady, naming the step that was slow, once the seconds are over.

    A step that runs in a thread ends by itself later; the task is then not done yet.
    """
    try:
        await asyncio.wait([planning], timeout=max(seconds, 0.0))
    except asyncio.CancelledError:
        planning.cancel()
        # A thread in the clones cannot be cancelled: the slot is not free before it has ended.
        await asyncio.wait([planning])
        raise
    if planning.done():
        return planning.result()
    slow = step.name
    planning.cancel()
    await asyncio.wait([planning], timeout=CANCELLED_SECONDS)
    planning.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody awaits it
    raise errors.NotReady(f"{slow} takes too long to answer within {ANSWER_SECONDS:.0f} s; ask again later")


def _is_same(job: Job, request: EvaluateRequest, plan: JobPlan) -> bool:
    """Whether a waiting job is the very one that is asked for."""
    asked = (request.skill_name, request.replicates, plan.prompt_commit, plan.dataset_commit)
    is_alike = asked == (job.skill_name, job.replicates, job.prompt_commit, job.dataset_commit)
    # The order in which models are named is no difference: they are called in that of models.yaml.
    return is_alike and set(request.models or ()) == set(job.models or ())


def _queued(request: EvaluateRequest, plan: JobPlan, now: str) -> Job:
    return Job(
        job_id=plan.job_id,
        skill_name=request.skill_name,
        replicates=request.replicates,
        git_sha=request.git_sha,
        models=request.models,
        prompt_commit=plan.prompt_commit or "",
        dataset_commit=plan.dataset_commit,
        created_at=now,
        progress=Progress(total=plan.calls),
        documents=Documents(0, len(plan.unread)) if plan.unread else None,
        state=Queued(),
    )


def reopened(store: JobStore, job_id: str, at: str) -> tuple[Job, CurrentJob]:
    """Return a failed or cancelled job as it is published again, and the holder that its slot needs.

    Raises Refusal where there is no such job, or nothing of it can be published.
    """
    job = store.get(job_id)
    if job is None:
        raise errors.UnknownJob(job_id)
    if not isinstance(job.state, Failed | Cancelled):
        raise errors.WrongState(job_id, f"is {status_of(job)}")
    result = job.state.result
    if result is None or not jobs.has_results(result):
        raise errors.WrongState(job_id, "has no record to publish; ask for it again")
    return jobs.reopen(job, at, result.models), CurrentJob(job_id, job.skill_name, at)
