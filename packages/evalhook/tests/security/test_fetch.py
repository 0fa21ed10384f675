"""A small JSON document over HTTP: bounded, without redirects, each failure in one line."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def dripping(*, beginning: bytes) -> Iterator[str]:
    """A server that sends `beginning`, and then one byte after the other for as long as somebody listens."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not ended.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    "beginning",
    [b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["before the answer", "in a header", "in the body"],
)
def test_a_server_that_sends_a_byte_now_and_then_holds_nobody(beginning: bytes) -> None:
    with dripping(beginning=beginning) as url, pytest.raises(FetchFailed, match="did not answer within"):
        fetch_json(url, 100_000, seconds=0.3)


def test_what_is_packed_is_not_unpacked() -> None:
    server = Server(200, gzip.compress(b" " * 10_000_000 + b"{}"), **{"content-encoding": "gzip"})
    with running(server) as url, pytest.raises(FetchFailed, match="no JSON"):
        fetch_json(url, 100_000)
    assert server.seen[0][b"accept-encoding"] == b"identity"
