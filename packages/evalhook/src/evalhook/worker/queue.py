"""The single slot: held from the first look at a request's subject to the end of its job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evalhook import errors
from evalhook.errors import CurrentJob
from evalhook.jobs import Job


class Slot:
    """At most one holder at a time; only ever touched from the event loop."""

    def __init__(self) -> None:
        self._holder: CurrentJob | None = None
        self._is_closed = False

    @property
    def holder(self) -> CurrentJob | None:
        """Who holds it."""
        return self._holder

    def take(self, holder: CurrentJob) -> None:
        """Take the slot; raises the 409 while another holds it, the 503 while the service stops."""
        if self._is_closed:
            raise errors.NotReady("the service is stopping; ask again once it is back")
        if self._holder is not None:
            raise errors.Busy(self._holder)
        self._holder = holder

    def release(self, holder: CurrentJob) -> None:
        """Give the slot back; nothing happens where another holds it."""
        if self._holder == holder:
            self._holder = None

    def close(self) -> None:
        """Give it to nobody any more."""
        self._is_closed = True


class Line:
    """Only ever touched from the event loop."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: list[str] = []
        self._reserved = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def has_places(self) -> bool:
        """Whether jobs may wait at all."""
        return self._places > 0

    @property
    def is_full(self) -> bool:
        """Whether no more job may wait."""
        return len(self._waiting) + self._reserved >= self._places

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold a place while a request is being checked."""
        self._reserved += 1
        try:
            yield
        finally:
            self._reserved -= 1

    def add(self, job: Job) -> None:
        """Let a job wait, behind all others."""
        self._waiting.append(job.job_id)

    def remove(self, job_id: str) -> bool:
        """Take a job out; says whether it waited."""
        if job_id not in self._waiting:
            return False
        self._waiting.remove(job_id)
        return True

    def next(self) -> str | None:
        """Take out the job whose turn it is."""
        return self._waiting.pop(0) if self._waiting else None

    def position(self, job_id: str) -> int | None:
        """From 1; None for a job that does not wait."""
        return self._waiting.index(job_id) + 1 if job_id in self._waiting else None

    def jobs(self) -> tuple[str, ...]:
        """All who wait, in order."""
        return tuple(self._waiting)
