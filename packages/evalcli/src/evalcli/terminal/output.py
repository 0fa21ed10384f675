"""What is shown: standard output holds results, standard error everything else.

Names and messages come from files and models: they are escaped here, so that nothing they hold can
move a cursor, colour a line or pass for our own words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

import click

from evalcli.terminal.text import LONGEST, Line, Table, plain_table, shown
from evalcore.errors import StorageError


def say(text: str) -> None:
    """Write one line to standard error."""
    _write(lambda: click.echo(shown(text, 2000), err=True), sys.stderr.fileno)


def warn(text: str) -> None:
    """Write a warning to standard error."""
    say(f"warning: {text}")


def print_line(text: str) -> None:
    """Write one line to standard output."""
    print_bytes(f"{shown(text)}\n".encode())


def print_bytes(data: bytes) -> None:
    """Write bytes to standard output as they are."""
    _write(lambda: click.echo(data, nl=False), sys.stdout.fileno)


def is_terminal() -> bool:
    """Whether somebody reads standard output as it comes."""
    return sys.stdout.isatty()


def write_framed(write: Callable[[], None]) -> None:
    """Let rich write to standard output; a reader who has gone, or a full disk, is met as elsewhere."""
    _write(write, sys.stdout.fileno)


def print_table(table: Table) -> None:
    """Write a table to standard output: framed on a terminal, aligned columns in a file or a pipe."""
    if is_terminal():
        # rich takes a tenth of a second to load, and only a terminal has a use for it.
        from evalcli.terminal.rich_output import print_rich_table  # noqa: PLC0415

        write_framed(lambda: print_rich_table(table))
    else:
        print_bytes(plain_table(table).encode())


def _write(write: Callable[[], None], descriptor: Callable[[], int]) -> None:
    try:
        write()
    except BrokenPipeError:
        # The reader wants no more (`| head`): the command still ends with its own exit code.
        _discard_the_rest(descriptor())
    except OSError as error:
        _discard_the_rest(descriptor())
        raise StorageError(
            f"it cannot be written ({error.strerror or error})",
            where="the output",
            hint="free space where it is redirected to",
        ) from error


def _discard_the_rest(descriptor: int) -> None:
    # Further writes and the flush at exit go nowhere, quietly.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def print_lines(lines: Iterable[Line]) -> None:
    """Write lines to standard output."""
    if is_terminal():
        # rich takes a tenth of a second to load, and only a terminal has a use for it.
        from evalcli.terminal.rich_output import print_rich_lines  # noqa: PLC0415

        write_framed(lambda: print_rich_lines(lines))
    else:
        text = "".join("".join(shown(span.text, LONGEST) for span in each).rstrip() + "\n" for each in lines)
        print_bytes(text.encode())
