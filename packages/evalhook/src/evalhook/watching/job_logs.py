"""`<state>/jobs/<job_id>/job.log`: each job's lines of the log in a file of its own, bounded in size."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

JOB_ID: Final = re.compile(r"[0-9a-f-]{36}")
MAX_BYTES: Final = 1024 * 1024
"""Of each of the two files: the newest lines are in `job.log`, those before them in `job.log.1`."""


class JobLogs:
    """The logs of the jobs in one folder; a line that cannot be written stands on standard output."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def keep(self, job_id: str, line: str) -> None:
        """Append a line to a job's log."""
        if JOB_ID.fullmatch(job_id) is None:
            return
        path = self._folder / job_id / "job.log"
        # A full disk must not end the request or the job that logs; the job's own writing tells of it.
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            data = line.encode(errors="replace") + b"\n"
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
