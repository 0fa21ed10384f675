"""`evalcli cases`: read."""

from __future__ import annotations

from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup

COMMANDS: Final = {
    "read": ("evalcli.commands.cases.read", "Read the documents among a component's inputs."),
}


@click.group(name="cases", cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """Read the documents among a component's inputs."""
