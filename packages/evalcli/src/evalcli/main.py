"""`evalcli`: one module per command, loaded only when it is asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any, Final

import click

from evalcli.commands.arguments import how_much_is_said
from evalcli.exits import PROGRAM, run
from evalcore.version import __version__

COMMANDS: Final = {
    "evaluate": ("evalcli.commands.evaluate", "Evaluate a component on every model whose key is present."),
    "check": ("evalcli.commands.check", "Check a prompt library without calling a model."),
    "show": ("evalcli.commands.show", "Show what is wrong in a run's replies, and why."),
    "compare": ("evalcli.commands.compare", "Say whether a component's answers have got better or worse."),
    "score": ("evalcli.commands.score", "Score one answer by hand, and explain the scoring rules."),
    "rescore": ("evalcli.commands.rescore", "Score runs again from their kept replies."),
    "leaderboard": (
        "evalcli.commands.leaderboard",
        "Show, merge, resolve, validate and rescore leaderboards.",
    ),
    "completion": ("evalcli.commands.completion", "Print the script for completion in a shell."),
    "models": ("evalcli.commands.models", "List, check, add and remove the models to evaluate."),
    "list": ("evalcli.commands.list", "List the components of the prompt library."),
    "runs": ("evalcli.commands.runs", "List the runs whose replies are kept."),
    "bumps": ("evalcli.commands.bumps", "Say whose MAJOR or MINOR version rose between two commits."),
    "trigger": ("evalcli.commands.trigger", "Ask the service to evaluate a component on the local models."),
}
"""Name to module and summary. The module's `command` is the command; `--help` needs the summary alone."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed.

    `lazy` maps a name to its module and summary.
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
        command: click.Command = importlib.import_module(self.lazy[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; one that is not there is answered with what is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.lazy, ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.lazy.items()])


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 done, but a run failed or is partial, a case is broken, a check or a gate"
    " is not met; 2 wrong usage, configuration or input; 3 nothing to evaluate; 130 interrupted.",
)
@how_much_is_said
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Measure how accurate and how reproducible a prompt's answers are, model by model."""


def main() -> None:
    """Run `evalcli` on the process's arguments."""
    sys.exit(run(cli, sys.argv[1:]))
