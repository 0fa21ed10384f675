"""Where GraphQL is looked for, and which of its answers are errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from github import Auth, Github, GithubException

from evalcore.github.graphql import ask

BESIDE, BELOW = "/api/graphql", "/api/v3/graphql"
Answers = dict[str, tuple[int, object]]


@pytest.fixture
def asked() -> Iterator[Callable[[Answers], tuple[object, list[str]]]]:
    """Ask a server that answers so, and 404 elsewhere; returns the answer and the paths that were asked."""
    servers = []

    def serve(answers: Answers) -> tuple[object, list[str]]:
        paths: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                paths.append(self.path)
                status, answer = answers.get(self.path, (404, {"message": "Not Found"}))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{servers[-1].server_port}/api/v3"
        options = {"retry": None, "seconds_between_requests": None, "seconds_between_writes": None}
        with Github(auth=Auth.Token("t"), base_url=url, **options) as client:
            try:
                return ask(client, "query { viewer { login } }", {}), paths
            except GithubException as error:
                return error, paths

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


FOUND = {"data": {"viewer": {"login": "us"}}}
REFUSED = {"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]}
UNKNOWN = {"data": None, "errors": [{"type": "NOT_FOUND", "message": "there is no such repository"}]}


def test_it_is_asked_beside_the_root_first(asked):
    assert asked({BESIDE: (200, FOUND), BELOW: (200, {})}) == (FOUND, [BESIDE])


def test_where_nothing_is_there_it_is_asked_below_the_root(asked):
    assert asked({BELOW: (200, FOUND)}) == (FOUND, [BESIDE, BELOW])


@pytest.mark.parametrize("answer", [REFUSED, UNKNOWN])
def test_what_graphql_itself_refuses_is_asked_nowhere_else(asked, answer):
    error, paths = asked({BESIDE: (200, answer), BELOW: (200, FOUND)})
    assert isinstance(error, GithubException)
    assert error.data == answer
    assert paths == [BESIDE]


@pytest.mark.parametrize("answer", [REFUSED, UNKNOWN])
def test_errors_within_an_answer_are_errors_below_the_root_too(asked, answer):
    error, _ = asked({BELOW: (200, answer)})
    assert isinstance(error, GithubException)
    assert error.data == answer


@pytest.mark.parametrize("status", [401, 502])
def test_another_failure_is_asked_nowhere_else(asked, status):
    error, paths = asked({BESIDE: (status, {"message": "x"}), BELOW: (200, FOUND)})
    assert (isinstance(error, GithubException), paths) == (True, [BESIDE])
