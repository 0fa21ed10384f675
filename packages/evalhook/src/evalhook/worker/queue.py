"""The queue of jobs: one job at a time holds the slot, the others wait for it in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evalhook import errors
from evalhook.errors import CurrentJob
from evalhook.jobs import Job


class JobQueue:
    """The slot and the jobs that wait for it; only ever touched from the event loop.

    The slot is held from the first check of a request against the clones to the end of its job.
    `places` is how many jobs may wait; with 0, a request that finds the slot held is refused.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: list[str] = []
        # Places of requests that are still being checked: without them two could get the last one.
        self._reserved = 0
        self._holder: CurrentJob | None = None
        self._is_closed = False

    @property
    def holder(self) -> CurrentJob | None:
        """The job that holds the slot; None while it is free."""
        return self._holder

    def take(self, holder: CurrentJob) -> None:
        """Take the slot; raises Busy while another job holds it, NotReady while the service stops."""
        if self._is_closed:
            raise errors.NotReady("the service is stopping; ask again once it is back")
        if self._holder is not None:
            raise errors.Busy(self._holder)
        self._holder = holder

    def release(self, holder: CurrentJob) -> None:
        """Free the slot; does nothing where another job holds it."""
        # A late release, of a request whose checks ended after its answer, must not free another's slot.
        if self._holder == holder:
            self._holder = None

    def close(self) -> None:
        """Refuse the slot to every job from now on."""
        self._is_closed = True

    @property
    def has_places(self) -> bool:
        """Whether jobs may wait at all."""
        return self._places > 0

    @property
    def is_full(self) -> bool:
        """Whether no further job may wait."""
        return len(self._waiting) + self._reserved >= self._places

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Reserve a place while a request is being checked."""
        self._reserved += 1
        try:
            yield
        finally:
            self._reserved -= 1

    def add(self, job: Job) -> None:
        """Let a job wait behind all others."""
        self._waiting.append(job.job_id)

    def remove(self, job_id: str) -> bool:
        """Remove a waiting job; returns whether it was waiting."""
        if job_id not in self._waiting:
            return False
        self._waiting.remove(job_id)
        return True

    def pop(self) -> str | None:
        """Remove and return the first waiting job; None where none waits."""
        return self._waiting.pop(0) if self._waiting else None

    def position(self, job_id: str) -> int | None:
        """A job's position among those that wait, from 1; None for one that does not wait."""
        return self._waiting.index(job_id) + 1 if job_id in self._waiting else None

    def waiting(self) -> tuple[str, ...]:
        """The ids of the jobs that wait, in order."""
        return tuple(self._waiting)
