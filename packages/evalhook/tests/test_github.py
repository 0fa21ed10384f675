"""GitHub's side of commit-back: which pull requests are ours, refusals in words, tokens, no secret shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from evalcore.errors import RepositoryError
from evalcore.git.errors import InsecureRemote
from evalcore.github.client import GitHub, git_origin
from evalcore.github.tokens import AppTokens, FixedToken
from evalcore.github.transport import GitHubRefused, GitHubUnreachable, PullRequestRefused
from evalcore.secret import Secret
from evalsim.github import Fault, SimulatedGitHub
from evalsim.github.repository import run_git
from evalsim.serving import running

TOKEN = "ghp_canary_7f3a9b2c4d5e6f708192a3b4c5d6e7f8"
NAME = "acme/prompt-library"
BRANCH = "eval-results/budget-0123456789ab-20260101T000000Z"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimulatedGitHub, str]]:
    app = SimulatedGitHub(tmp_path_factory.mktemp("github"), token=TOKEN)
    with running(app) as url:
        yield app, url


@pytest.fixture
def app(served: tuple[SimulatedGitHub, str], tmp_path: Path) -> SimulatedGitHub:
    """The simulated GitHub with a repository made for this test."""
    app, _ = served
    app.state.faults.clear()
    app.state.root = tmp_path
    (tmp_path / "seed").mkdir()
    app.state.add_repository(NAME, tmp_path / "seed")
    return app


@pytest.fixture
def api(served: tuple[SimulatedGitHub, str]) -> str:
    return f"{served[1]}/api/v3"


def push_branch(app: SimulatedGitHub, name: str) -> None:
    """Put a branch with one commit more than main on the remote."""
    bare = app.state.repositories[NAME].bare
    commit = run_git(bare.path, "commit-tree", "main^{tree}", "-p", "main", "-m", "x").stdout.strip()
    assert run_git(bare.path, "branch", name, commit).returncode == 0


def client(api: str, token: str = TOKEN, **settings: Any) -> GitHub:
    return GitHub(NAME, FixedToken(Secret(token)), api_url=api, **{"retries": 0} | settings)


def test_pull_request_is_opened_once_and_labelled_once(app: SimulatedGitHub, api: str) -> None:
    push_branch(app, BRANCH)
    first = client(api).open_pull_request(BRANCH, "main", "Title", "Body")
    again = client(api).open_pull_request(BRANCH, "main", "Title", "Body")
    assert first == again
    assert first.url.endswith(f"/{NAME}/pull/1")
    client(api).add_labels(first, ["eval-results", "automerge"])
    labelled = client(api).pull_request_of(BRANCH)
    assert labelled is not None
    assert labelled.labels == ("eval-results", "automerge")
    app.state.faults.add(Fault(on="labels.add", status=500))
    client(api).add_labels(labelled, ["automerge"])  # there already: nothing is asked of GitHub


def test_only_results_of_that_component_are_listed_newest_first(app: SimulatedGitHub, api: str) -> None:
    newer = BRANCH.replace("20260101", "20260102")
    others = ("eval-results/budget-extra-0123456789ab-20260101T000000Z", "eval-results/budget-x", "topic")
    for branch in (BRANCH, newer, *others):
        push_branch(app, branch)
        client(api).open_pull_request(branch, "main", branch, "")
    assert [pull.branch for pull in client(api).results_pull_requests("budget", "main")] == [newer, BRANCH]
    assert client(api).results_pull_requests("budget", "trunk") == []
    assert client(api).results_pull_requests("b.dget", "main") == []


def test_pull_request_whose_answer_was_lost_is_found(app: SimulatedGitHub, api: str) -> None:
    push_branch(app, BRANCH)
    app.state.faults.add(Fault(on="pulls.create", answer_lost=True, times=1))
    assert client(api).open_pull_request(BRANCH, "main", "Title", "Body").number == 1
    assert len(app.state.repositories[NAME].pulls) == 1


def test_passing_error_of_githubs_is_tried_again(app: SimulatedGitHub, api: str) -> None:
    app.state.faults.add(Fault(on="pulls.list", status=502, times=1))
    assert client(api, retries=2).results_pull_requests("budget", "main") == []


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
    app: SimulatedGitHub, api: str, status: int, error: type[RepositoryError]
) -> None:
    push_branch(app, BRANCH)
    app.state.faults.add(Fault(on="pulls.create", status=status, message=f"No, {TOKEN}\n\x1b[31m because"))
    with pytest.raises(error) as caught:
        client(api).open_pull_request(BRANCH, "main", "Title", "Body")
    assert f"cannot open the pull request: GitHub answers {status}, No, [token]" in caught.value.line
    assert caught.value.hint
    assert "\x1b" not in caught.value.line


def test_rate_limit_is_something_that_passes(app: SimulatedGitHub, api: str) -> None:
    words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    app.state.faults.add(Fault(on="pulls.list", status=403, message=words))
    with pytest.raises(GitHubUnreachable, match="the rate limit passes") as caught:
        client(api).results_pull_requests("budget", "main")
    assert caught.value.retryable


def test_a_secondary_rate_limit_says_when_to_come_back(app: SimulatedGitHub, api: str) -> None:
    words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    app.state.faults.add(Fault(on="pulls.list", status=403, message=words, retry_after=77))
    with pytest.raises(GitHubUnreachable) as caught:
        client(api, retries=0).results_pull_requests("budget", "main")
    assert caught.value.retry_after == 77


@pytest.mark.usefixtures("app")
def test_validation_errors_tell_what_failed(api: str) -> None:
    with pytest.raises(PullRequestRefused, match="Validation Failed: head invalid"):
        client(api).open_pull_request("nowhere", "main", "Title", "Body")


@pytest.mark.usefixtures("app")
def test_wrong_token_is_told_and_not_shown(api: str) -> None:
    with pytest.raises(GitHubRefused, match="401, Bad credentials") as caught:
        client(api, "ghp_wrong_canary").check()
    assert "ghp_wrong_canary" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("app")
def test_repository_is_looked_at(api: str) -> None:
    assert client(api).check() == "main"


def test_github_that_is_not_there_is_told() -> None:
    with pytest.raises(GitHubUnreachable, match="cannot be reached"):
        client("http://127.0.0.1:9").check()


def test_plain_http_is_refused_beyond_loopback() -> None:
    with pytest.raises(InsecureRemote, match="plain HTTP"):
        client("http://github.example.invalid/api/v3")
    client("http://github.example.invalid/api/v3", allow_http=True)


@pytest.mark.parametrize(
    ("api_url", "origin"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://GitHub.acme.example/api/v3", "https://github.acme.example"),
        ("http://127.0.0.1:8082/api/v3", "http://127.0.0.1:8082"),
    ],
)
def test_remotes_of_an_api_are_known(api_url: str, origin: str) -> None:
    assert git_origin(api_url) == origin


def test_apps_token_is_kept_for_an_hour_and_renewed_in_time(app: SimulatedGitHub, api: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app.state.add_app("77", public)
    clock = [datetime.now(UTC)]
    tokens = AppTokens(77, private, NAME, api_url=api, now=lambda: clock[0])
    first = tokens.token()
    assert GitHub(NAME, tokens, api_url=api).check() == "main"
    clock[0] += timedelta(minutes=50)
    assert tokens.token() == first
    clock[0] += timedelta(minutes=6)
    assert tokens.token() != first


def test_apps_wrong_key_is_told_and_not_shown(app: SimulatedGitHub, api: str) -> None:
    app.state.add_app("78", "no key")
    broken = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----"
    with pytest.raises(GitHubRefused, match="make a token for the app") as caught:
        AppTokens(78, broken, NAME, api_url=api).token()
    assert "Y2FuYXJ5" not in str(caught.value)
