"""What is said of results that were published: here, and on the pull request that brought a regression."""

from __future__ import annotations

from datetime import datetime

from evalcli.terminal.output import note, print_line
from evalcli.workflows.environment import GitHubAccess, commenter_of
from evalcli.workflows.results import Group, published_runs
from evalcore.errors import RepositoryError
from evalcore.formats.counts import counted
from evalcore.github.client import slug_of
from evalcore.github.reports import Note
from evalcore.publishing.outbox import Published, Regression
from evalcore.publishing.regressions import comment_mark, comment_text


def say_published(group: Group, made: Published, access: GitHubAccess) -> None:
    """Print the pull request of a group's results, or say that it is nothing new; say of a regression."""
    if made.pull_request_url is None:
        runs = counted(len(group.records), "run")
        of = f"{group.name} at {group.prompt_commit[:12]}"
        note(f"nothing new: {access.repository} has {runs} of {of} already")
        return
    print_line(made.pull_request_url)
    note(published_runs(group))
    if made.sentence:
        note(made.sentence)
    say_regression(group, made, access)


def say_regression(group: Group, made: Published, access: GitHubAccess) -> None:
    """Say which models got worse, and comment where the version came from; nothing where none did.

    Results are published whether or not a comment may be written.
    """
    if made.regression is None:
        return
    said = f"{made.regression.version}: {made.regression.summary}"
    note(f"regression, left for a person to merge: {said}")
    try:
        page = commenter_of(access).comment_on_origin(
            group.prompt_commit, _comment(group, made, made.regression)
        )
    except RepositoryError as error:
        note(f"the pull request that brought the version is not told: {error.line}")
    else:
        if page is not None:
            note(f"told on {page}")


def _comment(group: Group, made: Published, regression: Regression) -> Note:
    """Write the comment on the pull request that brought the version: one for each job."""
    records = group.records
    # The records may not say whose they are; the branch of one component's results does.
    slug = group.slug or slug_of(made.branch or "") or ""
    return Note(
        issue_mark="",
        job_mark=comment_mark(min(record.job_id for record in records)),
        text=comment_text(slug, regression, made.pull_request_url),
        since=datetime.fromisoformat(min(record.started_at for record in records)),
    )
