"""`GET /jobs/<id>/events`: a job as server-sent events, each whole, so that a reader may begin anywhere.

`progress` (a JobProgress, or the bare counts of a job that does not run), `model` (a ModelProgress), and
at the end `done` (the job as `GET /jobs/<id>` shows it), after which the stream ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Final

import msgspec

from evalhook.jobs import Job
from evalhook.monitoring.events import DONE, PROGRESS, EventHub
from evalhook.monitoring.live import Live
from evalhook.web import schemas

HEARTBEAT_SECONDS: Final = 15.0
"""A comment line keeps proxies from closing a silent stream."""
MIN_SECONDS_BETWEEN: Final = 0.2
RETRY_MS: Final = 3000
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(
    job_id: str, hub: EventHub, live: Live, find: Callable[[str], Job], heartbeat: float = HEARTBEAT_SECONDS
) -> AsyncIterator[bytes]:
    """Yield a job's events until it ends."""
    with hub.following(job_id) as follower:
        numbers = count(1)
        yield f"retry: {RETRY_MS}\n\n".encode()
        running = live.get(job_id)
        topics = [PROGRESS, *(model.model for model in running.models())] if running else [PROGRESS]
        while True:
            job = find(job_id)
            for topic in topics:
                if topic != DONE and not job.is_finished:
                    yield _event(next(numbers), topic, job, live)
            if job.is_finished:
                yield _encode(next(numbers), "done", schemas.view(job))
                return
            # Between two looks changes gather, so that a fast job is not a flood of events.
            await asyncio.sleep(MIN_SECONDS_BETWEEN)
            topics = await follower.changes(heartbeat)
            if hub.is_closed:
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
