"""Serves a simulated application over real HTTP on a loopback port, in a thread of this process."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from uvicorn._types import ASGIApplication

START_SECONDS = 10.0
"""How long a server may take to start, and to stop."""


class ConnectionCut(httpx.RemoteProtocolError):
    """What an application raises to cut its connection in the middle of an answer.

    Over real HTTP the server closes the connection; over `httpx.ASGITransport` the caller sees
    the error that a cut connection gives it.
    """

    def __init__(self) -> None:
        super().__init__("the connection was cut")


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _is_told(record: logging.LogRecord) -> bool:
    """Whether a log record is news: a cut connection was asked for, so its traceback is none."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, ConnectionCut)


def server_config(app: ASGIApplication) -> uvicorn.Config:
    """The settings of every simulated server: no access log, and quick to stop."""
    logging.getLogger("uvicorn.error").addFilter(_is_told)
    return uvicorn.Config(
        app, log_config=None, log_level="error", access_log=False, timeout_graceful_shutdown=1, ws="none"
    )


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket before the server starts, so that its port is known and nobody's else."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def address(bound: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def running(app: ASGIApplication, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` in a thread while the block runs; gives its base URL, without a trailing slash."""
    server = _Server(server_config(app))
    with listen(host, port) as bound:
        url = address(bound)
        thread = threading.Thread(target=_serve, args=(server, bound), name=f"simulated {url}", daemon=True)
        thread.start()
        try:
            if not server.ready.wait(START_SECONDS) or server.should_exit:
                raise RuntimeError(f"the simulated server did not start on {url}")
            yield url
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


def _serve(server: uvicorn.Server, bound: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[bound]))
