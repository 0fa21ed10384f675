"""Serves the figures on an address of their own, within limits: whoever reaches it needs no token."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app

from evalcore.errors import ConfigurationError

PLACES: Final = 16
"""Connections at once; each has a thread, and files of the process that the API needs."""
SECONDS: Final = 10.0
"""For one connection, all of it."""
log = structlog.stdlib.get_logger(__name__)


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as it is called there
        """Log nothing."""


class _Server(ThreadingWSGIServer):
    """Closes connections that are too many at once, and cuts those that take too long."""

    request_queue_size = 2 * PLACES

    def __init__(self, host: str, port: int, registry: CollectorRegistry, seconds: float) -> None:
        self._places = threading.BoundedSemaphore(PLACES)
        self._seconds = seconds
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _SilentHandler)
        self.set_app(make_wsgi_app(registry))

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            # Closed and not waited with: a place may be held for SECONDS, and `accept` serves one after the
            # other.
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        # Of the whole connection: a time limit of the socket begins anew with each byte.
        cut = threading.Timer(self._seconds, _end, [request])
        cut.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cut.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Log that a client went away; the standard library prints a traceback, which anybody could cause."""
        log.info(
            "metrics_connection_broken",
            client=client_address[0],
            exc_info=not isinstance(sys.exc_info()[1], OSError),
        )


def unusable_address(host: str, port: int) -> ConfigurationError:
    """Make the error of an address at which nothing can listen."""
    where = f"EVALHOOK_METRICS_BIND {host}:{port}"
    return ConfigurationError("cannot listen there", where=where, hint="is the port taken?")


@contextmanager
def serving(registry: CollectorRegistry, host: str, port: int, seconds: float = SECONDS) -> Iterator[None]:
    """Serve a registry while the block runs; raises ConfigurationError where the address cannot be had."""
    try:
        server = _Server(host, port, registry, seconds)
    except OSError as error:
        raise unusable_address(host, port) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        # Waited for: no thread is to outlive the service.
        thread.join()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)
