"""How runs are shared out: the longest first, to whoever is free; and how long that takes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

HOUR_S: Final = 3600.0


def longest_first(seconds: Sequence[float | None]) -> list[int]:
    """Return the places of the runs in the order in which they are begun.

    A run whose time is not known comes first: it may be the longest. Runs that take equally long keep
    their order.
    """
    return sorted(range(len(seconds)), key=lambda at: -_long(seconds[at]))


def time_of_all(
    seconds: Sequence[float],
    at_once: int,
    *,
    hourly: int | None = None,
    under_way: Sequence[float] = (),
    begun: Sequence[float] = (),
) -> float:
    """Return in how many seconds all runs have ended that are begun in this order, so many at once.

    At most `hourly` are begun within any hour. `under_way` is what is left of the runs that are being done;
    `begun` says how long ago runs were begun.

    Each begins where one is free first (Graham's list scheduling): at most 4/3 of the shortest possible
    time where the longest are begun first, and no hour is waited for.
    """
    free_at = heapq.nlargest(at_once, [*under_way, *[0.0] * at_once])
    heapq.heapify(free_at)
    begins = sorted(-ago for ago in begun)
    last = max(under_way, default=0.0)
    for one in seconds:
        begin = free_at[0]
        if hourly is not None and len(begins) >= hourly:
            begin = max(begin, begins[-hourly] + HOUR_S)
        # Never before the one ahead of it, so that they stay in order.
        begins.append(begin)
        heapq.heapreplace(free_at, begin + one)
        last = max(last, begin + one)
    return last


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
