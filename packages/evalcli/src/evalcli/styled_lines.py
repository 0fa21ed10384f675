"""Lines with coloured parts; plain text where there is no terminal, or NO_COLOR is set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from evalcli.output import is_terminal, print_bytes, shown, write_framed
from evalcore.structs import Frozen

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


def print_lines(lines: Iterable[Line]) -> None:
    """Write lines to standard output."""
    if is_terminal():
        # rich takes a tenth of a second to load, and only a terminal has a use for it.
        from evalcli.rich_lines import print_rich_lines  # noqa: PLC0415

        write_framed(lambda: print_rich_lines(lines))
    else:
        text = "".join("".join(shown(span.text, LONGEST) for span in each).rstrip() + "\n" for each in lines)
        print_bytes(text.encode())
