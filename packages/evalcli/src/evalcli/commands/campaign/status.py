"""`evalcli campaign status`: where a campaign stands."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from evalcli.campaigns.status import CampaignStatus, status_object, status_table, summary
from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.campaign.options import CAMPAIGN, DATABASE, begun_campaign, open_database
from evalcli.exits import Exit
from evalcli.terminal.output import print_bytes, print_line
from evalcli.terminal.tables import print_table
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical


@click.command(name="status")
@CAMPAIGN
@DATABASE
@PROMPT_LIBRARY
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(campaign: str, database: str | None, prompt_library: Path, *, as_json: bool) -> int:
    """Show a campaign's runs: what has ended and how, what is being done where, and what waits.

    CAMPAIGN is its file or its name. Exit code 1: a run has ended other than complete.
    """
    with closing(open_database(database, prompt_library, is_made=False)) as opened:
        plan = begun_campaign(opened, campaign)
        states = tuple(opened.runs(plan.campaign.name))
        status = CampaignStatus(plan, states, tuple(opened.workers.known()), datetime.now(UTC))
    if as_json:
        print_bytes(encode_canonical(status_object(status)))
    else:
        print_table(status_table(status))
        print_line(summary(status))
        if status.open:
            print_line(_who(len(status.at_work)))
    ended = [state for state in status.states if state.phase == "ended"]
    return Exit.INCOMPLETE if len(ended) > status.counts["complete"] else Exit.DONE


def _who(workers: int) -> str:
    if not workers:
        return "No worker is at work: `evalcli campaign run` goes on with it, or a worker of its database."
    return f"{counted(workers, 'worker is', 'workers are')} at work."
