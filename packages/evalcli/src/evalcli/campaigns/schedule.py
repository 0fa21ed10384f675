"""How runs are shared out: the longest first, to whoever is free; and how long that takes."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

HOUR_S: Final = 3600.0


def longest_first(seconds: Sequence[float | None]) -> list[int]:
    """Return the places of the runs in the order in which they are begun.

    A run whose time is not known comes first: it may be the longest. Runs that take equally long keep
    their order.
    """
    return sorted(range(len(seconds)), key=lambda at: -_long(seconds[at]))


class Timed(NamedTuple):
    """A run, for the time that it takes."""

    seconds: float
    model: str = ""


class AtOnce(NamedTuple):
    """How many runs there may be at the same time."""

    runs: int
    of_a_model: int
    hourly: int | None = None
    """How many are begun within any hour; None for no limit."""


def time_of_all(
    runs: Sequence[Timed], limits: AtOnce, *, under_way: Sequence[Timed] = (), begun: Sequence[float] = ()
) -> float:
    """Return in how many seconds all runs have ended that are begun in this order, within the limits.

    `under_way` is what is left of the runs that are being done; `begun` says how long ago runs were begun.

    Each begins where one is free first (Graham's list scheduling): at most 4/3 of the shortest possible
    time where the longest are begun first, and neither a model nor an hour is waited for.
    """
    now, last = 0.0, max((run.seconds for run in under_way), default=0.0)
    going = list(under_way)
    heapq.heapify(going)
    models = Counter(run.model for run in going)
    begins = sorted(-ago for ago in begun)
    waiting = list(runs)
    while waiting:
        if limits.hourly is not None and len(begins) >= limits.hourly:
            now = max(now, begins[-limits.hourly] + HOUR_S)
        while going and going[0].seconds <= now:
            models[heapq.heappop(going).model] -= 1
        at = _first_with_room(waiting, models, limits) if len(going) < limits.runs else None
        if at is None:
            now = going[0].seconds
            continue
        run = waiting.pop(at)
        begins.append(now)
        models[run.model] += 1
        heapq.heappush(going, Timed(now + run.seconds, run.model))
        last = max(last, now + run.seconds)
    return last


def _first_with_room(waiting: Sequence[Timed], models: Mapping[str, int], limits: AtOnce) -> int | None:
    """Return the place of the first run whose model has room; None where none has."""
    return next((at for at, run in enumerate(waiting) if models[run.model] < limits.of_a_model), None)


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
