"""Writing: standard output holds results, standard error everything else.

A reader who has gone ends nothing, and a disk that is full ends a command with one line. Nothing here
loads rich, which takes a tenth of a second: `evalcli --help` and every error come through here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final, TextIO

import click

from evalcli.terminal.text import HANGING, MAX_LINE, broken, shown
from evalcore.errors import StorageError

QUIET: Final = "evalcli.quiet"
VERBOSE: Final = "evalcli.verbose"
"""What click's context holds of -q and -v."""


def say(text: str) -> None:
    """Write one line to standard error."""
    _write(lambda: click.echo(_laid_out(shown(text, MAX_LINE), sys.stderr), err=True), sys.stderr.fileno)


def say_command(text: str) -> None:
    """Write a command line to standard error, to be copied: no terminal's width breaks it."""
    _write(lambda: click.echo(f"  {shown(text, MAX_LINE)}", err=True), sys.stderr.fileno)


def warn(text: str) -> None:
    """Write a warning to standard error, unless -q was given."""
    note(f"warning: {text}")


def note(text: str) -> None:
    """Write one line that is good to know to standard error, unless -q was given."""
    if not is_quiet():
        say(text)


def detail(text: str) -> None:
    """Write one line to standard error where -v was given."""
    if _is_set(VERBOSE):
        say(text)


def is_quiet() -> bool:
    """Whether progress and warnings are not wanted."""
    return _is_set(QUIET)


def _is_set(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(name))


def print_line(text: str) -> None:
    """Write one line to standard output."""
    print_bytes(f"{_laid_out(shown(text), sys.stdout)}\n".encode())


def print_verbatim(text: str) -> None:
    """Write one line to standard output that no terminal's width breaks: a command, or a file's line."""
    print_bytes(f"{shown(text)}\n".encode())


def print_bytes(data: bytes) -> None:
    """Write bytes to standard output as they are."""
    print_by(lambda: click.echo(data, nl=False))


def print_by(write: Callable[[], None]) -> None:
    """Call what writes to standard output.

    Where the reader has gone (`| head`), the rest is discarded and the command goes on to its own exit
    code. Raises StorageError where the output cannot be written.
    """
    _write(write, sys.stdout.fileno)


def _laid_out(text: str, stream: TextIO) -> str:
    """Break a line between words where a terminal shows it."""
    if not stream.isatty():
        return text
    width = os.get_terminal_size(stream.fileno()).columns
    # 0 where nobody has told it, as in a container that is given a terminal by a script.
    if not width:
        return text
    indent = text[: len(text) - len(text.lstrip(" "))]
    parts = broken(text[len(indent) :], width - len(indent))
    return f"\n{HANGING}".join(indent + text[len(indent) :][begin:end] for begin, end in parts)


def _write(write: Callable[[], None], descriptor: Callable[[], int]) -> None:
    try:
        write()
    # The exit code stays the command's own: `evalcli check | head` is to fail where the check does.
    except BrokenPipeError:
        _discard_the_rest(descriptor())
    except OSError as error:
        raise unwritten(error, descriptor()) from error


def unwritten(error: OSError, descriptor: int) -> StorageError:
    """Return why an output could not be written; what is still to be written to it is discarded."""
    _discard_the_rest(descriptor)
    return StorageError(
        f"it cannot be written ({error.strerror or error})",
        where="the output",
        hint="free space where it is redirected to",
    )


def _discard_the_rest(descriptor: int) -> None:
    # Python flushes at exit: without this it would fail once more, with a traceback.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
