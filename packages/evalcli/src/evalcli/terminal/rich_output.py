"""Tables and styled lines on standard output: framed, coloured on a terminal, plain in a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from evalcli.terminal.output import print_by, print_bytes
from evalcli.terminal.text import MAX_LINE, Line, Style, Table, plain_line, plain_table, shown

_STYLES: Final[dict[Style, str]] = {
    "plain": "",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
}


def print_table(table: Table) -> None:
    """Write a table to standard output: framed on a terminal, aligned columns in a file or a pipe."""
    if sys.stdout.isatty():
        print_by(lambda: Console().print(framed_table(table)))
    else:
        print_bytes(plain_table(table).encode())


def print_lines(lines: Iterable[Line]) -> None:
    """Write lines to standard output: in colour on a terminal, plain in a file or a pipe."""
    if sys.stdout.isatty():
        print_by(lambda: print_styled(lines))
    else:
        print_bytes("".join(plain_line(line) for line in lines).encode())


def print_styled(lines: Iterable[Line]) -> None:
    """Write lines in colour, unless NO_COLOR is set; what they hold is text, never markup."""
    console = Console(highlight=False)
    for line in lines:
        text = Text.assemble(*((shown(span.text, MAX_LINE), _STYLES[span.style]) for span in line))
        console.print(text, soft_wrap=True)


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
