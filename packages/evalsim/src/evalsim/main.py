"""`evalsim`: the simulated outside world and the demo; each command is loaded only when asked for."""

from __future__ import annotations

import importlib
from typing import Final

import click

from evalcore.version import __version__

COMMANDS: Final = {
    "demo": ("evalsim.demo.command", "Run the main job on this machine, everything outside it simulated."),
    "mindrouter": ("evalsim.mindrouter.command", "Serve the simulated MindRouter."),
    "github": ("evalsim.github.command", "Serve the simulated GitHub."),
}
"""Name to module and summary. The module holds a command of that name; `--help` needs the summary alone."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evalsim")
def main() -> None:
    """Simulate what the Evaluator works with: MindRouter, GitHub, and a demo of the whole."""


if __name__ == "__main__":
    main()
