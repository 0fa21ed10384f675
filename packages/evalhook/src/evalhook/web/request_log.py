"""The request log: each request gets an id, which is in its answer and in all that is logged for it."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from evalhook import problems

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Both are a stranger's text in our log: h11 takes them as long as all headers may be.
MAX_METHOD: Final = 20
MAX_PATH: Final = 200
ARRIVAL: Final = "evalhook.arrival"
log = structlog.stdlib.get_logger("evalhook.request")


class RequestLog:
    """Gives every request an id, shows it in the answer, and logs how the request ended."""

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its id bound to all that is logged meanwhile."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _shown_id(scope["headers"]) or self._new_id()
        answer = _Answer(send, request_id)
        started = time.monotonic()
        scope.setdefault("state", {})[ARRIVAL] = started
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            except asyncio.CancelledError:
                # The service stops, and uvicorn ends what is not done by then: a body that is still on its
                # way is anybody's doing, and no crash.
                # It has begun, and no second one can be begun on the same connection.
                if answer.status is not None:
                    raise
                await problems.send_problem(answer, problems.stopping())
            finally:
                # A health check comes every few seconds and says nothing.
                write = log.debug if scope["path"] == "/health" else log.info
                write(
                    "request",
                    method=scope["method"][:MAX_METHOD],
                    path=scope["path"][:MAX_PATH],
                    status=answer.status,
                    duration_ms=round((time.monotonic() - started) * 1000),
                )


def seconds_since_arrival(scope: Scope) -> float:
    """Return how long ago a request arrived, authentication and body included."""
    return time.monotonic() - float(scope["state"][ARRIVAL])


def current_request_id() -> str:
    """Return the id of the request being served; empty outside one."""
    bound: MutableMapping[str, object] = dict(structlog.contextvars.get_contextvars())
    return str(bound.get("request_id", ""))


class _Answer:
    """Adds the id to the answer's headers and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._header = (b"x-request-id", request_id.encode())
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), self._header]
        await self._send(message)


def _shown_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        text = value.decode("latin-1")
        # A proxy's id is taken over, so that both logs can be joined; bounded, for it goes into ours.
        if name.lower() == b"x-request-id" and REQUEST_ID.fullmatch(text):
            return text
    return None
