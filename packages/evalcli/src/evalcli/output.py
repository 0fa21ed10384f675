"""What is shown: standard output holds results, standard error everything else.

Names and messages come from files and models: they are escaped here, so that nothing they hold can
move a cursor, colour a line or pass for our own words.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Final

import click

from evalcore.errors import StorageError
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
        from evalcli.rich_table import print_rich_table  # noqa: PLC0415

        write_framed(lambda: print_rich_table(table))
    else:
        print_bytes(plain_table(table).encode())


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
