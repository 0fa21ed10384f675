"""The log: one JSON object a line on standard output, with the request's id, without secrets."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET: Final = {
    "httpx": "WARNING",
    "httpcore": "WARNING",
    "git": "WARNING",
    "github": "WARNING",
    "urllib3": "ERROR",
}
"""Libraries that would write whole URLs, or every line that git says."""
log = structlog.stdlib.get_logger(__name__)


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
    # Python itself would print the error's words to standard error, unmasked.
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
        # Anything else is written by `repr`, which shows what it holds, and a secret with it.
        return self._scrub(value if isinstance(value, str) else repr(value))


class _Lines:
    """Writes an event as a line, and gives a job's lines to its own log too."""

    def __init__(self, job_logs: JobLogs | None) -> None:
        self._job_logs = job_logs

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        # JSON escapes line breaks: nothing that is logged can begin a line that looks like ours.
        line = json.dumps(event)
        job_id = event.get("job_id")
        if self._job_logs is not None and isinstance(job_id, str):
            self._job_logs.append(job_id, line)
        return line


JOB_ID: Final = re.compile(r"[0-9a-f-]{36}")
MAX_BYTES: Final = 1024 * 1024
"""Of each of the two files: the newest lines are in `job.log`, those before them in `job.log.1`."""


class JobLogs:
    """The logs of the jobs in one folder; a line that cannot be written stands on standard output."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def append(self, job_id: str, line: str) -> None:
        """Append a line to a job's log."""
        # The id becomes a path: what is no id of ours must not name a file elsewhere.
        if JOB_ID.fullmatch(job_id) is None:
            return
        path = self._folder / job_id / "job.log"
        # A full disk must not end the request or the job that logs; the job's own writes report it.
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            data = line.encode(errors="replace") + b"\n"
            # In one write, for appending: lines of several threads never mix. No link is followed out of the
            # folder.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            try:
                is_full = os.fstat(descriptor).st_size + len(data) > self._max_bytes
                if not is_full:
                    os.write(descriptor, data)
            finally:
                os.close(descriptor)
            if is_full:
                path.replace(path.with_name("job.log.1"))
                path.write_bytes(data[: self._max_bytes])
