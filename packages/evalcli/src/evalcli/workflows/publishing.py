"""Results to branch, commit and pull request, as the service publishes them, from a clone made for that."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from evalcli.leaderboards.published_cases import PublishedCases
from evalcli.workflows.environment import NAMES, GitHubAccess, github_of
from evalcli.workflows.results import Group, plan_of
from evalcore.errors import CheckoutError, ConfigurationError, RepositoryError
from evalcore.evaluation.report import in_library, report_run
from evalcore.git.clone import FIRST_CLONE_TIMEOUT, Clone
from evalcore.git.credentials import Credentials, origin_of
from evalcore.git.errors import BranchMissing, PushRefused
from evalcore.github.client import GitHub
from evalcore.github.tokens import PUBLIC_API
from evalcore.library.checkout import CommitCheckout
from evalcore.publishing.changes import read_leaderboard
from evalcore.publishing.committer import Committer
from evalcore.publishing.outbox import Published
from evalcore.publishing.pull_request import PullRequestOptions
from evalcore.publishing.together import ComponentResults, publish_together
from evalcore.runs.plan import JobPlan

DASHBOARD_URL: Final = "EVALHOOK_DASHBOARD_URL"
PUBLISH_REPORTS: Final = "EVALHOOK_PUBLISH_REPORTS"
API_PATH: Final = "/api/v3"
"""Of GitHub Enterprise, behind the address of its pages."""


@contextmanager
def clone_of(access: GitHubAccess, environ: Mapping[str, str], folder: Path | None) -> Iterator[Clone]:
    """Give a clone of the repository with its default branch fetched: `folder`, or one made for the while.

    Raises RepositoryError, or CheckoutError where the folder holds a part of the history only.
    """
    # Asked of GitHub first: a wrong token or repository is named before anything is cloned.
    branch = github_of(access).check()
    with tempfile.TemporaryDirectory(prefix="evalcli-publish-") as made:
        root = web_root(access, environ)
        clone = Clone(
            folder or Path(made) / "clone",
            work=Path(made) / "work",
            url=f"{root}/{access.repository}.git",
            default_branch=branch,
            credentials=Credentials(origin_of(root), access.tokens.token, access.tokens.forget),
            allow_http=access.allow_http,
            names=NAMES,
        )
        try:
            clone.ensure()
            # Without history git cannot say whether the default branch holds a commit.
            if clone.git("rev-parse", "--is-shallow-repository").text == "true":
                hint = "check out the whole history (fetch-depth: 0), or leave --prompt-library out"
                raise CheckoutError("is a shallow clone", where=str(folder), hint=hint)
            clone.fetch(branch, timeout=FIRST_CLONE_TIMEOUT)
        except BranchMissing as error:
            what, hint = f"it has no branch {branch} yet", "push the prompt library there first"
            raise BranchMissing(what, where=access.repository, hint=hint) from error
        except RepositoryError as error:
            # A clone made for the while is gone when this is read.
            if folder is None and error.where == str(clone.path):
                raise type(error)(error.what, where=access.repository, hint=error.hint) from error
            raise
        yield clone


def pull_request_options(environ: Mapping[str, str], *, publish_reports: bool = False) -> PullRequestOptions:
    """Read what is chosen of pull requests, of reports by the command line as well.

    Raises ConfigurationError for a dashboard that is no address.
    """
    url = environ.get(DASHBOARD_URL, "").strip()
    if url and not url.startswith(("https://", "http://")):
        hint = "write it as https://owner.github.io/name"
        raise ConfigurationError("is not the address of a site", where=DASHBOARD_URL, hint=hint)
    return PullRequestOptions(
        commit_suffix=environ.get("EVALHOOK_COMMIT_SUFFIX", ""),
        auto_merge=environ.get("EVALHOOK_AUTO_MERGE") == "1",
        dashboard_url=url or None,
        publish_reports=publish_reports or environ.get(PUBLISH_REPORTS) == "1",
    )


def publish_group(
    group: Group,
    clone: Clone,
    github: GitHub,
    options: PullRequestOptions,
    reports: Mapping[str, bytes],
    *,
    may_be_named: bool,
) -> Published:
    """Publish the records of one component, version and commit, with reports by their paths in the library.

    Raises RepositoryError where GitHub or git refuses, or the default branch lacks the commit; otherwise
    as `plan_of`.
    """
    plan = _plan_at_its_commit(group, clone, github, may_be_named=may_be_named)
    committer = Committer(clone, mode="pr", github=github, options=options)
    return committer.publish(plan, group.records, reports=reports)


def published_ids(group: Group, clone: Clone) -> set[str]:
    """Return the ids of all published runs of a group's component, and of its own.

    They are on the default branch, or on one of the component's results branches that publishing has fetched.
    """
    ids = {record.run_id for record in group.records}
    if group.slug is None:
        return ids
    pattern = clone.tracking_ref(f"eval-results/{group.slug}-*")
    fetched = clone.git("for-each-ref", "--format=%(refname)", pattern).text.split()
    for reference in (clone.tracking, *fetched):
        board = read_leaderboard(clone, group.slug, clone.commit_at(reference))
        ids |= {str(run.get("run_id")) for run in board.runs}
    return ids


def publish_groups_together(
    name: str, groups: Sequence[Group], clone: Clone, github: GitHub, *, may_be_named: bool
) -> tuple[Published, list[Published]]:
    """Publish the records of several components in one pull request; raises as `publish_group`.

    Returns what was published, and that of each group.
    """
    parts = [
        ComponentResults(_plan_at_its_commit(group, clone, github, may_be_named=may_be_named), group.records)
        for group in groups
    ]
    made, regressions = publish_together(clone, github, name, parts)
    return made, [msgspec.structs.replace(made, regression=one) for one in regressions]


def _plan_at_its_commit(group: Group, clone: Clone, github: GitHub, *, may_be_named: bool) -> JobPlan:
    commit = group.prompt_commit
    # As the service: results of a commit that may never be merged do not belong on the default branch.
    if not clone.holds(commit):
        what = f"{clone.default_branch} does not hold commit {commit[:12]}, which was evaluated"
        raise PushRefused(what, where=github.repository, hint="merge it first, then publish")
    # The component as it was evaluated: on the default branch it may be another version by now.
    with CommitCheckout(clone.path, commit) as library:
        return plan_of(group, library, may_be_named=may_be_named)


def reports_of(group: Group, published: PublishedCases) -> dict[str, bytes]:
    """Make the reports of a group's runs whose folders were named, by their paths in the prompt library.

    Raises StorageError where a run's files cannot be used.
    """
    from evalcore.reports.run_report.png import draw_png  # noqa: PLC0415 - where reports are wanted alone

    files: dict[str, bytes] = {}
    for folder in dict.fromkeys(Path(one.where) for one in group.read):
        if folder.is_dir():
            report = report_run(folder, published.privacy(folder.resolve().parent))
            files |= in_library(report.summary.config.component, report, draw_png)
    return files


def web_root(access: GitHubAccess, environ: Mapping[str, str]) -> str:
    """Return the address that git remotes begin with; raises ConfigurationError where nothing says it."""
    if access.api_url == PUBLIC_API:
        return "https://github.com"
    if access.api_url.endswith(API_PATH):
        return access.api_url.removesuffix(API_PATH)
    if environ.get("GITHUB_SERVER_URL"):
        return environ["GITHUB_SERVER_URL"].rstrip("/")
    hint = f"let it end in {API_PATH}, or set GITHUB_SERVER_URL"
    raise ConfigurationError("does not say where the git remotes are", where="GITHUB_API_URL", hint=hint)
