"""The sums and ranks that every figure is made with; exact, and the same in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def mean(values: Iterable[float]) -> float | None:
    """Return the arithmetic mean (`math.fsum`, so order does not matter); None of nothing."""
    items = list(values)
    return math.fsum(items) / len(items) if items else None


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return a percentile, linear between the two nearest ranks (Hyndman & Fan 1996, type 7)."""
    items = sorted(values)
    if not items:
        return None
    position = (len(items) - 1) * percent / 100
    low = math.floor(position)
    high = min(low + 1, len(items) - 1)
    return items[low] + (items[high] - items[low]) * (position - low)


def mean_by_field(tables: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return per field the mean over the tables that have it, sorted by field."""
    columns: dict[str, list[float]] = {}
    for table in tables:
        for field, value in table.items():
            columns.setdefault(field, []).append(value)
    # Sorted, so that records of the same replies are the same bytes.
    return {field: math.fsum(column) / len(column) for field, column in sorted(columns.items())}


def deviation(groups: Iterable[Sequence[float]]) -> float | None:
    """Return the standard deviation of values about the mean of their group, over all groups.

    The square root of the sum of squares by the degrees of freedom; None where no group has two values.
    """
    squares: list[float] = []
    freedom = 0
    for group in groups:
        middle = math.fsum(group) / len(group) if group else 0.0
        squares += [(value - middle) ** 2 for value in group]
        freedom += max(0, len(group) - 1)
    return math.sqrt(math.fsum(squares) / freedom) if freedom else None
