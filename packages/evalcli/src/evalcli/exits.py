"""How a command ends: its exit code, and the one line that says why."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NoReturn

import click

from evalcli.terminal.output import say, unwritten
from evalcore.errors import EvaluatorError

PROGRAM = "evalcli"


class Exit(IntEnum):
    """Exit codes (docs/reference.md, Commands)."""

    DONE = 0
    INCOMPLETE = 1
    """Done, but at least one run failed or is partial."""
    UNUSABLE = 2
    """Wrong usage, configuration or input."""
    NOTHING = 3
    """Nothing to evaluate."""
    INTERRUPTED = 130


class Interrupted(Exception):
    """The user ended the command; it has already said what is stored and how to go on."""


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; each mistake of a user is one line on standard error."""
    try:
        # Not standalone: click would end the process itself, with exit codes of its own.
        result: Any = command.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    # Its message is the whole help: as one line, as the next ones, nobody could read it.
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return Exit.UNUSABLE
    except click.ClickException as error:
        say(f"{PROGRAM}: {_usage_line(error, command, arguments)}")
        return Exit.UNUSABLE
    # Errors of others are defects: their traceback stays, for whoever reports them.
    except (EvaluatorError, OSError) as error:
        for line in _unusable(error).lines:
            say(f"{PROGRAM}: {line}")
        return Exit.UNUSABLE
    except Interrupted:
        return Exit.INTERRUPTED
    except click.Abort:  # what click makes of KeyboardInterrupt
        say(f"{PROGRAM}: interrupted")
        return Exit.INTERRUPTED
    return result if isinstance(result, int) else Exit.DONE


def refuse(what: str, *, hint: str) -> NoReturn:
    """End the command: its options or arguments cannot be used."""
    raise click.UsageError(f"{what}; {hint}")


def _unusable(error: EvaluatorError | OSError) -> EvaluatorError:
    if isinstance(error, EvaluatorError):
        return error
    # Help and version are written by click; everything else that cannot be written has a name.
    if error.errno not in {errno.ENOSPC, errno.EDQUOT} or error.filename is not None:
        raise error
    return unwritten(error, sys.stdout.fileno())


def _usage_line(error: click.ClickException, command: click.Command, arguments: Sequence[str]) -> str:
    message = _in_words(" ".join(error.format_message().split()))
    if isinstance(error, click.BadOptionUsage):
        named = _named_command(command, arguments)
    elif isinstance(error, click.UsageError) and error.ctx is not None:
        named = error.ctx.command_path
    else:
        return message
    if "; " in message:
        return message
    # click asks `Did you mean 'x'?` in a sentence of its own.
    end = " See" if message.endswith(("?", "?)")) else "; see"
    return f"{message.rstrip('.')}{end} `{named} --help`"


def _in_words(message: str) -> str:
    """Say what click says of a number in the words that people use."""
    message = re.sub(r"is not a valid integer( range)?\b", "is no whole number", message)
    message = re.sub(r"is not a valid float( range)?\b", "is no number", message)
    share = re.search(r"(?<!\S)([0-9]{1,3}(?:\.[0-9]{1,9})?) is not in the range 0<=x<=1\b", message)
    if share is None or not 1 < float(share[1]) <= 100:  # noqa: PLR2004 - per cent
        return message
    return f"{message.rstrip('.')}; write {float(share[1]) / 100:g} for {float(share[1]):g} %"


def _named_command(command: click.Command, arguments: Sequence[str]) -> str:
    """Return the command that a line names: of an option that lacks its value click does not say it."""
    context = click.Context(command, info_name=PROGRAM)
    for argument in arguments:
        if not isinstance(context.command, click.Group):
            break
        if (found := context.command.get_command(context, argument)) is not None:
            context = click.Context(found, parent=context, info_name=argument)
    return context.command_path
