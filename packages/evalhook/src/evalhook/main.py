"""The command line.

Each command imports its parts when it is called: the web server and GitHub's client take over a second to
import, which `evalhook --help` and a usage error should not wait for.
"""

from __future__ import annotations

import os
import sys

import click

from evalcore.errors import EvaluatorError
from evalcore.formats.counts import counted
from evalcore.version import __version__

UNUSABLE = 2
FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evalhook")
def cli() -> None:
    """Evaluate components on the local models when asked over HTTP."""


@cli.command()
def serve() -> None:
    """Serve the API; all settings come from the environment."""
    from evalhook.commands.serve import start  # noqa: PLC0415

    start(os.environ)


@cli.command()
def check() -> None:
    """Look at every setting and everything the service needs, one line each."""
    from evalhook.commands.check import run_checks  # noqa: PLC0415

    is_fine = True
    for line in run_checks(os.environ):
        click.echo(line.text)
        is_fine = is_fine and line.is_fine
    sys.exit(0 if is_fine else UNUSABLE)


@cli.command()
@click.argument("job_id")
def publish(job_id: str) -> None:
    """Commit back what a failed or cancelled job has; the service does it where it runs."""
    from evalhook.commands.publish import publish_by_hand  # noqa: PLC0415

    job = publish_by_hand(os.environ, job_id)
    where = job.result.pull_request_url or job.result.branch if job.result is not None else None
    if job.status == "completed":
        click.echo(where or "nothing was left to commit back")
        return
    click.echo(f"evalhook: {job.error.message if job.error is not None else job.status}", err=True)
    sys.exit(FAILED)


@cli.command()
@click.argument("skill", required=False)
def rescore(skill: str | None) -> None:
    """Bring leaderboards whose replies are here to the present scoring version, a pull request each."""
    from evalhook.commands.rescore import rescore_leaderboards  # noqa: PLC0415

    is_whole = True
    for done in rescore_leaderboards(os.environ, skill):
        where = None if done.published is None else done.published.pull_request_url or done.published.branch
        click.echo(
            f"{done.slug}: {counted(done.rescored, 'run')} rescored, {done.absent} without replies here"
            + (f"; {where}" if where else "")
        )
        for problem in done.problems:
            click.echo(f"evalhook: {problem}", err=True)
        is_whole = is_whole and not done.problems
    sys.exit(0 if is_whole else FAILED)


def main() -> None:
    """Run the command line; an error of the operator is one line and exit code 2."""
    try:
        cli(prog_name="evalhook")
    except EvaluatorError as error:
        click.echo(f"evalhook: {error.line}", err=True)
        sys.exit(UNUSABLE)
