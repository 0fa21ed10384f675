"""Figures as people read them: percentages, intervals, money, times, ranks. A dash where there is none."""

from __future__ import annotations

import re
from typing import Final

from evalcore.formats.percent import between, percent
from evalcore.reports.charts.heat import heat_step
from evalcore.reports.dashboard.site import Interval, RankRange

NONE: Final = "–"
_LINK: Final = re.compile(r"\[([^\[\]]{0,300})\]\([^()\s]{0,300}\)")
_CENT: Final = 0.01
_SECOND: Final = 1000.0
_TEN_SECONDS: Final = 10_000.0


def share(value: float | None) -> str:
    """Write a share in [0, 1] as a percentage with one decimal."""
    return NONE if value is None else percent(value)


def interval(value: Interval | None) -> str:
    """Write an interval of shares: `85.0–92.1 %`."""
    return NONE if value is None else between(value)


def points(value: float | None) -> str:
    """Write a change of a share in percentage points, with its sign."""
    return NONE if value is None else f"{100 * value:+.1f} points".replace("-", "\N{MINUS SIGN}")


def spread(value: float | None) -> str:
    """Write a standard deviation of shares, in percentage points."""
    return NONE if value is None else f"± {100 * value:.1f}"


def cell(value: float | None) -> str:
    """Write a share in a narrow cell, in whole percents; only what is right throughout is 100."""
    if value is None:
        return NONE
    # 99.6 rounds to 100, which a reader would take for right throughout.
    return "100" if value >= 1 else f"{min(99, round(100 * value))}"


def heat(value: float | None) -> str:
    """Return the class of a cell's colour; empty where there is no figure."""
    return "" if value is None else f"heat-{heat_step(value)}"


def usd(value: float | None) -> str:
    """Write an amount in USD: two places, or two digits of what is less than a cent."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    return f"{value:,.2f}" if value >= _CENT else f"{value:.2g}"


def seconds(milliseconds: float | None) -> str:
    """Write a time in milliseconds as people say it: `340 ms`, `2.1 s`, `34 s`."""
    if milliseconds is None:
        return NONE
    if milliseconds < _SECOND:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / _SECOND:.{1 if milliseconds < _TEN_SECONDS else 0}f} s"


def rank(value: RankRange | None) -> str:
    """Write a range of ranks: `1`, or `1–3` where the replies leave several open."""
    if value is None:
        return NONE
    best, worst = value
    return f"{best}" if best == worst else f"{best}–{worst}"


def plain_words(text: str) -> str:
    """Return a text of Markdown as its words: links as what they say, code without its marks."""
    return _LINK.sub(r"\1", text).replace("`", "")


def day(moment: str | None) -> str:
    """Return the day of a moment in UTC."""
    return NONE if moment is None else moment[:10]


def count(value: int) -> str:
    """Write a number with its thousands apart."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """Write a number with its noun, which is in the plural unless there is one of it."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{value:,} {noun if value == 1 else plural}"
