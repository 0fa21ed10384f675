"""The log: one JSON object a line on standard output, with the request's id, without secrets."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Final, TextIO

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor, WrappedLogger

from evalhook.watching.job_logs import JobLogs

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET: Final = {
    "httpx": "WARNING",
    "httpcore": "WARNING",
    "git": "WARNING",
    "github": "WARNING",
    "urllib3": "ERROR",
}
"""Libraries that would write whole URLs, or every line that git says."""
MAX_PATH: Final = 200
log = structlog.stdlib.get_logger("evalhook.request")


def configure_logging(
    scrub: Callable[[str], str], stream: TextIO | None = None, job_logs: JobLogs | None = None
) -> None:
    """Send everything that is logged, ours and the libraries', through one pipeline."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request_id,
        # Plain tracebacks: the rich kind shows local variables, and those hold secrets.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _Scrubbed(scrub),
            _Lines(job_logs),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


def log_crashes() -> None:
    """Let what ends a thread or the process be a line of the log too, masked as every other."""
    sys.excepthook = lambda kind, error, trace: log.critical("crashed", exc_info=(kind, error, trace))
    threading.excepthook = lambda args: log.critical("thread_crashed", exc_info=args.exc_value)
    sys.unraisablehook = lambda args: log.error("error_ignored", exc_info=args.exc_value)


def _with_request_id(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event.setdefault("request_id", None)
    return event


class _Scrubbed:
    """Masks known secrets wherever they turn up in a line."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: object) -> object:
        if isinstance(value, bool | int | float | None):
            return value
        return self._scrub(value if isinstance(value, str) else repr(value))


class _Lines:
    """Writes an event as a line, and gives a job's lines to its own log too."""

    def __init__(self, job_logs: JobLogs | None) -> None:
        self._job_logs = job_logs

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        line = json.dumps(event)
        job_id = event.get("job_id")
        if self._job_logs is not None and isinstance(job_id, str):
            self._job_logs.keep(job_id, line)
        return line


class RequestLog:
    """Gives every request an id, tells it in the answer, and logs how the request ended."""

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its id bound to all that is logged meanwhile."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _shown_id(scope["headers"]) or self._new_id()
        answer = _Answer(send, request_id)
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            finally:
                # A health check comes every few seconds and says nothing.
                tell = log.debug if scope["path"] == "/health" else log.info
                tell(
                    "request",
                    method=scope["method"],
                    path=scope["path"][:MAX_PATH],
                    status=answer.status,
                    duration_ms=round((time.monotonic() - started) * 1000),
                )


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
        if name.lower() == b"x-request-id" and REQUEST_ID.fullmatch(text):
            return text
    return None
