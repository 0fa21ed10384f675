"""Whoever reaches the address of the figures needs no token, and can hold nothing but a few connections."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from evalhook.monitoring.metrics_server import PLACES, serving

SECONDS = 0.5


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with serving(CollectorRegistry(), "127.0.0.1", port, SECONDS):
        yield port


def begun(stack: ExitStack, port: int) -> socket.socket:
    """A connection that has sent half a request."""
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
    connection.sendall(b"GET /metr")
    return connection


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_sends_too_slowly_is_cut(port: int) -> None:
    with ExitStack() as stack:
        assert begun(stack, port).recv(1) == b""
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200


def test_who_breaks_off_leaves_one_line_and_no_traceback(
    port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        connection = begun(stack, port)
        # closed with a reset, so that the reading server gets an error and not an end
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with capture_logs() as lines:
            connection.close()
            until(lambda: bool(lines))
    assert [line["event"] for line in lines] == ["metrics_connection_broken"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_no_more_are_served_at_once_than_there_are_places(port: int) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        connections = [begun(stack, port) for _ in range(2 * PLACES)]
        for connection in connections[PLACES:]:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        # one that serves and one that cuts it, for each
        assert threading.active_count() <= before + 2 * PLACES
        assert connections[0].recv(1) == b"", "its place is free again"
