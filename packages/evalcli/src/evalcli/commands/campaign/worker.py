"""`evalcli campaign worker`: do runs of whatever campaigns a shared database holds."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalcli.campaigns.assignment import Places
from evalcli.campaigns.plan import EVALUATOR
from evalcli.commands.arguments import DATA_SETS, PROMPT_LIBRARY
from evalcli.commands.campaign.options import (
    DATABASE,
    LEASE,
    MODELS,
    WORKER_RUNS_DIR,
    open_database,
    this_command,
)
from evalcli.evaluation.plan import make_runs_dir
from evalcli.exits import Exit
from evalcli.leaderboards.places import Sources, require_library
from evalcli.terminal.output import note, warn
from evalcore.formats.counts import counted

if TYPE_CHECKING:
    from evalcli.campaigns.database import CampaignDatabase


@click.command(name="worker")
@DATABASE
@PROMPT_LIBRARY
@DATA_SETS
@MODELS
@WORKER_RUNS_DIR
@LEASE
@click.option("--wait", is_flag=True, help="Wait for further campaigns where none is left.")
def command(
    database: str | None,
    prompt_library: Path,
    data_sets: Path | None,
    models: Path | None,
    runs_dir: Path | None,
    lease_s: float,
    *,
    wait: bool,
) -> int:
    """Do runs of the campaigns in a database, until none is left that can be done here.

    Runs of a provider whose key is not set here are left to other workers, as are those that another
    version of evalcli planned. Any number of workers, on any hosts, share the runs out; the limits of a
    campaign hold over all of them. Exit code 3: there was nothing to do.
    """
    require_library(prompt_library)
    places = Places(Sources(prompt_library, data_sets, models), make_runs_dir(runs_dir, prompt_library))
    with (
        _ended_in_order(),
        closing(open_database(database, prompt_library, is_made=True, is_awaited=True)) as opened,
    ):
        return _work(opened, places, lease_s, wait=wait)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM interrupt, as SIGINT does: whoever began the worker knows 130 as an end in order."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _work(database: CampaignDatabase, places: Places, lease_s: float, *, wait: bool) -> int:
    """Do runs until none is left that can be done here."""
    from evalcli.campaigns.work import within_reach, work  # noqa: PLC0415 - needs the extra, as the database

    providers = within_reach(places, os.environ, None)

    def is_done() -> bool:
        return not wait and not database.open_runs(providers)[EVALUATOR]

    for version, count in database.open_runs(providers).items():
        if version != EVALUATOR:
            many = counted(count, "run is", "runs are")
            warn(f"{many} left to workers of evaluator {version}; this is {EVALUATOR}")
    if is_done():
        note("nothing is left to do")
        return Exit.NOTHING
    note(f"working for {', '.join(providers)} from {database.where}")
    work(
        database,
        places,
        lease_s,
        providers=providers,
        evaluator=EVALUATOR,
        is_done=is_done,
        go_on=this_command(database),
    )
    return Exit.DONE
