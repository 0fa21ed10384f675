"""Limits on connections, through raw sockets: slow senders, slow readers, too many, too large."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from evalhook.commands.serve import server_config
from evalhook.security.connections import ConnectionLimits, LimitedProtocol

SHORT = ConnectionLimits(
    connections=4, header_bytes=2048, header_seconds=0.2, body_seconds=0.2, read_seconds=0.2, idle_seconds=1
)
REQUEST = b"GET / HTTP/1.1\r\nHost: hook\r\n\r\n"
BIG = 32 * 1024 * 1024
PATIENCE = 5.0


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers 200; `/body` reads the body first, `/big` answers with more than any buffer holds."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/body":
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        if message["type"] == "http.disconnect":
            return
    body = b"x" * BIG if scope["path"] == "/big" else b"fine"
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


class Ready(uvicorn.Server):
    """Uvicorn, telling when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


@contextmanager
def serving(limits: ConnectionLimits) -> Iterator[int]:
    class Protocol(LimitedProtocol):
        pass

    Protocol.limits = limits
    server = Ready(server_config(application, "127.0.0.1", 0, Protocol))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
        thread.start()
        assert server.is_ready.wait(PATIENCE)
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(SHORT) as port:
        yield port


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        yield sock


def drip(sock: socket.socket) -> None:
    """Send a byte now and then, as a slow sender does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        sock.sendall(b"x")
        time.sleep(0.05)


def everything(sock: socket.socket) -> bytes:
    """All that comes until the server closes."""
    data = b""
    try:
        while chunk := sock.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def answered(sock: socket.socket, request: bytes = REQUEST) -> bytes:
    sock.sendall(request)
    data = b""
    while b"fine" not in data:
        chunk = sock.recv(65536)
        assert chunk, data
        data += chunk
    return data


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\nX: "])
def test_a_connection_that_sends_no_whole_header_is_cut(port: int, sent: bytes) -> None:
    with connected(port) as sock:
        sock.sendall(sent)
        assert everything(sock) == b""


def test_a_byte_now_and_then_buys_no_time(port: int) -> None:
    began = time.monotonic()
    with connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            drip(sock)
    assert time.monotonic() < began + PATIENCE


def test_a_slow_body_is_cut(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
        assert everything(sock) == b""


def test_a_body_that_nobody_reads_is_cut_too(port: int) -> None:
    with connected(port) as sock:
        answered(sock, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
        assert everything(sock) == b""


def test_a_slow_header_on_a_kept_connection_is_cut(port: int) -> None:
    with connected(port) as sock:
        answered(sock)
        sock.sendall(b"GET /")
        assert everything(sock) == b""


def test_an_idle_connection_is_closed(port: int) -> None:
    with connected(port) as sock:
        answered(sock)
        answered(sock)
        assert everything(sock) == b""


def test_a_client_that_does_not_read_is_cut(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(REQUEST.replace(b"/ ", b"/big ", 1))
        time.sleep(0.5)  # longer than an answer may wait for its reader
        assert len(everything(sock)) < BIG


def test_headers_over_the_limit_are_431(port: int) -> None:
    with connected(port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 3000)
        head, _, body = everything(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    "odd", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_http_is_refused_in_the_same_envelope(port: int, odd: bytes) -> None:
    with connected(port) as sock:
        sock.sendall(odd)
        head, _, body = everything(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "invalid_request"


def test_connections_that_send_nothing_keep_nobody_out() -> None:
    patient = ConnectionLimits(connections=4, header_seconds=60, idle_seconds=60)
    with serving(patient) as port:
        idle = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(20)]
        try:
            for _ in range(3):
                with connected(port) as sock:
                    assert b" 200 " in answered(sock)
        finally:
            for sock in idle:
                sock.close()
