"""What GitHub refuses becomes an error in GitHub's words, without the token; what passes is tried again."""

from __future__ import annotations

import pytest

from evalcore.errors import RepositoryError
from evalcore.github.transport import GitHubRefused, GitHubUnreachable, PullRequestRefused
from evalsim.github import Fault, SimulatedGitHub
from evalsim.testing import GITHUB_TOKEN

BRANCH = "eval-results/budget-0123456789ab-20260101T000000Z"


def test_passing_error_of_githubs_is_tried_again(app: SimulatedGitHub, client) -> None:
    app.state.faults.add(Fault(on="pulls.list", status=502, times=1))
    assert client(retries=2).results_pull_requests("budget", "main") == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, GitHubRefused),
        (403, GitHubRefused),
        (404, GitHubRefused),
        (422, PullRequestRefused),
        (500, GitHubUnreachable),
    ],
)
def test_each_refusal_has_its_error_with_githubs_words(
    app: SimulatedGitHub, status: int, error: type[RepositoryError], push_branch, client
) -> None:
    push_branch(BRANCH)
    app.state.faults.add(
        Fault(on="pulls.create", status=status, message=f"No, {GITHUB_TOKEN}\n\x1b[31m because")
    )
    with pytest.raises(error) as caught:
        client().open_pull_request(BRANCH, "main", "Title", "Body")
    assert f"cannot open the pull request: GitHub answers {status}, No, [token]" in caught.value.line
    assert caught.value.hint
    assert "\x1b" not in caught.value.line


def test_rate_limit_is_something_that_passes(app: SimulatedGitHub, client) -> None:
    words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    app.state.faults.add(Fault(on="pulls.list", status=403, message=words))
    with pytest.raises(GitHubUnreachable, match="the rate limit passes") as caught:
        client().results_pull_requests("budget", "main")
    assert caught.value.retryable


def test_a_secondary_rate_limit_says_when_to_come_back(app: SimulatedGitHub, client) -> None:
    words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    app.state.faults.add(Fault(on="pulls.list", status=403, message=words, retry_after=77))
    with pytest.raises(GitHubUnreachable) as caught:
        client(retries=0).results_pull_requests("budget", "main")
    assert caught.value.retry_after == 77


@pytest.mark.usefixtures("app")
def test_validation_errors_tell_what_failed(client) -> None:
    with pytest.raises(PullRequestRefused, match="Validation Failed: head invalid"):
        client().open_pull_request("nowhere", "main", "Title", "Body")


@pytest.mark.usefixtures("app")
def test_wrong_token_is_told_and_not_shown(client) -> None:
    with pytest.raises(GitHubRefused, match="401, Bad credentials") as caught:
        client(token="ghp_wrong_canary").check()
    assert "ghp_wrong_canary" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_github_that_is_not_there_is_told(client) -> None:
    with pytest.raises(GitHubUnreachable, match="cannot be reached"):
        client("http://127.0.0.1:9").check()
