"""`evalcli campaign`: plan, run, work, look, cancel and publish what is more than one evaluation."""

from __future__ import annotations

from typing import Final

import click

from evalcli.commands.lazy_group import LazyGroup

_HERE: Final = "evalcli.commands.campaign"
COMMANDS: Final = {
    "plan": (f"{_HERE}.plan", "Show what a campaign would call, and what it will take."),
    "run": (f"{_HERE}.run", "Begin a campaign, or go on with it, and do its runs here."),
    "worker": (f"{_HERE}.worker", "Do runs of the campaigns in a database that hosts share."),
    "status": (f"{_HERE}.status", "Show where a campaign stands."),
    "cancel": (f"{_HERE}.cancel", "End a campaign; what has ended stays."),
    "publish": (f"{_HERE}.publish", "Publish a campaign's runs as pull requests, or as one."),
}


@click.group(name="campaign", cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """Evaluate many components on many models, on one machine or on many.

    A campaign is a file (docs/campaigns.md); its unit is the run of one component on one model.
    """
