"""Serves a simulated application over real HTTP on a loopback port, in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import httpx
import uvicorn
from uvicorn._types import ASGIApplication, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

START_SECONDS = 10.0
"""How long a server may take to start, and to stop."""

BACKLOG = 2048
"""Connections that wait until the server takes them; uvicorn's own number."""


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


class _CuttableProtocol(H11Protocol):
    """Closes the connection when an application raises ConnectionCut, whatever it has sent by then."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        application = self.app

        async def cuttable(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            try:
                await application(scope, receive, send)
            except ConnectionCut:
                self.transport.close()
                # uvicorn answers 500 where an application ends without an answer and the client is not gone
                while (await receive())["type"] != "http.disconnect":
                    pass

        self.app = cuttable


def server_config(app: ASGIApplication) -> uvicorn.Config:
    """The settings of every simulated server: no access log, and quick to stop."""
    return uvicorn.Config(
        app,
        http=_CuttableProtocol,
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        # A simulated silence has no end: whoever waits for one is not to hold up the end of a test.
        timeout_graceful_shutdown=1,
    )


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket before the server starts, so that its port is known and nobody's else."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, or asyncio leaves Nagle's algorithm on: each answer of two writes then comes 40 ms late
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        # from here on requests queue: whoever knows the address may call at once
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def listen_or_refuse(host: str, port: int) -> socket.socket:
    """Listen where a command line says; raises click.BadParameter where that address cannot be had."""
    try:
        return listen(host, port)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise click.BadParameter(message, param_hint="--port") from error


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


def _serve(server: _Server, bound: socket.socket) -> None:
    try:
        asyncio.run(server.serve(sockets=[bound]))
    except SystemExit:
        # uvicorn's way to say that the application did not start; it must not pass for ready
        server.should_exit = True
    finally:
        server.ready.set()
