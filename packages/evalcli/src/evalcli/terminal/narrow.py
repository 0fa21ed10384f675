"""A table for a terminal of some width: what names a row, and its status, always stand whole.

Where a table is too wide, columns that say nothing go first (every cell 0 or -), then prose is wrapped.
What is still too wide is stacked: a block for each row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from evalcli.terminal.text import Table, shown, width_of
from evalcore.structs import Frozen

ALWAYS: Final = frozenset({"model", "status"})
"""Headings of columns that are never left out."""
LEAST_PROSE: Final = 20
"""Columns that prose is given at least; narrower, a table of it is harder to read than blocks."""
_NOTHING: Final = re.compile(r"-?|0(/\d+)?")


class FittedTable(Frozen, frozen=True):
    """A table that fits."""

    table: Table
    widths: tuple[int, ...]
    left_out: str
    """What to say of the columns that were left out; empty where none was."""


class Blocks(Frozen, frozen=True):
    """A table that does not fit: for each row its name, and its other cells with their headings."""

    title: str
    rows: tuple[tuple[str, str], ...]
    left_out: str


def fit(table: Table, width: int, frame: int, between: int) -> FittedTable | Blocks:
    """Fit a table into `width` columns, of which its frame takes some, and the space between two columns.

    Cells are measured as they are shown: escaped.
    """
    table = _escaped(table)
    fitted, left_out = table, list[str]()
    while (widths := _widths(fitted, width, frame, between)) is None:
        empty = _empty_columns(fitted)
        if not empty:
            return Blocks(fitted.title, tuple(_block(fitted, row) for row in fitted.rows), _note(left_out))
        left_out.insert(0, fitted.headings[empty[-1]])
        fitted = _without(fitted, empty[-1])
    return FittedTable(fitted, widths, _note(left_out))


def _widths(table: Table, width: int, frame: int, between: int) -> tuple[int, ...] | None:
    """Return the columns' widths, prose as narrow as it must be; None where they do not fit."""
    cells = [[row[at] for row in (table.headings, *table.rows)] for at in range(len(table.headings))]
    widths = [max(map(width_of, column)) for column in cells]
    # Numbers are never wrapped: half a number is another number.
    least = [
        min(natural, _least_of_prose(column)) if _is_prose(table, at) else natural
        for at, (column, natural) in enumerate(zip(cells, widths, strict=True))
    ]
    room = width - frame - between * (len(widths) - 1)
    if sum(least) > room:
        return None
    # The widest column gives way first.
    while sum(widths) > room:
        at = max(range(len(widths)), key=lambda at: (widths[at] - least[at] > 0, widths[at]))
        widths[at] = max(least[at], widths[at] - (sum(widths) - room))
    return tuple(widths)


def _is_prose(table: Table, at: int) -> bool:
    return at != table.name and table.headings[at] not in table.numeric


def _least_of_prose(cells: Sequence[str]) -> int:
    return max(LEAST_PROSE, *(width_of(word) for cell in cells for word in cell.split()))


def _empty_columns(table: Table) -> list[int]:
    return [
        at
        for at, heading in enumerate(table.headings)
        if heading not in ALWAYS
        and at != table.name
        and table.rows
        and all(_NOTHING.fullmatch(row[at]) for row in table.rows)
    ]


def _without(table: Table, at: int) -> Table:
    return msgspec.structs.replace(
        table,
        headings=table.headings[:at] + table.headings[at + 1 :],
        rows=tuple(row[:at] + row[at + 1 :] for row in table.rows),
    )


def _note(left_out: Sequence[str]) -> str:
    return f"Not shown, 0 or - in every row: {', '.join(left_out)}." if left_out else ""


def _block(table: Table, row: tuple[str, ...]) -> tuple[str, str]:
    at = table.name
    parts = [
        f"{heading} {cell}"
        for heading, cell in zip(table.headings[at + 1 :], row[at + 1 :], strict=True)
        if cell
    ]
    return "  ".join((*row[:at], row[at])), ", ".join(parts)


def _escaped(table: Table) -> Table:
    return msgspec.structs.replace(
        table,
        rows=tuple(tuple(shown(cell) for cell in row) for row in table.rows),
        title=shown(table.title),
    )
