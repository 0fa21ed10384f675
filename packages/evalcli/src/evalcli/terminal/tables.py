"""Tables and styled lines on standard output: framed, coloured on a terminal, plain in a file or a pipe.

rich, which takes a tenth of a second to load, is loaded for a terminal alone: what scripts and CI run
many times goes into pipes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from evalcli.terminal.output import print_by, print_bytes
from evalcli.terminal.text import Line, Table, plain_line, plain_table


def print_table(table: Table) -> None:
    """Write a table to standard output: framed on a terminal, aligned columns in a file or a pipe."""
    if sys.stdout.isatty():
        from evalcli.terminal.rich_output import print_fitted  # noqa: PLC0415 - for a terminal alone

        print_by(lambda: print_fitted(table))
    else:
        print_bytes(plain_table(table).encode())


def print_lines(lines: Iterable[Line]) -> None:
    """Write lines to standard output: in colour on a terminal, plain in a file or a pipe."""
    if sys.stdout.isatty():
        from evalcli.terminal.rich_output import print_styled  # noqa: PLC0415 - for a terminal alone

        print_by(lambda: print_styled(lines))
    else:
        print_bytes("".join(plain_line(line) for line in lines).encode())
