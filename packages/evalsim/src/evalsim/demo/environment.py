"""The demo's environment: the library pushed to the simulated GitHub, and the real service beside it."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from evalsim.demo.failure import DemoError
from evalsim.demo.leaderboard import GitCheckout
from evalsim.demo.library import Subject, Workspace
from evalsim.demo.outside import SimulatedOutside
from evalsim.demo.processes import Process, free_port, running, wait_until_answering
from evalsim.demo.screen import Screen
from evalsim.demo.service_client import Service, service_command, service_environment
from evalsim.library import as_git

BRANCH = "main"
START_SECONDS = 20.0
LOG_LINES = 20
OWN_POLLS = '"method": "GET", "path": "/jobs/'
"""Lines of the log about the demo's own requests, which say nothing about what went wrong."""


def show_library(workspace: Workspace, subject: Subject, screen: Screen) -> None:
    """Show what is going to be evaluated."""
    screen.step(
        "A prompt library",
        "A component is a prompt with a version; its cases are inputs with answers that people expect.",
    )
    component = subject.component
    screen.fact("component", f"{component.slug} {component.version}, answers with {component.output}")
    screen.fact("cases", ", ".join(case.name for case in subject.cases))
    for skipped in subject.skipped:
        screen.fact("skipped", f"{skipped.case}: {skipped.reason}")
    screen.fact("models", ", ".join(model.id for model in subject.models))
    if workspace.has_added_models:
        screen.fact("", "(simulated ones: the library has no .evaluator/models.yaml, so the copy got one)")
    if workspace.has_other_mindrouter:
        screen.fact("", "(from the simulated MindRouter: the one that models.yaml names is left alone)")


def publish(outside: SimulatedOutside, workspace: Workspace, screen: Screen) -> str:
    """Push the library and the data sets to the simulated GitHub; give the library's commit."""
    screen.step(
        "The world outside, simulated",
        "MindRouter serves local models; GitHub keeps the library. Both answer as the real ones do.",
    )
    screen.fact("MindRouter", outside.mindrouter_url)
    screen.fact("GitHub", outside.github_api_url)
    commit = _push(workspace.library, outside.library_url, outside.github_token)
    screen.checked(f"git push: `{BRANCH}` of {outside.repository} is at {commit[:12]}")
    if workspace.data_sets is not None and outside.data_sets_url is not None:
        tip = _push(workspace.data_sets, outside.data_sets_url, outside.github_token)
        screen.checked(f"git push: `{BRANCH}` of the data sets is at {tip[:12]}")
    return commit


@contextmanager
def real_service(
    outside: SimulatedOutside, screen: Screen, folder: Path, client: httpx.Client
) -> Iterator[Service]:
    """Run `evalhook serve` while the block runs; a DemoError on its way out takes the log's end along."""
    screen.step(
        "The service",
        "`evalhook serve` as it runs on the VM: it clones the library, waits for requests, and calls models.",
    )
    port, token = free_port(), secrets.token_urlsafe(32)
    url = f"http://127.0.0.1:{port}"
    environment = service_environment(outside, folder=folder, port=port, token=token)
    command = service_command()
    with (
        running("service", command, environment=environment, folder=folder) as process,
        _log_in_error(process),
    ):
        wait_until_answering(process, f"{url}/health", seconds=START_SECONDS)
        screen.fact("address", url)
        screen.checked("GET /health answers 200")
        yield Service(client, url, token)


@contextmanager
def _log_in_error(process: Process) -> Iterator[None]:
    try:
        yield
    except DemoError as error:
        # Taken here, while the log is there: the folder goes with the demo.
        error.log = tuple(process.tail(LOG_LINES, without=OWN_POLLS))
        raise


def _push(folder: Path, url: str, token: str) -> str:
    try:
        commit = as_git(folder, branch=BRANCH)
    except FileNotFoundError as error:
        raise DemoError("git is not installed", hint="install git 2.38 or newer") from error
    except subprocess.SubprocessError as error:
        raise DemoError(f"git cannot commit the copy: {error}", where=str(folder)) from error
    checkout = GitCheckout(folder, url, token)
    checkout.push(BRANCH)
    # Asked of the remote itself: what git says of its own push is not looked at from the outside.
    if checkout.tip(BRANCH) != commit:
        raise DemoError(f"the remote's `{BRANCH}` is not at {commit}", where=url)
    return commit
