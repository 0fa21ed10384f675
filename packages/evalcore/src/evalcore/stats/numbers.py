"""The sums and ranks that every figure is made with; exact, and the same in any order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping


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
