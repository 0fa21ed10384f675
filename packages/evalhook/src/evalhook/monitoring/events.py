"""Followers of jobs: each holds the set of topics that have changed since it last asked.

Its memory is bounded by the job's models, however slow the follower is. It is sent each changed topic as
it is at that moment, so that nothing that was missed has to be sent later.
"""

from __future__ import annotations

import asyncio
from typing import Final

from evalhook import errors

MOST_FOLLOWERS: Final = 64
DONE: Final = "\0done"
PROGRESS: Final = "\0progress"
"""The topics besides the names of models."""


class Follower:
    """A reader that follows one job."""

    def __init__(self) -> None:
        self._topics: dict[str, None] = {}
        self._changed = asyncio.Event()

    def touch(self, topic: str) -> None:
        """Note that a topic has changed."""
        # A dict as an ordered set: a topic that changes again before it is read keeps its place.
        self._topics[topic] = None
        self._changed.set()

    async def changes(self, seconds: float) -> list[str]:
        """Wait for changes and return them in their order; empty after so many seconds without any."""
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
    """All followers of jobs; only ever touched from the event loop."""

    def __init__(self, most: int = MOST_FOLLOWERS) -> None:
        self._most = most
        self._followers: dict[Follower, str] = {}
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._followers)

    def follow(self, job_id: str) -> Follower:
        """Follow a job, until `leave`; raises NotReady where there are too many followers."""
        if self.is_closed:
            raise errors.NotReady("the service is stopping; ask again once it is back")
        if len(self._followers) >= self._most:
            message = f"{self._most} streams of events are open already; GET /jobs/<id> shows the same"
            raise errors.NotReady(message)
        follower = Follower()
        self._followers[follower] = job_id
        return follower

    def leave(self, follower: Follower) -> None:
        """Follow no longer; nothing happens where that is so already."""
        self._followers.pop(follower, None)

    def close(self) -> None:
        """End every stream: the service stops, and waits for open answers."""
        self.is_closed = True
        for follower in list(self._followers):
            follower.touch(PROGRESS)

    def touch(self, job_id: str, topic: str) -> None:
        """Notify the followers of a job that a topic has changed."""
        for follower, followed in self._followers.items():
            if followed == job_id:
                follower.touch(topic)
