"""Figures rounded as those of records are, so that the same one reads the same everywhere."""

from __future__ import annotations

from evalcore.formats.strict_json import SIGNIFICANT_DIGITS


def figure(value: float | None) -> float | None:
    """Round to nine significant digits."""
    return None if value is None else float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def interval(value: tuple[float, float] | None) -> tuple[float, float] | None:
    """Round both limits."""
    return None if value is None else (float(f"{value[0]:.9g}"), float(f"{value[1]:.9g}"))
