"""Which kept jobs go: a pure decision over what is kept, the clock and the limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from evalcore.structs import Frozen
from evalhook.jobs import Failed, Job

Why = Literal["age", "size"]


class Kept(Frozen, frozen=True):
    """A job that is kept, or runs whose job is gone, with the room they take."""

    job_id: str
    ended: datetime | None
    """None while it has not ended."""
    may_go: bool
    size: int
    """Bytes."""
    only_by_age: bool = False
    """Whether it is never given up for room."""


class Removal(Frozen, frozen=True):
    """One that goes, and why."""

    job_id: str
    why: Why
    size: int


def may_go(job: Job) -> bool:
    """Whether nothing would be lost that is nowhere else: no job before its end, nor unpublished results."""
    state = job.state
    if not job.is_finished:
        return False
    rows = state.result.models if isinstance(state, Failed) and state.result is not None else ()
    return all(row.status == "skipped" for row in rows)


def choose(kept: Sequence[Kept], now: datetime, days: int, most_bytes: int) -> list[Removal]:
    """Choose those past their time, and of the rest the oldest, until what stays is small enough."""
    removals: list[Removal] = []
    left = sum(item.size for item in kept)
    oldest_first = sorted(
        (item for item in kept if item.may_go and item.ended is not None),
        key=lambda item: (item.ended or now, item.job_id),
    )
    for item in oldest_first:
        is_old = item.ended is not None and now - item.ended > timedelta(days=days)
        if is_old or (left > most_bytes and not item.only_by_age):
            removals.append(Removal(item.job_id, "age" if is_old else "size", item.size))
            left -= item.size
    return removals
