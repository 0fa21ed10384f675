"""Everything that watches jobs, made from the settings: for the status page, GitHub, Prometheus, the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from evalcore.effects import Effects
from evalhook.jobs import Job, Publishing, Queued
from evalhook.keeping.retention import may_go
from evalhook.keeping.space import GB
from evalhook.keeping.store import JobStore
from evalhook.keeping.sweep import Limits, Sweeper
from evalhook.neighbours import open_reports
from evalhook.settings import Settings
from evalhook.slot import Slot
from evalhook.watching.audience import Audience, Listener
from evalhook.watching.call_log import CallLog
from evalhook.watching.events import EventHub
from evalhook.watching.live import Live
from evalhook.watching.metrics import Metrics, serving_metrics
from evalhook.watching.telling import Teller


def _is_stalled(job: Job) -> bool:
    return job.attention is not None and job.attention.code == "stalled"


FIGURES: Final[tuple[tuple[str, str, Callable[[Job], bool]], ...]] = (
    ("evalhook_queue_length", "Jobs that wait for the slot", lambda job: isinstance(job.state, Queued)),
    ("evalhook_outbox_length", "Jobs being published", lambda job: isinstance(job.state, Publishing)),
    (
        "evalhook_unpublished_jobs",
        "Jobs whose results could not be published and are kept",
        lambda job: job.is_finished and not may_go(job),
    ),
    ("evalhook_job_stalled", "Whether the running job makes no progress", _is_stalled),
)


class Told:
    """Those who are told of jobs, and what they do beside the loop of requests."""

    def __init__(
        self, settings: Settings, store: JobStore, slot: Slot, effects: Effects, hub: EventHub
    ) -> None:
        self._store = store
        self._metrics_bind = settings.metrics_bind
        self.hub = hub
        self.live = Live(self.hub, effects.monotonic)
        self.metrics = Metrics(slot=slot, live=self.live, state_dir=settings.state_dir)
        self._sweeper = Sweeper(
            store,
            settings.jobs_dir,
            settings.runs_dir,
            Limits(days=settings.retention_days, most_bytes=settings.max_state_gb * GB),
            now=effects.now,
            swept=self.metrics.swept,
        )
        reports = open_reports(settings)
        self._teller = (
            None if reports is None else Teller(settings.untold_dir, store.get, reports, settings.public_url)
        )
        teller = self._teller
        self.metrics.gauge(
            "evalhook_untold_jobs",
            "Jobs whose end GitHub is still to be told",
            lambda: 0 if teller is None else teller.untold,
        )
        for name, text, counts in FIGURES:
            self.metrics.gauge(name, text, partial(_count, store, counts))
        listeners: list[Listener] = [
            self.live,
            self.metrics,
            self._sweeper,
            CallLog(),
            *([] if teller is None else [teller]),
        ]
        self.audience = Audience(listeners)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Sweep, tell GitHub and serve the metrics meanwhile.

        Raises ConfigurationError where the metrics' address is taken.
        """
        self.metrics.recall(self._store.all())
        with serving_metrics(self.metrics, self._metrics_bind):
            tasks = [asyncio.create_task(self._sweeper.run())]
            if self._teller is not None:
                tasks.append(asyncio.create_task(self._teller.run()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)


def _count(store: JobStore, counts: Callable[[Job], bool]) -> float:
    return sum(counts(job) for job in store.all())
