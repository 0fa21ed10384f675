"""A table for a terminal of some width: what names a row, and its status, are always told.

Where a table is too wide, ids are cut to what tells them apart. Then columns go: first all that say
nothing (every cell 0 or -), then one at a time those that say one thing in every row, which is told once
below, and those that can be spared. Prose is wrapped. What is still too wide is stacked: a block for each
row, without the cells that say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from evalcli.terminal.text import Table, shown, width_of
from evalcore.structs import Frozen

ALWAYS: Final = frozenset({"model", "status"})
"""Headings of columns whose cells are never left out, whatever they say."""
LEAST_PROSE: Final = 20
"""Columns that prose is given at least; narrower, a table of it is harder to read than blocks."""
_NOTHING: Final = re.compile(r"-?|0(/\d+)?")


class FittedTable(Frozen, frozen=True):
    """A table that fits."""

    table: Table
    widths: tuple[int, ...]
    left_out: str
    """What to say of the columns that were left out, a line for each reason; empty where none was."""


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
    if (widths := _widths(table, width, frame, between)) is not None:
        return FittedTable(table, widths, "")
    fitted = stacked = _cut(table)
    left_out = _LeftOut()
    for headings, into in [
        # Together: where one of them goes, another that stays would look as if it said something.
        (_empty_columns(table), left_out.empty),
        # From the right, so that the columns that stand first stay longest.
        *(([heading], left_out.repeated) for heading in reversed(_repeated_columns(table))),
        *(([heading], left_out.spared) for heading in table.spare),
    ]:
        if (widths := _widths(fitted, width, frame, between)) is not None:
            return FittedTable(fitted, widths, left_out.note)
        # One that says nothing may be gone already.
        for heading in reversed([one for one in headings if one in fitted.headings]):
            at = fitted.headings.index(heading)
            into.insert(0, f"{heading} {fitted.rows[0][at]}" if into is left_out.repeated else heading)
            fitted = _without(fitted, at)
        # What says nothing, or one thing, is left out of blocks as well; what was only spared returns there.
        if into is not left_out.spared:
            stacked = fitted
    if (widths := _widths(fitted, width, frame, between)) is not None:
        return FittedTable(fitted, widths, left_out.note)
    # Blocks have room for what a table had to spare, but for what only repeats another column.
    for heading in [one for one in stacked.headings if one in table.spare_in_blocks]:
        stacked = _without(stacked, stacked.headings.index(heading))
    left_out.spared[:] = [one for one in left_out.spared if one in table.spare_in_blocks]
    return Blocks(stacked.title, tuple(_block(stacked, row) for row in stacked.rows), left_out.note)


class _LeftOut(msgspec.Struct):
    """The columns that were left out, by why."""

    # msgspec gives each instance a list of its own.
    empty: list[str] = []
    repeated: list[str] = []
    """With the cell that stands in every row."""
    spared: list[str] = []

    @property
    def note(self) -> str:
        said = (
            ("Not shown, 0 or - in every row: ", self.empty),
            ("In every row: ", self.repeated),
            ("Not shown, for want of room: ", self.spared),
        )
        return "\n".join(f"{begin}{', '.join(named)}." for begin, named in said if named)


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
        # Only columns that can still shrink; a heading or a word is not cut.
        at = max(range(len(widths)), key=lambda at: (widths[at] - least[at] > 0, widths[at]))
        widths[at] = max(least[at], widths[at] - (sum(widths) - room))
    return tuple(widths)


def _is_prose(table: Table, at: int) -> bool:
    return at != table.name and table.headings[at] not in table.numeric


def _least_of_prose(cells: Sequence[str]) -> int:
    return max(LEAST_PROSE, *(width_of(word) for cell in cells for word in cell.split()))


def _empty_columns(table: Table) -> list[str]:
    return [
        heading
        for at, heading in enumerate(table.headings)
        if heading not in ALWAYS
        and at != table.name
        and table.rows
        and all(_NOTHING.fullmatch(row[at]) for row in table.rows)
    ]


def _repeated_columns(table: Table) -> list[str]:
    return [
        heading
        for at, heading in enumerate(table.headings)
        if at != table.name and len(table.rows) > 1 and len({row[at] for row in table.rows}) == 1
    ]


def _cut(table: Table) -> Table:
    enough = dict(table.enough)
    limits = [enough.get(heading) for heading in table.headings]
    rows = tuple(tuple(cell[:limit] for cell, limit in zip(row, limits, strict=True)) for row in table.rows)
    return msgspec.structs.replace(table, rows=rows)


def _without(table: Table, at: int) -> Table:
    return msgspec.structs.replace(
        table,
        headings=table.headings[:at] + table.headings[at + 1 :],
        rows=tuple(row[:at] + row[at + 1 :] for row in table.rows),
    )


def _block(table: Table, row: tuple[str, ...]) -> tuple[str, str]:
    at = table.name
    parts = [
        f"{heading} {cell}"
        for heading, cell in zip(table.headings[at + 1 :], row[at + 1 :], strict=True)
        if cell not in {"", "-"}
    ]
    return "  ".join((*row[:at], row[at])), ", ".join(parts)


def _escaped(table: Table) -> Table:
    return msgspec.structs.replace(
        table,
        rows=tuple(tuple(shown(cell) for cell in row) for row in table.rows),
        title=shown(table.title),
    )
