"""From the environment to a running service."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from litestar.types import ASGIApp

from evalcore.errors import ConfigurationError
from evalcore.secret import Scrubber
from evalhook.app import create_app
from evalhook.config.settings import Settings, read_settings
from evalhook.monitoring.events import EventHub
from evalhook.monitoring.logs import log_crashes
from evalhook.monitoring.metrics_server import unusable_address
from evalhook.security.connections import LimitedProtocol
from evalhook.wiring import start_logging

GRACE_SECONDS: Final = 5
"""For open answers after the first signal; a running job has a grace time of its own."""


def start(environ: Mapping[str, str]) -> None:
    """Serve until a signal stops it; raises ConfigurationError where a setting is missing or wrong."""
    settings = read_settings(environ)
    require_clones(settings)
    require_metrics_address(settings)
    scrub = Scrubber(settings.secrets)
    start_logging(settings, scrub)
    log_crashes()
    hub = EventHub()
    serve(create_app(settings, scrub=scrub, hub=hub), settings, stopping=hub.close)


def require_clones(settings: Settings) -> None:
    """Refuse a clone that is absent and has no URL to be made from: no retry would make it."""
    named = (
        ("EVALHOOK_PROMPT_LIBRARY", settings.prompt_library, settings.prompt_library_url),
        ("EVALHOOK_DATA_SETS", settings.data_sets, settings.data_sets_url),
    )
    for name, path, url in named:
        if path is not None and url is None and not Path(path).is_dir():
            hint = f"clone it there, or set {name}_URL"
            raise ConfigurationError("there is no such folder", where=f"{name} {path}", hint=hint)


def require_metrics_address(settings: Settings) -> None:
    """Refuse a taken address for the metrics now: later the error would seem to be the server's own."""
    if settings.metrics_bind is None:
        return
    host, port = settings.metrics_bind
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise unusable_address(host, port) from error


class SignalledServer(uvicorn.Server):
    """Uvicorn, but a signal that stopped it is not raised again: an ordered stop is exit code 0."""

    stopping: Callable[[], None] = staticmethod(lambda: None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        # Before uvicorn's own: it waits for open answers, of which event streams have no end of their own.
        self.stopping()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in good order on SIGTERM and SIGINT."""
        # Both set whatever they were before: a shell starts background processes with SIGINT ignored.
        wanted = (signal.SIGTERM, signal.SIGINT)
        former = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def serve(app: ASGIApp, settings: Settings, stopping: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT; raises ConfigurationError where it cannot begin.

    `stopping` is called with the first signal, so that answers without an end can be ended.
    """
    server = SignalledServer(server_config(app, settings.host, settings.port))
    server.stopping = stopping
    asyncio.run(_served(server, settings))


def server_config(
    app: ASGIApp, host: str, port: int, protocol: type[LimitedProtocol] = LimitedProtocol
) -> uvicorn.Config:
    """Return how uvicorn is to serve; `security.proxies` determines clients, not uvicorn."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would believe any peer on a list of its own; `security.proxies` is the one that decides.
        proxy_headers=False,
        lifespan="on",
        # There is no websocket here: what is not loaded cannot be attacked.
        ws="none",
        h11_max_incomplete_event_size=protocol.limits.header_bytes,
        timeout_keep_alive=protocol.limits.idle_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def _served(server: SignalledServer, settings: Settings) -> None:
    where = f"EVALHOOK_BIND {settings.host}:{settings.port}"
    try:
        await server.serve()
    except SystemExit as error:
        # How uvicorn says that the address cannot be bound; it has logged the reason.
        raise ConfigurationError("cannot listen there", where=where, hint="is the port taken?") from error
    if not server.started:
        raise ConfigurationError("the service could not begin", where=where, hint="its log says why")
