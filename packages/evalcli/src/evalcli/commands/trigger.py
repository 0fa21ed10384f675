"""`evalcli trigger`: ask the service to evaluate a component on the local models, as the workflow does."""

from __future__ import annotations

import os
import time

import click

from evalcli.commands.arguments import REPLICATES, SKILL_ARGUMENT
from evalcli.exits import Exit
from evalcli.terminal.output import note, print_line, say
from evalcli.workflows.service import (
    JobState,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
    service_from,
)
from evalcli.workflows.waiting import wait_for
from evalcore.formats.counts import counted


@click.command(name="trigger")
@SKILL_ARGUMENT
@REPLICATES
@click.option(
    "--git-sha",
    metavar="SHA",
    envvar="GITHUB_SHA",
    show_default="GITHUB_SHA, else the tip of the default branch",
    help="The commit to evaluate.",
)
@click.option("--model", "models", metavar="ID", multiple=True, help="Only this local model; repeatable.")
@click.option("--wait", "is_waiting", is_flag=True, help="Wait for the job's end, and its pull request.")
def command(
    skill: str, replicates: int, git_sha: str | None, models: tuple[str, ...], *, is_waiting: bool
) -> int:
    """Ask the service on the VM to evaluate SKILL on the local models.

    The service is at EVAL_WEBHOOK_URL; it lets in the token MINDROUTER_EVAL_WEBHOOK_TOKEN, or where that
    is not set GitHub's own token of an Actions job. Exit code 1: it refuses, is busy or not reached, or
    with --wait the job failed.
    """
    service = service_from(os.environ)
    try:
        started = service.evaluate(ServiceRequest(skill, replicates, git_sha, models))
        note(f"job {started.job_id}: {counted(started.calls, 'call')} at {started.prompt_commit[:12]}")
        if not is_waiting:
            print_line(f"{service.url}/jobs/{started.job_id}")
            return Exit.DONE
        return _ended(wait_for(service, started.job_id, sleep=time.sleep, show=note))
    except (ServiceRefused, ServiceUnreachable) as error:
        say(f"evalcli: {error.line}")
        return Exit.INCOMPLETE


def _ended(job: JobState) -> int:
    result = job.result
    for row in result.models if result is not None else ():
        note(f"{row.model}: {row.status}")
    if result is not None and result.pull_request_url:
        print_line(result.pull_request_url)
    if job.status == "completed":
        return Exit.DONE
    why = f": {job.error.code}: {job.error.message}" if job.error is not None else ""
    say(f"evalcli: job {job.job_id} {job.status}{why}")
    return Exit.INCOMPLETE
