"""Open results are refreshed at the start, every so often, and whenever a job starts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from evalcore.errors import RepositoryError
from evalhook.jobs import Job, Progress, Queued
from evalhook.worker.refresh import PeriodicRefresh
from evalsim.testing import make_job_plan

JOB = Job(
    job_id="job", skill_name="memo", replicates=1, git_sha=None, prompt_commit="a" * 40,
    dataset_commit=None, created_at="2026-01-01T00:00:00Z", progress=Progress(), state=Queued(),
)  # fmt: skip


class Turns:
    """Counts refreshes; `sleep` ends when the test lets it."""

    def __init__(self) -> None:
        self.times = 0
        self.slept: list[float] = []
        self.wake = asyncio.Event()
        self.error: RepositoryError | None = None

    def refresh(self) -> Sequence[str]:
        self.times += 1
        if self.error is not None:
            raise self.error
        return []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.wake.wait()
        self.wake.clear()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(20):
            while self.times < times or len(self.slept) < times:  # noqa: ASYNC110 - the refresh is in a thread
                await asyncio.sleep(0)


def test_time_and_jobs_bring_a_refresh_and_a_failure_ends_nothing() -> None:
    async def story() -> None:
        turns = Turns()
        periodic = PeriodicRefresh(turns.refresh, 600, turns.sleep)
        task = asyncio.create_task(periodic.run())
        await turns.until(1)
        turns.error = RepositoryError("GitHub is away")
        turns.wake.set()
        await turns.until(2)
        periodic.job_started(JOB, make_job_plan())
        await turns.until(3)
        periodic.job_ended(JOB)
        assert set(turns.slept) == {600}
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(story())
