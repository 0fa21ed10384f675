"""Followers of jobs: each holds the set of topics that have changed since it last asked.

Its memory is bounded by the job's models, however slow the follower is. It is sent each changed topic as
it is at that moment, so that nothing that was missed has to be sent later.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from evalhook import errors

# Each holds a connection for as long as it likes: a tenth of those that there may be (security.connections).
MOST_FOLLOWERS: Final = 64
# With a NUL, which no model of a YAML file has in its name.
DONE: Final = "\0done"
PROGRESS: Final = "\0progress"
"""The topics besides the names of models."""


class Follower:
    """A reader that follows one job."""

    def __init__(self, job_id: str, client: str) -> None:
        self.job_id = job_id
        self.client = client
        self.is_ended = False
        """Whether its stream is to end: its place is another's."""
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
        # A dict as an ordered set, the one that has followed longest first.
        self._followers: dict[Follower, None] = {}
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._followers)

    def follow(self, job_id: str, client: str) -> Follower:
        """Follow a job, until `leave`, as a reader at that address.

        Where all places are taken, the address with the most gives its oldest one up, as long as it is left
        with no fewer than the new reader's: nobody alone can keep the others out. Raises NotReady where no
        address has so many.
        """
        if self.is_closed:
            raise errors.NotReady("the service is stopping; ask again once it is back")
        if len(self._followers) >= self._most and not self._make_room(client):
            message = f"{self._most} streams of events are open already; GET /jobs/<id> shows the same"
            raise errors.NotReady(message)
        follower = Follower(job_id, client)
        self._followers[follower] = None
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
        for follower in self._followers:
            if follower.job_id == job_id:
                follower.touch(topic)

    def _make_room(self, client: str) -> bool:
        held = Counter(follower.client for follower in self._followers)
        ((greediest, most),) = held.most_common(1)
        if most - 1 <= held[client]:
            return False
        oldest = next(follower for follower in self._followers if follower.client == greediest)
        self.leave(oldest)
        oldest.is_ended = True
        oldest.touch(PROGRESS)
        return True
