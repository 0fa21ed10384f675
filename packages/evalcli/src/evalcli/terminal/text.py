"""What is to be shown, before it is written: escaped text, figures, tables, and lines with styles.

Names and messages come from files and models: they are escaped here, so that nothing they hold can
move a cursor, colour a line or pass for our own words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, TypeAlias

from evalcore.structs import Frozen

MAX_SHOWN: Final = 300
"""Characters of a name or message that are shown."""
MAX_LINE: Final = 2000
"""Characters of a whole line that are shown."""
HANGING: Final = "  "
"""What the second and further lines of a broken line begin with."""
_UNBROKEN: Final = re.compile(r"`[^`]*`\S*|\S+")
"""A word, or a command line in backticks: broken, it could not be copied."""
# Control, format (bidirectional ones among them), surrogates, private use, unassigned, line and paragraph
# separators.
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WORKFLOW_COMMAND: Final = re.compile(r"^\s*:(?=:)|##(?=\[)")
"""What would begin a command to GitHub's runner, which reads the log; its last character is escaped."""

Style = Literal["plain", "good", "bad", "warn", "dim", "strong"]


class Table(Frozen, frozen=True):
    """A table before it is shown; cells may hold anything."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    """Headings of the columns that are aligned to the right."""
    title: str = ""
    spare: tuple[str, ...] = ()
    """Headings of columns that may be left out where there is no room, the first of them first."""
    spare_in_blocks: frozenset[str] = frozenset()
    """Those of them that a block for each row does without, too: another column says the same."""
    enough: tuple[tuple[str, int], ...] = ()
    """Heading, and how many characters of its cells are enough where there is no room for all of them."""

    @property
    def name(self) -> int:
        """The column that names the row: the first one that is text."""
        texts = (at for at, heading in enumerate(self.headings) if heading not in self.numeric)
        return next(texts, 0)


class Span(Frozen, frozen=True):
    """A part of a line; the text may hold anything."""

    text: str
    style: Style = "plain"


Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """Make a line of plain text and spans."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def figure(value: float | None) -> str:
    """Write a fraction in [0, 1] with three decimals; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def interval(limits: tuple[float, float] | None) -> str:
    """Write an interval of fractions as `0.812 to 0.934`; a dash where there is none."""
    return "-" if limits is None else f"{limits[0]:.3f} to {limits[1]:.3f}"


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """Return text on one line, at most `limit` characters, control and invisible characters as escapes.

    A command to the runner of GitHub Actions is escaped too.
    """
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    # Nearly every text is plain: this spares looking each character up.
    if not (cut.isascii() and cut.isprintable()):
        cut = "".join(_escaped(character) for character in cut)
    return _WORKFLOW_COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", cut)


def broken(text: str, width: int) -> list[tuple[int, int]]:
    """Break one line between words into lines of `width` columns, all but the first after `HANGING`.

    Returns where each begins and ends. What is wider stands alone and whole: the terminal breaks it, and
    knows when it is copied that it is one.
    """
    parts: list[tuple[int, int]] = []
    begin = end = 0
    for found in _UNBROKEN.finditer(text):
        room = width - (len(HANGING) if parts else 0)
        if end and width_of(text[begin : found.end()]) > room:
            parts.append((begin, end))
            begin = found.start()
        end = found.end()
    return [*parts, (begin, end)]


def plain_table(table: Table) -> str:
    """Lay a table out as aligned columns, two spaces apart, nothing cut."""
    lines = [tuple(shown(cell) for cell in row) for row in (table.headings, *table.rows)]
    widths = [max(width_of(row[column]) for row in lines) for column in range(len(table.headings))]
    right = [heading in table.numeric for heading in table.headings]
    text = f"{shown(table.title)}\n" if table.title else ""
    for row in lines:
        cells = (_padded(*cell) for cell in zip(row, widths, right, strict=True))
        text += "  ".join(cells).rstrip() + "\n"
    return text


def plain_line(spans: Line) -> str:
    """Write a line without its styles."""
    return "".join(shown(span.text, MAX_LINE) for span in spans).rstrip() + "\n"


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode()


def _padded(cell: str, width: int, is_right: bool) -> str:  # noqa: FBT001 - zipped from columns
    space = " " * (width - width_of(cell))
    return space + cell if is_right else cell + space


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes; wide characters of East Asian scripts take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
