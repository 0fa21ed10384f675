"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from evalcli.terminal.text import LONGEST, Line, Table, shown


def print_rich_table(table: Table) -> None:
    """Write a table to the terminal."""
    Console().print(framed_table(table))


def framed_table(table: Table) -> rich.table.Table:
    """Lay a table out for a terminal; cells are text, never markup."""
    framed = rich.table.Table(
        box=rich.box.SIMPLE_HEAD,
        title=Text(shown(table.title)) if table.title else None,
        title_justify="left",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in table.headings:
        if heading in table.numeric:
            # Where it is narrow, text gives way first; a number that is cut shows that it is.
            framed.add_column(Text(heading), justify="right", no_wrap=True, overflow="ellipsis")
        else:
            framed.add_column(Text(heading), overflow="fold")
    for row in table.rows:
        framed.add_row(*(Text(shown(cell)) for cell in row))
    return framed


_STYLES: Final = {
    "plain": "",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
}


def print_rich_lines(lines: Iterable[Line]) -> None:
    """Write lines to the terminal, in colour where it has any; what they hold is text, never markup."""
    console = Console(highlight=False)
    for line in lines:
        text = Text.assemble(*((shown(span.text, LONGEST), _STYLES[span.style]) for span in line))
        console.print(text, soft_wrap=True)
