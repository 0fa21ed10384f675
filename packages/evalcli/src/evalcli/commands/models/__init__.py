"""`evalcli models`: list, served, check, add, remove."""

from __future__ import annotations

from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup

_HERE: Final = "evalcli.commands.models"
COMMANDS: Final = {
    "list": (f"{_HERE}.list", "List the models, and whether their keys are present."),
    "served": (f"{_HERE}.served", "List the models that providers serve now."),
    "check": (f"{_HERE}.check", "Ask each provider whether it can serve the models now."),
    "add": (f"{_HERE}.edit:add", "Add a model at the end of models.yaml."),
    "remove": (f"{_HERE}.edit:remove", "Remove a model from models.yaml."),
}


@click.group(name="models", cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """List, check, add and remove the models to evaluate, and list what is served."""
