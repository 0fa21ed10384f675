"""A group of commands of which only the one that is called is loaded."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from evalcli.commands.verbosity import take_how_much_is_said


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed.

    `lazy` maps a name to its module and summary. The module's `command` is the command, unless another
    name stands behind the module, as in `package.module:name`.
    """

    def __init__(self, *, lazy: Mapping[str, tuple[str, str]], **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**settings)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, _, name = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name or "command")
        # Here, where every command passes: -q and -v need no line in any of them.
        take_how_much_is_said(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; one that is not there is answered with what is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # click itself looks for near names among the commands that are loaded, of which there are none.
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.lazy, ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.lazy.items()])
