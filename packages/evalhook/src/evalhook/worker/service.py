"""The service's use cases, each a method: what a route calls after it has read its request."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from evalcore.effects import Effects
from evalcore.errors import StorageError
from evalcore.runs.plan import JobPlan
from evalhook import errors, jobs
from evalhook.errors import CurrentJob
from evalhook.jobs import Cancelled, EvaluateRequest, Failed, Job, Progress, Queued, status_of
from evalhook.storage.space import FreeSpace
from evalhook.storage.store import JobStore
from evalhook.threads import in_thread
from evalhook.worker.intake import Intake
from evalhook.worker.queue import Line, Slot
from evalhook.worker.runner import Worker, timestamp

CLONES_SECONDS: Final = 30.0
"""How long a request waits for the clones while results are committed back from one of them."""


class Service:
    """Accepts jobs and shows them."""

    def __init__(
        self,
        *,
        store: JobStore,
        slot: Slot,
        line: Line,
        intake: Intake,
        worker: Worker,
        effects: Effects,
        space: FreeSpace,
        clones: asyncio.Lock,
    ) -> None:
        self._store = store
        self._slot = slot
        self._line = line
        self._clones = clones
        self._intake = intake
        self._worker = worker
        self._effects = effects
        self._space = space

    async def accept(self, request: EvaluateRequest) -> Job:
        """Take the slot, check the request against the world, and begin its job; raises Refusal.

        Where another holds the slot and jobs may wait, it waits in line.
        """
        if self._slot.holder is not None and self._line.has_places:
            return await self._wait_in_line(request)
        now = timestamp(self._effects.now())
        holder = CurrentJob(job_id=self._effects.new_id(), skill=request.skill_name, started_at=now)
        self._slot.take(holder)
        try:
            plan = await self._plan(request, holder.job_id)
            job = _queued(request, plan, now)
            await self._keep(job, plan)
        except BaseException:
            # Whatever ended the intake, a cancelled request included, it must not keep the slot.
            self._slot.release(holder)
            self._worker.next()
            raise
        self._store.show(job)
        self._worker.begin(job, holder, plan)
        return self.find(job.job_id)

    async def _wait_in_line(self, request: EvaluateRequest) -> Job:
        now = timestamp(self._effects.now())
        if self._line.is_full:
            self._slot.take(CurrentJob(job_id="", skill="", started_at=now))  # raises the 409
        with self._line.reserved():
            plan = await self._plan(request, self._effects.new_id())
            twin = next(
                (job for job in map(self.find, self._line.jobs()) if _is_twin(job, request, plan)), None
            )
            if twin is not None:
                return twin
            job = _queued(request, plan, now)
            await self._keep(job, plan)
            self._store.show(job)
            self._line.add(job)
        self._worker.next()  # the slot may have fallen free meanwhile
        return self.find(job.job_id)

    async def _plan(self, request: EvaluateRequest, job_id: str) -> JobPlan:
        self._space.require()
        try:
            async with asyncio.timeout(CLONES_SECONDS):
                await self._clones.acquire()
        except TimeoutError:
            raise errors.NotReady("results are being committed back; ask again in a minute") from None
        try:
            plan = await self._intake.plan(request, job_id)
        finally:
            self._clones.release()
        self._space.require(plan.calls)
        # Known before their folders are made, so that a restart finds what was begun.
        run_ids = {model.id: self._effects.new_id() for model in plan.models}
        return msgspec.structs.replace(plan, run_ids=run_ids)

    def position(self, job: Job) -> int | None:
        """The job's place in line, from 1; None for one that does not wait."""
        return self._line.position(job.job_id)

    async def cancel(self, job_id: str) -> Job:
        """End a job; raises Refusal where there is none, or it has ended already."""
        job = self.find(job_id)
        if job.is_finished:
            raise errors.WrongState(job_id, f"is {status_of(job)}")
        return await self._worker.cancel(job)

    async def publish(self, job_id: str) -> Job:
        """Publish what a failed or cancelled job has; raises Refusal."""
        job, holder = reopened(self._store, job_id, timestamp(self._effects.now()))
        self._slot.take(holder)
        try:
            await self._write(job)
        except BaseException:
            self._slot.release(holder)
            self._worker.next()
            raise
        self._store.show(job)
        self._worker.begin(job, holder)
        return job

    def find(self, job_id: str) -> Job:
        """Look a job up; raises Refusal where there is none."""
        job = self._store.get(job_id)
        if job is None:
            raise errors.UnknownJob(job_id)
        return job

    def newest(self, limit: int) -> list[Job]:
        """List jobs, the newest first."""
        return self._store.newest(limit)

    def count(self) -> int:
        """Count the jobs that are kept."""
        return len(self._store)

    async def _keep(self, job: Job, plan: JobPlan) -> None:
        """Let the disk have the plan, and then the job, which is what counts."""
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


def _is_twin(job: Job, request: EvaluateRequest, plan: JobPlan) -> bool:
    """Whether a waiting job is the very one that is asked for."""
    asked = (request.skill_name, request.replicates, plan.prompt_commit, plan.dataset_commit)
    return asked == (job.skill_name, job.replicates, job.prompt_commit, job.dataset_commit)


def _queued(request: EvaluateRequest, plan: JobPlan, now: str) -> Job:
    return Job(
        job_id=plan.job_id,
        skill_name=request.skill_name,
        replicates=request.replicates,
        git_sha=request.git_sha,
        prompt_commit=plan.prompt_commit or "",
        dataset_commit=plan.dataset_commit,
        created_at=now,
        progress=Progress(total=plan.calls),
        state=Queued(),
    )


def reopened(store: JobStore, job_id: str, at: str) -> tuple[Job, CurrentJob]:
    """Return the job as it goes on and how it holds the slot; raises Refusal where it may not."""
    job = store.get(job_id)
    if job is None:
        raise errors.UnknownJob(job_id)
    if not isinstance(job.state, Failed | Cancelled):
        raise errors.WrongState(job_id, f"is {status_of(job)}")
    result = job.state.result
    if result is None or not jobs.has_results(result):
        raise errors.WrongState(job_id, "has no record to publish; ask for it again")
    return jobs.reopen(job, at, result.models), CurrentJob(job_id, job.skill_name, at)
