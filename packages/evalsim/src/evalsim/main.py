"""`evalsim`: the simulated outside world and the demo; each command is loaded only when asked for."""

from __future__ import annotations

from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup
from evalcore.version import __version__

COMMANDS: Final = {
    "demo": ("evalsim.demo.command", "Run the main job on this machine, everything outside it simulated."),
    "mindrouter": ("evalsim.mindrouter.command", "Serve the simulated MindRouter."),
    "github": ("evalsim.github.command", "Serve the simulated GitHub."),
    "cloud": ("evalsim.cloud.command", "Serve a simulated provider of the cloud."),
    "history": ("evalsim.history.command", "Write a prompt library with a made-up year of results."),
}
"""Name to module and summary. The module's `command` is the command; `--help` needs the summary alone."""


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evalsim")
def main() -> None:
    """Simulate what the Evaluator works with: MindRouter, GitHub, the cloud, and a demo of the whole."""


if __name__ == "__main__":
    main()
