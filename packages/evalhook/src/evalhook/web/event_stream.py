"""`GET /jobs/<id>/events`: a job as server-sent events, each whole, so that a reader may begin anywhere.

`progress` (a JobProgress, or the bare counts of a job that does not run), `model` (a ModelProgress), and
at the end `done` (the job as `GET /jobs/<id>` shows it), after which the stream ends.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from itertools import count
from typing import Final

import msgspec

from evalhook.errors import UnknownJob
from evalhook.jobs import Job
from evalhook.monitoring.events import DONE, PROGRESS, EventHub
from evalhook.monitoring.live import Live
from evalhook.web import schemas

# Well within the 60 s without a byte after which Caddy ends an answer (docker/Caddyfile).
HEARTBEAT_SECONDS: Final = 15.0
"""A comment line keeps proxies from closing a silent stream."""
MIN_SECONDS_BETWEEN: Final = 0.2
RETRY_MS: Final = 3000
# The second is for nginx, which would otherwise collect events before it passes them on.
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class JobEvents:
    """A job's events until it ends, for one reader, who has a place among the followers from now on.

    The place is taken before the answer begins, so that one too many is refused in words; it is free again
    when the stream ends, and when it was never begun.
    """

    def __init__(
        self,
        job_id: str,
        hub: EventHub,
        live: Live,
        find: Callable[[str], Job],
        client: str,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        """Raise NotReady where there are too many readers."""
        self._job_id = job_id
        self._hub = hub
        self._live = live
        self._find = find
        self._heartbeat = heartbeat
        self._follower = hub.follow(job_id, client)
        # A reader who leaves before the first byte never begins the stream.
        weakref.finalize(self, hub.leave, self._follower)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the events."""
        try:
            async with aclosing(self._events()) as events:
                async for event in events:
                    yield event
        finally:
            self._hub.leave(self._follower)

    async def _events(self) -> AsyncGenerator[bytes, None]:
        numbers = count(1)
        yield f"retry: {RETRY_MS}\n\n".encode()
        running = self._live.get(self._job_id)
        # A reader begins with every model as it is now: nothing of what was sent before is stored for it.
        topics = [PROGRESS, *(model.model for model in running.models())] if running else [PROGRESS]
        while True:
            try:
                job = self._find(self._job_id)
            except UnknownJob:
                return  # it was dropped meanwhile
            for topic in topics:
                if topic != DONE and not job.is_finished:
                    yield _event(next(numbers), topic, job, self._live)
            if job.is_finished:
                yield _encode(next(numbers), "done", schemas.view(job))
                return
            # Between two looks changes gather, so that a fast job is not a flood of events.
            await asyncio.sleep(MIN_SECONDS_BETWEEN)
            topics = await self._follower.changes(self._heartbeat)
            # Looked at before the next events: a service that stops waits for open answers.
            if self._hub.is_closed or self._follower.is_ended:
                return
            if not topics:
                yield b": still here\n\n"


def _event(number: int, topic: str, job: Job, live: Live) -> bytes:
    running = live.get(job.job_id)
    model = running.model(topic) if running is not None else None
    if model is not None:
        return _encode(number, "model", model)
    return _encode(number, "progress", running.progress() if running is not None else job.progress)


def _encode(number: int, name: str, value: object) -> bytes:
    # JSON has no line break outside its escapes, so that a text cannot end its event early.
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), msgspec.json.encode(value))
