"""A small JSON document over HTTP: bounded, without redirects, each failure in one line."""

from __future__ import annotations

from typing import Any

import pytest

from evalhook.security.fetch import FetchFailed, fetch_json
from evalsim.serving import running


class Server:
    """Answers every request with one status and body."""

    def __init__(self, status: int, body: bytes, **headers: str) -> None:
        self.status, self.body = status, body
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.seen: list[dict[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        self.seen.append(dict(scope["headers"]))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def test_a_document_is_fetched_without_credentials() -> None:
    server = Server(200, b'{"a": [1]}')
    with running(server) as url:
        assert fetch_json(url, 100) == {"a": [1]}
    assert b"authorization" not in server.seen[0]
    assert server.seen[0][b"user-agent"].startswith(b"evalhook/")


@pytest.mark.parametrize(
    ("server", "words", "is_missing"),
    [
        (Server(404, b""), "answered 404", True),
        (Server(500, b""), "answered 500", False),
        (Server(302, b"", location="http://127.0.0.1:1/"), "answered 302", False),
        (Server(200, b"[" + b"1," * 100 + b"1]"), "more than 100 bytes", False),
        (Server(200, b"<html>"), "no JSON", False),
        (Server(200, b"\xff"), "no JSON", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_is_a_failure_in_one_line(server: Server, words: str, is_missing: bool) -> None:  # noqa: FBT001
    with running(server) as url, pytest.raises(FetchFailed, match=words) as failure:
        fetch_json(url, 100)
    assert failure.value.is_missing is is_missing
    assert "\n" not in str(failure.value)


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(FetchFailed, match="does not answer"):
        fetch_json("http://127.0.0.1:9/", 100)
