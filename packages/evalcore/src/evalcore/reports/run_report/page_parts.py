"""What the Markdown pages of reports are put together from: tables, inline code, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from evalcore.formats.markdown_text import CELL, escape_markdown
from evalcore.formats.percent import between, percent
from evalcore.reports.run_report.summary import WHOLE, Percentiles

MOST_SHOWN: Final = 15
"""Rows of a table."""
LONGEST_VALUE: Final = 170
"""Characters of a value that is quoted."""
NONE: Final = "–"
"""What stands where there is no figure, and no text."""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table; the cells are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def order_of(rows: Sequence[object], shown: int, order: str = "worst") -> str:
    """Say in which order a table's rows stand, and how many there are where not all are shown."""
    return f"{order} first" if len(rows) <= shown else f"the {shown} {order} of {len(rows)}"


def code(text: str | None, limit: int = CELL) -> str:
    """Show a foreign text as inline code, of at most `limit` characters."""
    return NONE if text is None else escape_markdown(text, limit)


def place(path: str) -> str:
    """Name a place in an answer."""
    return "the answer itself" if path == WHOLE else code(path)


def bold(text: str) -> str:
    """Show a text of ours in bold."""
    return f"**{text}**"


def fenced(lines: Sequence[str]) -> str:
    """Show lines as a block of shell commands."""
    return "\n".join(["```bash", *lines, "```"])


def share(value: float | None) -> str:
    """A share from 0 to 1 in per cent."""
    return NONE if value is None else percent(value)


def interval(limits: tuple[float, float] | None) -> str:
    """The 95 % interval of a share, to stand behind it; empty where there is none."""
    return "" if limits is None else f" (95 % interval {between(limits)})"


def part_of(part: int, whole: int) -> str:
    """A count of a whole, and its share."""
    return f"{part}/{whole} ({percent(part / whole)})" if whole else "0/0"


def spread(found: Percentiles, unit: float = 1, name: str = "", digits: int = 0) -> str:
    """The percentiles that are known, in units of `unit`."""
    facts: Mapping[str, float | None] = {
        "p50": found.p50,
        "p95": found.p95,
        "min": found.min,
        "max": found.max,
    }
    said = [f"{key} {value / unit:.{digits}f}{name}" for key, value in facts.items() if value is not None]
    return ", ".join(said) or "not known"
