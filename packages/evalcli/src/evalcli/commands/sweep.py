"""`evalcli sweep`: ask for the evaluations that a prompt library lacks, as the nightly workflow does."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta

import click

from evalcli.commands.arguments import REPO
from evalcli.exits import Exit
from evalcli.terminal.output import note, print_bytes, say
from evalcli.terminal.tables import print_table
from evalcli.terminal.text import Table
from evalcli.workflows.due import Swept
from evalcli.workflows.environment import github_access, github_of
from evalcli.workflows.library_state import read_library
from evalcli.workflows.service import URL, service_from
from evalcli.workflows.sweep import Clock, Sweep, newest_jobs
from evalcore.formats.strict_json import encode_canonical
from evalcore.structs import JsonValue

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
HEADINGS = ("component", "version", "where", "models", "outcome", "why")


class TimeSpan(click.ParamType[timedelta]):
    """A time as `90m`, `24h` or `7d`."""

    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the time."""
        # Five digits: six of days would lead to before the year 1, which `datetime` does not have.
        found = re.fullmatch(r"(\d{1,5})([mhd])", value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is no time; write e.g. 24h or 7d", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.command(name="sweep")
@REPO
@click.option("--since", type=TimeSpan(), metavar="24h", help="Only components that rose within this time.")
@click.option("--missing-models", is_flag=True, help="Also single local models that lack a complete run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on standard output.")
def command(repo: str, since: timedelta | None, *, missing_models: bool, as_json: bool) -> int:
    """Find each component whose present MAJOR.MINOR has no complete run, and ask for its evaluation.

    Runs on the default branch count, and those in open results. Local models are asked of the service,
    one component after the other: the slot is waited for, an hour at most. Cloud models are evaluated by
    the workflow evaluate-cloud.yml, which is started. What failed three times is named, and tried again
    once it changes. Exit code 1: something is left.
    """
    github = github_of(github_access(os.environ, repo))
    service = service_from(os.environ) if os.environ.get(URL, "").strip() else None
    clock = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)
    # Before the library is read: the commits of the jobs are what its components are compared with.
    jobs = newest_jobs(service)
    moment = clock.now() - since if since is not None else None
    library = read_library(github, jobs.commits_by_component(), moment)
    found = Sweep(library, jobs, github, service, clock, note).run(missing_models=missing_models)
    if as_json:
        print_bytes(encode_canonical([_object(one) for one in found]))
    elif found:
        print_table(Table(headings=HEADINGS, rows=tuple(map(_row, found))))
    else:
        say("nothing is left to evaluate")
    return Exit.INCOMPLETE if any(one.outcome == "left" for one in found) else Exit.DONE


def _object(one: Swept) -> JsonValue:
    return {
        "component": one.component,
        "version": one.version,
        "where": one.where,
        "models": list(one.models),
        "outcome": one.outcome,
        "job_id": one.job_id,
        "reason": one.reason,
    }


def _row(one: Swept) -> tuple[str, ...]:
    models = ", ".join(one.models) or "all"
    return one.component, one.version, one.where, models, one.outcome, one.reason or one.job_id or "-"
