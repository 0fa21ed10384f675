"""What is shown: standard output holds results, standard error everything else.

Names and messages come from files and models: they are escaped here, so that nothing they hold can
move a cursor, colour a line or pass for our own words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, TypeAlias

from evalcore.structs import Frozen

MAX_SHOWN: Final = 300


_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


_WORKFLOW_COMMAND: Final = re.compile(r"^\s*:(?=:)|##(?=\[)")
"""What would begin an order to GitHub's runner, which reads the log; its last character is escaped."""


class Table(Frozen, frozen=True):
    """A table before it is shown; cells may hold anything."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    """Headings of the columns that are aligned to the right."""
    title: str = ""


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """Return text on one line, bounded, with control and invisible characters written as escapes.

    So is what would make it an order to the runner of GitHub Actions.
    """
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    if not (cut.isascii() and cut.isprintable()):
        cut = "".join(_escaped(character) for character in cut)
    return _WORKFLOW_COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", cut)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode()


def plain_table(table: Table) -> str:
    """Lay a table out as aligned columns, two spaces apart, nothing cut."""
    lines = [tuple(shown(cell) for cell in row) for row in (table.headings, *table.rows)]
    widths = [max(_width(row[column]) for row in lines) for column in range(len(table.headings))]
    right = [heading in table.numeric for heading in table.headings]
    text = f"{shown(table.title)}\n" if table.title else ""
    for row in lines:
        cells = (_padded(*cell) for cell in zip(row, widths, right, strict=True))
        text += "  ".join(cells).rstrip() + "\n"
    return text


def _padded(cell: str, width: int, is_right: bool) -> str:  # noqa: FBT001 - zipped from columns
    space = " " * (width - _width(cell))
    return space + cell if is_right else cell + space


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def figure(value: float | None) -> str:
    """Write a fraction in [0, 1] with three decimals; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


Style = Literal["plain", "good", "bad", "warn", "dim", "strong"]


LONGEST = 2000


class Span(Frozen, frozen=True):
    """A part of a line; the text may hold anything."""

    text: str
    style: Style = "plain"


Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """Make a line of plain text and spans."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)
