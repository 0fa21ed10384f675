"""Jobs as files in the state directory: one JSON file each, written whole or not at all.

All of them are held in memory too (a job is about a kilobyte, and they are swept after the
retention time), so that reading never touches the disk and never waits.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog

from evalcore.errors import ConfigurationError, StorageError
from evalcore.files import write_atomically
from evalhook.jobs import Job

MAX_JOB_BYTES: Final = 1024 * 1024
log = structlog.stdlib.get_logger(__name__)


class JobStore:
    """The jobs of one state directory, which no other process may use at the same time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._lock: int | None = None

    def open(self) -> None:
        """Take the folder and read what is in it.

        Raises ConfigurationError where it cannot be used, or another process uses it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(self._folder / ".lock")
            self._jobs = {job.job_id: job for job in _read_jobs(self._folder)}
        except OSError as error:
            self.close()
            raise ConfigurationError(
                f"the folder cannot be used ({error.strerror})",
                where=f"EVALHOOK_STATE_DIR {self._folder}",
                hint="name a folder that the service may write to",
            ) from error

    def close(self) -> None:
        """Give the folder up."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """Look a job up."""
        return self._jobs.get(job_id)

    def newest(self, limit: int) -> list[Job]:
        """List jobs, the newest first."""
        jobs = sorted(self._jobs.values(), key=lambda job: (job.created_at, job.job_id), reverse=True)
        return jobs[:limit]

    def unfinished(self) -> list[Job]:
        """List the jobs that a former process left behind."""
        return [job for job in self._jobs.values() if not job.is_finished]

    def write(self, job: Job) -> None:
        """Keep a job on disk; blocking, so not for the event loop.

        Raises StorageError.
        """
        write_atomically(self._folder / f"{job.job_id}.json", msgspec.json.encode(job))

    def show(self, job: Job) -> None:
        """Let readers see a job as it is now; touches no file."""
        self._jobs[job.job_id] = job


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise ConfigurationError(
            "another evalhook uses the same state directory",
            where=f"EVALHOOK_STATE_DIR {path.parent.parent}",
            hint="stop it, or give each its own",
        ) from error
    return descriptor


def _read_jobs(folder: Path) -> Iterator[Job]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield _read_job(path)
        except (OSError, msgspec.MsgspecError, StorageError) as error:
            # One unreadable file must not keep the service down; the file is left for a person to look at.
            log.warning("job_unreadable", file=str(path), reason=str(error))


def _read_job(path: Path) -> Job:
    with path.open("rb") as file:
        data = file.read(MAX_JOB_BYTES + 1)
    if len(data) > MAX_JOB_BYTES:
        raise StorageError("is too large for a job", where=str(path))
    job = msgspec.json.decode(data, type=Job)
    if path.stem != job.job_id:
        raise StorageError("holds another job than its name says", where=str(path))
    return job
