"""Shares from 0 to 1 as percentages, written in one way wherever people read them: `88.0 %`."""

from __future__ import annotations


def percent(share: float) -> str:
    """Write a share with one decimal, so that figures below each other compare.

    Only 1 is written as 100 %, and only 0 as 0 %: what is nearly so is not said to be so.
    """
    return f"{_figure(share)} %"


def around(limits: tuple[float, float] | None) -> str:
    """Write the limits of a share's interval, to stand behind it: ` (80.1 to 92.0)`; empty for none."""
    return "" if limits is None else f" ({_figure(limits[0])} to {_figure(limits[1])})"


def between(limits: tuple[float, float]) -> str:
    """Write the limits of a share's interval alone: `80.1–92.0 %`."""
    return f"{_figure(limits[0])}–{_figure(limits[1])} %"


def short_percent(share: float) -> str:
    """Write a share with a decimal only where it is none of whole percents, as beside an axis."""
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def whole_percent(share: float) -> str:
    """Write a share in whole percents; what is nearly none or all of it is `under 1 %`, `over 99 %`."""
    text = f"{100 * share:.0f}"
    if text == "100" and share < 1:
        text = "over 99"
    elif text == "0" and share > 0:
        text = "under 1"
    return f"{text} %"


def _figure(share: float) -> str:
    rounded = round(100 * share, 1)
    if share < 1:
        rounded = min(rounded, 99.9)
    if share > 0:
        rounded = max(rounded, 0.1)
    return f"{rounded:.1f}"
