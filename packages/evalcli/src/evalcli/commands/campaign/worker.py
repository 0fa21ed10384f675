"""`evalcli campaign worker`: do runs of whatever campaigns a shared database holds."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

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
    with closing(open_database(database, prompt_library, is_made=True)) as opened:
        from evalcli.campaigns.work import within_reach, work  # noqa: PLC0415 - needs the extra, as the database

        providers = within_reach(places, os.environ, None)

        def is_done() -> bool:
            return not wait and not opened.open_runs(providers)[EVALUATOR]

        for version, count in opened.open_runs(providers).items():
            if version != EVALUATOR:
                many = counted(count, "run is", "runs are")
                warn(f"{many} left to workers of evaluator {version}; this is {EVALUATOR}")
        if is_done():
            note("nothing is left to do")
            return Exit.NOTHING
        note(f"working for {', '.join(providers)} from {opened.where}")
        work(
            opened,
            places,
            lease_s,
            providers=providers,
            evaluator=EVALUATOR,
            is_done=is_done,
            go_on=this_command(opened),
        )
    return Exit.DONE
