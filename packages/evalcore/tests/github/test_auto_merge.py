"""Auto-merge: enabled where the repository allows it, and GitHub's refusals are an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalcore.github.client import GitHub, PullRequest
from evalcore.github.reports import CONTEXT, CommitStatus, GitHubReports
from evalcore.github.tokens import FixedToken
from evalcore.github.transport import GitHubUnreachable
from evalcore.secret import Secret
from evalsim.github import Fault, Repository, SimulatedGitHub
from evalsim.serving import running
from evalsim.testing import GITHUB_TOKEN, REPOSITORY


@pytest.fixture(autouse=True)
def repository(app: SimulatedGitHub) -> Repository:
    """A repository that lets pull requests merge by themselves once a status is there."""
    found = app.state.repositories[REPOSITORY]
    found.allow_auto_merge = True
    found.required_contexts = (CONTEXT,)
    return found


@pytest.fixture
def pull(client: Callable[..., GitHub], push_branch: Callable[[str], None]) -> PullRequest:
    push_branch("results")
    return client().open_pull_request("results", "main", "Results", "")


def succeed(api: str, commit: str) -> None:
    reports = GitHubReports(REPOSITORY, FixedToken(Secret(GITHUB_TOKEN)), api_url=api, retries=0)
    reports.set_status(commit, CommitStatus("success", "well", None))


def test_it_is_merged_as_soon_as_what_its_branch_requires_is_there(
    client, repository, pull, api: str
) -> None:
    assert client().enable_auto_merge(pull) is True
    assert client().enable_auto_merge(pull) is True  # it stays so
    assert repository.pulls[0].state == "open"
    succeed(api, repository.bare.branch("results"))
    assert repository.pulls[0].merged_at is not None


@pytest.mark.parametrize(
    ("methods", "chosen"), [(("MERGE", "SQUASH"), "MERGE"), (("SQUASH", "REBASE"), "SQUASH")]
)
def test_method_is_one_that_the_repository_allows(
    client, repository, pull, methods: Any, chosen: str
) -> None:
    repository.merge_methods = methods
    assert client().enable_auto_merge(pull) is True
    assert repository.pulls[0].auto_merge.method == chosen


def test_repository_that_does_not_allow_it_is_an_answer(client, repository, pull) -> None:
    repository.allow_auto_merge = False
    assert client().enable_auto_merge(pull) is False


def test_pull_request_that_lacks_nothing_is_refused(client, repository, pull) -> None:
    repository.required_contexts = ()
    assert client().enable_auto_merge(pull) is False
    assert repository.pulls[0].state == "open"


def test_token_that_may_not_is_an_answer(client, app: SimulatedGitHub, pull) -> None:
    app.state.add_token("ghp_reader", access="read")
    assert client(token="ghp_reader").enable_auto_merge(pull) is False


@pytest.mark.parametrize("status", [500, 502, 429])
def test_failure_of_githubs_own_is_one_to_come_back_from(client, app, pull, status: int) -> None:
    app.state.faults.add(Fault(on="graphql", status=status, times=1))
    with pytest.raises(GitHubUnreachable, match="enable auto-merge"):
        client().enable_auto_merge(pull)
    assert client().enable_auto_merge(pull) is True


def test_enabled_though_its_answer_was_lost(client, app, pull) -> None:
    app.state.faults.add(Fault(on="graphql", status=502, answer_lost=True, times=2))
    for _ in range(2):
        with pytest.raises(GitHubUnreachable):
            client().enable_auto_merge(pull)
    assert client().enable_auto_merge(pull) is True


class BelowTheRoot:
    """The simulated GitHub with GraphQL at `<root>/graphql` alone, as it is on github.com."""

    def __init__(self, app: SimulatedGitHub) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        places = {"/api/graphql": "/nowhere", "/api/v3/graphql": "/api/graphql"}
        if scope["type"] == "http":
            scope = {**scope, "path": places.get(scope["path"], scope["path"])}
        await self.app(scope, receive, send)


def test_graphql_is_found_below_the_root_where_it_is_not_beside_it(
    app: SimulatedGitHub, client, repository, pull
) -> None:
    app.state.add_token("ghs_app", login="evaluator[bot]")
    with running(BelowTheRoot(app)) as url:
        there = client(url=f"{url}/api/v3", token="ghs_app")
        assert there.account() == "evaluator[bot]"
        assert there.enable_auto_merge(pull) is True
        repository.allow_auto_merge, repository.pulls[0].auto_merge = True, None
        repository.required_contexts = ()
        assert there.enable_auto_merge(pull) is False
    assert repository.pulls[0].auto_merge is None
