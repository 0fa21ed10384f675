"""`evalcli campaign run`: begin a campaign, or go on with it."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalcli.campaigns.assignment import Places
from evalcli.campaigns.begin import require_same, to_be_queued
from evalcli.campaigns.file import read_campaign
from evalcli.campaigns.overview import late, left_out_lines, too_dear
from evalcli.campaigns.plan import CampaignPlan, plan_campaign
from evalcli.campaigns.status import CampaignStatus, status_object, status_table, summary
from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY
from evalcli.commands.campaign.options import (
    CAMPAIGN_FILE,
    DATABASE,
    LEASE,
    MODELS,
    WORKER_RUNS_DIR,
    open_database,
    this_command,
)
from evalcli.evaluation.plan import make_runs_dir
from evalcli.exits import Exit
from evalcli.leaderboards.places import Sources
from evalcli.terminal.output import note, print_bytes, print_line, say, warn
from evalcli.terminal.tables import print_table
from evalcore.effects import real_effects
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical

if TYPE_CHECKING:
    from evalcli.campaigns.database import CampaignDatabase


@click.command(name="run")
@CAMPAIGN_FILE
@DATABASE
@PROMPT_LIBRARY
@DATA_SETS
@MODELS
@WORKER_RUNS_DIR
@LEASE
@click.option("--no-work", is_flag=True, help="Only queue the runs, for workers elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    file: Path,
    database: str | None,
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    runs_dir: Path | None,
    lease_s: float,
    *,
    no_work: bool,
    as_json: bool,
) -> int:
    """Begin a campaign and do its runs, until none is left that can be done here.

    Done again, it goes on where it was: a run that has ended complete is left alone, one that was cut
    short is gone on with, one that failed is tried once more. With a database that hosts share, workers on
    others help. Exit code 1: a run is left, or did not end complete.
    """
    sources = Sources(prompt_library, data_sets, models)
    folder = make_runs_dir(runs_dir, prompt_library)
    asked = plan_campaign(read_campaign(file), sources, folder)
    for text in (*asked.warnings, *left_out_lines(asked), late(asked, datetime.now(UTC)), too_dear(asked)):
        if text:
            warn(text)
    if not asked.runs:
        say("there is nothing to evaluate")
        return Exit.NOTHING
    # The database is a file in the library's own folder of runs, wherever the replies go.
    if runs_dir is not None and database is None:
        make_runs_dir(None, prompt_library)
    with closing(open_database(database, prompt_library, is_made=True)) as opened:
        require_same(asked, opened.begin(asked))
        plan, name = asked, asked.campaign.name
        # Only now: what differs from what was begun is refused, and must not replace it.
        opened.renew(plan)
        queued = to_be_queued(plan, opened.runs(name), real_effects().new_id)
        opened.add(plan, queued)
        note(_queued(len(queued), opened.open_runs(plan.providers, name).total(), opened.where))
        if not no_work:
            _work(opened, plan, Places(sources, folder), lease_s)
        status = CampaignStatus(
            plan, tuple(opened.runs(name)), tuple(opened.workers.known()), datetime.now(UTC)
        )
    if as_json:
        print_bytes(encode_canonical(status_object(status)))
    else:
        print_table(status_table(status))
        print_line(summary(status))
    if no_work:
        return Exit.DONE
    return Exit.DONE if status.is_complete else Exit.INCOMPLETE


def _work(database: CampaignDatabase, plan: CampaignPlan, places: Places, lease_s: float) -> None:
    """Do the campaign's runs until none is left that can be done here."""
    from evalcli.campaigns.work import within_reach, work  # noqa: PLC0415 - needs the extra, as the database

    providers = within_reach(places, os.environ, plan.providers)
    if not providers:
        return

    def is_done() -> bool:
        return not database.open_runs(providers, plan.campaign.name)

    if is_done():
        return
    work(
        database,
        places,
        lease_s,
        providers=providers,
        evaluator=plan.evaluator,
        is_done=is_done,
        go_on=this_command(database),
    )


def _queued(new: int, still_open: int, where: str) -> str:
    if not new and still_open:
        return f"{counted(still_open, 'run is', 'runs are')} left to do in {where}"
    return f"{counted(new, 'run is', 'runs are')} queued in {where}"
