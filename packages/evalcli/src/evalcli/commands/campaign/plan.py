"""`evalcli campaign plan`: what a campaign would call, and what it will take."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from evalcli.campaigns.file import read_campaign
from evalcli.campaigns.overview import late, left_out_lines, plan_object, runs_table, sentences, too_dear
from evalcli.campaigns.plan import plan_campaign
from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY, RUNS_DIR
from evalcli.commands.campaign.options import CAMPAIGN_FILE, MODELS
from evalcli.exits import Exit
from evalcli.leaderboards.places import RUNS_IN_LIBRARY, Sources
from evalcli.terminal.output import print_bytes, print_line, warn
from evalcli.terminal.tables import print_table
from evalcore.formats.strict_json import encode_canonical


@click.command(name="plan")
@CAMPAIGN_FILE
@PROMPT_LIBRARY
@DATA_SETS
@MODELS
@RUNS_DIR
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    file: Path,
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    runs_dir: Path | None,
    *,
    as_json: bool,
) -> int:
    """Show a campaign's runs in their order: calls, hours, tokens, cost, and what they could show.

    Nothing is called, and no database is needed. Exit code 1: by the forecast the deadline or the budget
    is not kept.
    """
    where = runs_dir or prompt_library / RUNS_IN_LIBRARY
    plan = plan_campaign(read_campaign(file), Sources(prompt_library, data_sets, models), where)
    now = datetime.now(UTC)
    for text in (*plan.warnings, *left_out_lines(plan)):
        warn(text)
    if as_json:
        print_bytes(encode_canonical(plan_object(plan, now)))
    else:
        if plan.runs:
            print_table(runs_table(plan))
        for text in sentences(plan, now):
            print_line(text)
    if not plan.runs:
        return Exit.NOTHING
    return Exit.INCOMPLETE if late(plan, now) or too_dear(plan) else Exit.DONE
