"""`evalcli publish`: run records as a pull request to the prompt library, as the service makes one."""

from __future__ import annotations

import os
from pathlib import Path

import click

from evalcli.commands.arguments import LIBRARY, REPO, SELECTOR, library_around
from evalcli.exits import Exit
from evalcli.leaderboards.places import RUNS_IN_LIBRARY
from evalcli.leaderboards.published_cases import published_cases
from evalcli.terminal.completion import completed_by
from evalcli.terminal.output import note, say
from evalcli.workflows.environment import github_access, github_of
from evalcli.workflows.kept_runs import kept_runs, left_sentence, named_folders
from evalcli.workflows.publish_outcome import say_published
from evalcli.workflows.publishing import (
    clone_of,
    publish_group,
    published_ids,
    pull_request_options,
    reports_of,
)
from evalcli.workflows.results import groups, read_results
from evalcore.errors import RepositoryError


@click.command(name="publish")
@click.argument(
    "results",
    metavar="RUN|RECORDS.json...",
    nargs=-1,
    required=True,
    type=SELECTOR,
    shell_complete=completed_by("runs"),
)
@REPO
@click.option(
    "--prompt-library",
    type=LIBRARY,
    show_default="a clone made for the while",
    help="A whole clone to publish from; its checkout stays as it is.",
)
@click.option("--publish-report", is_flag=True, help="Add a report of each run whose folder is named.")
def command(results: tuple[str, ...], repo: str, prompt_library: Path | None, *, publish_report: bool) -> int:
    """Publish runs: a branch, a commit of leaderboard.json, and a pull request, as the service makes them.

    RUN is a run's folder or, of the runs of the prompt library that is named or that one is in: an id, the
    beginning of one, SKILL@VERSION/MODEL (the newest such run), SKILL@VERSION (all its complete runs), or
    SKILL (those of its newest version that has any). What is left of the component's kept runs is said.

    Records are merged by run id; those that are published already change nothing. The token is
    GITHUB_TOKEN, or a GitHub App's as the service's. Cases of the data sets are hashed. Exit code 1: git
    or GitHub refuses.
    """
    runs_dir = (prompt_library or library_around(Path())) / RUNS_IN_LIBRARY
    paths = [path for name in results for path in _paths(name, runs_dir)]
    # A pull request is read by others, wherever it is made.
    published = published_cases(os.environ, made="actions")
    access = github_access(os.environ, repo)
    options = pull_request_options(os.environ, publish_reports=publish_report)
    found = groups(read_results(paths, published))
    # Made before anything is pushed: a run that has no report is found now.
    reports = [reports_of(group, published) if options.publish_reports else {} for group in found]
    shown: set[str] = set()
    try:
        github = github_of(access)
        with clone_of(access, os.environ, prompt_library) as clone:
            for group, files in zip(found, reports, strict=True):
                may_be_named = published.setting == "names"
                made = publish_group(group, clone, github, options, files, may_be_named=may_be_named)
                say_published(group, made, access)
                shown |= published_ids(group, clone)
    # 1, not 2: what was asked is right, and asking again may succeed. What was published before stays.
    except RepositoryError as error:
        say(f"evalcli: {error.line}")
        return Exit.INCOMPLETE
    for slug in sorted({group.slug for group in found if group.slug is not None}):
        left = left_sentence(slug, kept_runs(runs_dir, slug), shown)
        if left is not None:
            note(left)
    return Exit.DONE


def _paths(name: str, runs_dir: Path) -> list[Path]:
    return [path] if (path := Path(name)).exists() else named_folders(name, runs_dir)
