"""`evalcli campaign cancel`: end a campaign."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.campaign.options import CAMPAIGN, DATABASE, begun_campaign, open_database
from evalcli.exits import Exit
from evalcli.terminal.output import note
from evalcore.formats.counts import counted


@click.command(name="cancel")
@CAMPAIGN
@DATABASE
@PROMPT_LIBRARY
def command(campaign: str, database: str | None, prompt_library: Path) -> int:
    """Cancel the runs of a campaign that have not ended; those that are being done end within seconds.

    CAMPAIGN is its file or its name. Replies and records that are there stay; `evalcli campaign run` goes
    on with them. Exit code 3: there was nothing to cancel.
    """
    with closing(open_database(database, prompt_library, is_made=False)) as opened:
        plan = begun_campaign(opened, campaign)
        count = opened.cancel(plan.campaign.name)
    note(f"{counted(count, 'run is', 'runs are')} cancelled")
    return Exit.DONE if count else Exit.NOTHING
