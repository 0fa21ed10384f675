"""Who waits for the slot, in order: at most so many new jobs, and those that a restart has to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evalhook.jobs import Job


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
