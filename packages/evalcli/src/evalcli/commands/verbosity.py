"""The options -q and -v, which every command takes, and `evalcli --help` loads too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from evalcli.terminal.output import QUIET, VERBOSE

Command = TypeVar("Command", bound=Callable[..., Any])

QUIETLY: Final = "No progress, no warnings."
VERBOSELY: Final = "Say what is read from where, of an evaluation; no other command has more to say."


def how_much_is_said(command: Command) -> Command:
    """Give a command the options -q and -v."""
    return _option("-q", "--quiet", QUIET, QUIETLY)(_option("-v", "--verbose", VERBOSE, VERBOSELY)(command))


def take_how_much_is_said(command: click.Command) -> None:
    """Let a command, and those below it, take -q and -v, which the help of `evalcli` alone names."""
    known = {name for parameter in command.params for name in parameter.opts}
    for short, long, name in (("-q", "--quiet", QUIET), ("-v", "--verbose", VERBOSE)):
        if short not in known:
            command.params.append(
                click.Option(
                    (short, long), is_flag=True, expose_value=False, callback=_remembered(name), hidden=True
                )
            )
    if isinstance(command, click.Group):
        for one in command.commands.values():
            take_how_much_is_said(one)


def _option(short: str, long: str, name: str, help_text: str) -> Callable[[Command], Command]:
    return click.option(
        short, long, is_flag=True, expose_value=False, callback=_remembered(name), help=help_text
    )


def _remembered(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def remember(context: click.Context, parameter: click.Parameter, is_given: bool) -> None:  # noqa: FBT001 - click's
        del parameter
        if is_given:
            # Only set, never cleared: `-q` before the command holds although the command's own was not given.
            context.meta[name] = True

    return remember
