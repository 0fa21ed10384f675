"""Figures rounded as those of records are, so that the same one reads the same everywhere."""

from __future__ import annotations

from evalcore.formats.strict_json import SIGNIFICANT_DIGITS


def figure(value: float | None) -> float | None:
    """Round to as many significant digits as a record has."""
    return None if value is None else _rounded(value)


def interval(value: tuple[float, float] | None) -> tuple[float, float] | None:
    """Round both limits to as many."""
    return None if value is None else (_rounded(value[0]), _rounded(value[1]))


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
