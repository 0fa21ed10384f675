"""The service's use cases, each a method: what a route calls after it has read its request."""

from __future__ import annotations

from evalcore.effects import Effects
from evalcore.errors import StorageError
from evalcore.plan import JobPlan
from evalhook import problems
from evalhook.intake import Intake
from evalhook.jobs import Job, Progress, Queued
from evalhook.problems import CurrentJob
from evalhook.schemas import EvaluateRequest
from evalhook.slot import Slot
from evalhook.space import FreeSpace
from evalhook.store import JobStore
from evalhook.threads import in_thread
from evalhook.worker import Worker, timestamp


class Service:
    """Accepts jobs and shows them."""

    def __init__(
        self,
        *,
        store: JobStore,
        slot: Slot,
        intake: Intake,
        worker: Worker,
        effects: Effects,
        space: FreeSpace,
    ) -> None:
        self._store = store
        self._slot = slot
        self._intake = intake
        self._worker = worker
        self._effects = effects
        self._space = space

    async def accept(self, request: EvaluateRequest) -> Job:
        """Take the slot, check the request against the world, and begin its job; raises Problem."""
        now = timestamp(self._effects.now())
        holder = CurrentJob(job_id=self._effects.new_id(), skill=request.skill_name, started_at=now)
        self._slot.take(holder)
        try:
            self._space.require()
            plan = await self._intake.plan(request, holder.job_id)
            self._space.require(plan.calls)
            job = _queued(request, plan, now)
            await self._keep(job)
        except BaseException:
            # Whatever ended the intake, a cancelled request included, it must not keep the slot.
            self._slot.release(holder)
            raise
        self._store.show(job)
        self._worker.begin(job, plan, holder)
        return job

    def find(self, job_id: str) -> Job:
        """Look a job up; raises Problem where there is none."""
        job = self._store.get(job_id)
        if job is None:
            raise problems.unknown_job(job_id)
        return job

    def newest(self, limit: int) -> list[Job]:
        """List jobs, the newest first."""
        return self._store.newest(limit)

    def count(self) -> int:
        """Count the jobs that are kept."""
        return len(self._store)

    async def _keep(self, job: Job) -> None:
        try:
            await in_thread(self._store.write, job)
        except StorageError as error:
            raise problems.not_ready(error.line) from error


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
