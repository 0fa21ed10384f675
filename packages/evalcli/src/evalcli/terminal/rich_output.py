"""Tables and styled lines on a terminal: framed, in colour, as wide as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import rich.box
import rich.table
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from evalcli.terminal.narrow import LEAST_PROSE, Blocks, fit
from evalcli.terminal.text import HANGING, MAX_LINE, Line, Style, Table, broken, shown

_FRAME, _BETWEEN = 2, 2
"""Columns that a table's two edges take, and the space between two of its columns."""
_STYLES: Final[dict[Style, str]] = {
    "plain": "",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
}


def print_styled(lines: Iterable[Line]) -> None:
    """Write lines in colour, unless NO_COLOR is set; what they hold is text, never markup.

    What is wider than the terminal goes on in the next line, a little further in.
    """
    console = Console(highlight=False)
    for line in lines:
        text = Text.assemble(*((shown(span.text, MAX_LINE), _STYLES[span.style]) for span in line))
        indent = len(text.plain) - len(text.plain.lstrip(" "))
        # Where even the indentation leaves no room for words, the terminal breaks the line as it can.
        if text.cell_len <= console.width or console.width < indent + LEAST_PROSE:
            console.print(text, soft_wrap=True)
            continue
        first, rest = text[:indent], text[indent:]
        for number, (start, end) in enumerate(broken(rest.plain, console.width - indent)):
            part = Text.assemble(first, HANGING if number else "", rest[start:end])
            console.print(part, soft_wrap=True)


def print_fitted(table: Table, console: Console | None = None) -> None:
    """Write a table as the width of the terminal allows: framed, or a block for each row."""
    console = console or Console(highlight=False)
    fitted = fit(table, console.width, _FRAME, _BETWEEN)
    # Above the table, not of it: rich folds a table's title to the table's width.
    title = fitted.title if isinstance(fitted, Blocks) else fitted.table.title
    if title:
        console.print(Text(title, "italic"))
    if isinstance(fitted, Blocks):
        for name, cells in fitted.rows:
            console.print(Text(name, "bold", overflow="fold"))
            console.print(Padding(Text(cells, overflow="fold"), (0, 0, 0, 4)))
    else:
        console.print(framed_table(fitted.table, fitted.widths))
    if fitted.left_out:
        console.print(Text(fitted.left_out, "dim"))


def framed_table(table: Table, widths: Sequence[int]) -> rich.table.Table:
    """Lay a table out for a terminal; cells are text, never markup."""
    framed = rich.table.Table(
        box=rich.box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading, width in zip(table.headings, widths, strict=True):
        justify: Literal["left", "right"] = "right" if heading in table.numeric else "left"
        framed.add_column(Text(heading), justify=justify, overflow="fold", width=width)
    for row in table.rows:
        framed.add_row(*(Text(shown(cell)) for cell in row))
    return framed
