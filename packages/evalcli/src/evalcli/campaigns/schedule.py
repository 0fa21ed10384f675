"""How runs are shared out: the longest first, to whoever is free; and how long that takes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta


def longest_first(seconds: Sequence[float | None]) -> list[int]:
    """Return the places of the runs in the order in which they are begun.

    A run whose time is not known comes first: it may be the longest. Runs that take equally long keep
    their order.
    """
    return sorted(range(len(seconds)), key=lambda at: -_long(seconds[at]))


def time_of_all(seconds: Sequence[float], at_once: int) -> float:
    """Return how long runs take, begun in this order, so many at once, in the unit of `seconds`.

    Each begins where one is free first (Graham's list scheduling): at most 4/3 of the shortest possible
    time where the longest are begun first.
    """
    ends = [0.0] * max(1, min(at_once, len(seconds)))
    for one in seconds:
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)


def moment_after(now: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds after another, or the last that there is where it is beyond that.

    How long a run takes is by records, which may say anything.
    """
    try:
        return now + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=now.tzinfo)


def _long(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds
