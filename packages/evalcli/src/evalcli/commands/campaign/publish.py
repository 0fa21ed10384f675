"""`evalcli campaign publish`: a campaign's runs as pull requests, one for each component or one for all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from evalcli.campaigns.assignment import RunState
from evalcli.commands.arguments import PROMPT_LIBRARY
from evalcli.commands.campaign.options import CAMPAIGN, DATABASE, begun_campaign, open_database
from evalcli.exits import Exit, refuse
from evalcli.leaderboards.files import add_to_leaderboard, leaderboard_path
from evalcli.leaderboards.published_cases import published_cases
from evalcli.terminal.output import note, print_line, say, warn
from evalcli.workflows.environment import github_access, github_of
from evalcli.workflows.publish_outcome import say_published, say_regression
from evalcli.workflows.publishing import (
    clone_of,
    publish_group,
    publish_groups_together,
    pull_request_options,
)
from evalcli.workflows.results import ReadRecord, groups
from evalcore.errors import RepositoryError
from evalcore.formats.counts import counted
from evalcore.publishing.outbox import Published
from evalcore.runs.record import RunRecord


@click.command(name="publish")
@CAMPAIGN
@click.option(
    "--repo",
    metavar="OWNER/NAME",
    envvar="GITHUB_REPOSITORY",
    show_default="GITHUB_REPOSITORY",
    help="The prompt library on GitHub.",
)
@DATABASE
@PROMPT_LIBRARY
@click.option("--together", is_flag=True, help="One pull request for all components, for a person to merge.")
@click.option("--here", is_flag=True, help="Into the leaderboards of --prompt-library, with no pull request.")
@click.option("--partial", "with_partial", is_flag=True, help="Partial runs as well.")
def command(
    campaign: str,
    repo: str | None,
    database: str | None,
    prompt_library: Path,
    *,
    together: bool,
    here: bool,
    with_partial: bool,
) -> int:
    """Publish what has ended of a campaign: a pull request for each component, as the service makes them.

    CAMPAIGN is its file or its name. Published again, records that are there change nothing. The token is
    GITHUB_TOKEN, or a GitHub App's as the service's. Exit code 1: git or GitHub refuses; 3: nothing is to
    be published.
    """
    if repo is None and not here:
        refuse("it is not said where to", hint="name --repo OWNER/NAME, or --here")
    with closing(open_database(database, prompt_library, is_made=False)) as opened:
        plan = begun_campaign(opened, campaign)
        states = opened.runs(plan.campaign.name)
    wanted = {"complete", "partial"} if with_partial else {"complete"}
    read = [record for state in states if (record := _record(state, wanted)) is not None]
    left = len(plan.runs) - len(read)
    if left:
        warn(f"{counted(left, 'run is', 'runs are')} not published, having not ended, or not complete")
    if not read:
        say("nothing is to be published")
        return Exit.NOTHING
    if repo is None or here:
        _add_here(read, prompt_library)
        return Exit.DONE
    return _propose(plan.campaign.name, read, repo, together=together)


def _add_here(read: Sequence[ReadRecord], prompt_library: Path) -> None:
    """Add records to the leaderboards of a library; raises LeaderboardError or StorageError."""
    by_component: dict[str, list[RunRecord]] = {}
    for one in read:
        by_component.setdefault(one.slug or "", []).append(one.record)
    for slug, records in sorted(by_component.items()):
        path = leaderboard_path(prompt_library, slug)
        add_to_leaderboard(path, slug, records)
        note(f"{counted(len(records), 'run is', 'runs are')} in {path}")


def _propose(name: str, read: Sequence[ReadRecord], repo: str, *, together: bool) -> int:
    """Publish records on GitHub."""
    access = github_access(os.environ, repo)
    may_be_named = published_cases(os.environ, made="actions").setting == "names"
    options = pull_request_options(os.environ)
    found = groups(read)
    try:
        github = github_of(access)
        with clone_of(access, os.environ, None) as clone:
            if together:
                made, each = publish_groups_together(name, found, clone, github, may_be_named=may_be_named)
                _say(made, repo)
                for group, one in zip(found, each, strict=True):
                    say_regression(group, one, access)
                return Exit.DONE
            for group in found:
                one = publish_group(group, clone, github, options, {}, may_be_named=may_be_named)
                say_published(group, one, access)
    # 1, not 2: what was asked is right, and asking again may succeed. What was published before stays.
    except RepositoryError as error:
        say(f"evalcli: {error.line}")
        return Exit.INCOMPLETE
    return Exit.DONE


def _record(state: RunState, wanted: set[str]) -> ReadRecord | None:
    result = state.result
    if result is None or result.record is None or result.status not in wanted:
        return None
    where = f"{state.assignment.run.key} of campaign {state.assignment.campaign}"
    return ReadRecord(result.record, state.assignment.run.component, where)


def _say(made: Published, repo: str) -> None:
    if made.pull_request_url is None:
        note(f"nothing new: {repo} has these runs already")
        return
    print_line(made.pull_request_url)
    if made.sentence:
        note(made.sentence)
