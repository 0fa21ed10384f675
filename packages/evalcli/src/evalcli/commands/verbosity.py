"""The options -q and -v, which `evalcli --help` loads too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from evalcli.terminal.output import QUIET, VERBOSE

Command = TypeVar("Command", bound=Callable[..., Any])


def how_much_is_said(command: Command) -> Command:
    """Give a command the options -q and -v."""
    quiet = click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_remembered(QUIET),
        help="No progress, no warnings.",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_remembered(VERBOSE),
        help="Say what is read from where.",
    )
    return quiet(verbose(command))


def _remembered(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def remember(context: click.Context, parameter: click.Parameter, is_given: bool) -> None:  # noqa: FBT001 - click's
        del parameter
        if is_given:
            context.meta[name] = True

    return remember
