"""Who follows a job: each follower holds the set of topics that changed since it last looked.

What is kept per follower is bounded by the job's models, however slow the follower is; what it is then
sent is each topic as it is at that moment. So nobody has to be sent what was missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from evalhook import errors

MOST_FOLLOWERS: Final = 64
DONE: Final = "\0done"
PROGRESS: Final = "\0progress"
"""The topics besides the names of models."""


class Follower:
    """One who follows one job."""

    def __init__(self) -> None:
        self._topics: dict[str, None] = {}
        self._changed = asyncio.Event()

    def touch(self, topic: str) -> None:
        """Note that a topic has changed."""
        self._topics[topic] = None
        self._changed.set()

    async def changes(self, seconds: float) -> list[str]:
        """Wait for changes and take them, in their order; empty where there are none for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return []
        taken = list(self._topics)
        self._topics.clear()
        self._changed.clear()
        return taken


class EventHub:
    """All who follow jobs; only ever touched from the event loop."""

    def __init__(self, most: int = MOST_FOLLOWERS) -> None:
        self._most = most
        self._followers: dict[Follower, str] = {}
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._followers)

    @contextmanager
    def following(self, job_id: str) -> Iterator[Follower]:
        """Follow a job; raises NotReady where too many do."""
        self.require_place()
        follower = Follower()
        self._followers[follower] = job_id
        try:
            yield follower
        finally:
            del self._followers[follower]

    def require_place(self) -> None:
        """Raise NotReady where no one more may follow."""
        if self.is_closed:
            raise errors.NotReady("the service is stopping; ask again once it is back")
        if len(self._followers) >= self._most:
            message = f"{self._most} streams of events are open already; GET /jobs/<id> shows the same"
            raise errors.NotReady(message)

    def close(self) -> None:
        """End every stream, for the service stops and waits for open answers."""
        self.is_closed = True
        for follower in list(self._followers):
            follower.touch(PROGRESS)

    def touch(self, job_id: str, topic: str) -> None:
        """Tell the followers of a job that a topic has changed."""
        for follower, followed in self._followers.items():
            if followed == job_id:
                follower.touch(topic)
