"""`evalcli leaderboard`: show, merge, resolve, validate, rescore, the schema, and git's merge driver."""

from __future__ import annotations

from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup

_HERE: Final = "evalcli.commands.leaderboard"
COMMANDS: Final = {
    "show": (f"{_HERE}.show", "Show how the models stand, the newest version of the component first."),
    "merge": (f"{_HERE}.merge:merge", "Unite leaderboards of one component, by run id."),
    "resolve": (f"{_HERE}.merge:resolve", "Resolve a leaderboard that git left in conflict."),
    "merge-driver": (
        f"{_HERE}.merge:merge_driver",
        "Merge leaderboards for git, so that none is ever in conflict.",
    ),
    "rescore": (f"{_HERE}.rescore", "Bring a leaderboard to the present scoring version or policy."),
    "validate": (f"{_HERE}.validate", "Say what is wrong with leaderboards, and where."),
    "schema": (f"{_HERE}.schema", "Print the JSON Schema of leaderboard.json."),
}


@click.group(name="leaderboard", cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """Show, merge, resolve, validate and rescore leaderboards."""
