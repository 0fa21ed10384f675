"""What GitHub refuses becomes an error in GitHub's words, without the token; what passes is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evalcore.errors import RepositoryError
from evalcore.github.transport import GitHubRefused, GitHubUnreachable, PullRequestRefused, _asked_wait
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
    assert caught.value.hint == "the token is wrong or has expired: set another one"
    assert caught.value.__cause__ is None


def test_github_that_is_not_there_is_told(client) -> None:
    with pytest.raises(GitHubUnreachable, match="cannot be reached"):
        client("http://127.0.0.1:9").check()


@pytest.fixture
def answering() -> Iterator[Callable[[bytes, int, dict[str, str]], str]]:
    """Serve one answer to whatever is asked, and return where."""
    servers = []

    def serve(body: bytes, status: int, headers: dict[str, str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/api/v3"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"null", 200, {}),
        (b'[1, null, "x"]', 200, {}),
        (b'{"default_branch": 5, "html_url": [], "permissions": "x", "node_id": {}}', 200, {}),
        (b"[" * 100_000, 200, {}),
        (b"{}", 301, {"Location": "http://127.0.0.2:9/elsewhere"}),
    ],
    ids=["null", "list", "types", "deep", "redirect"],
)
def test_what_is_none_of_githubs_answers_is_an_error_that_says_so(
    answering, client, body: bytes, status: int, headers: dict[str, str]
) -> None:
    github = client(answering(body, status, headers))

    def ask() -> None:
        github.check()
        github.results_pull_requests("budget", "main")

    with pytest.raises(RepositoryError, match="is the address of the API GitHub's API") as caught:
        ask()
    assert GITHUB_TOKEN not in caught.value.line
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "after", ["9" * 5_000, "\u00b2", "-5", "1e9", "nan", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_a_time_to_come_back_that_is_no_number_of_seconds_is_none(after: str) -> None:
    assert _asked_wait({"retry-after": after}) is None
    assert _asked_wait({"x-ratelimit-remaining": "0", "x-ratelimit-reset": after}) is None
