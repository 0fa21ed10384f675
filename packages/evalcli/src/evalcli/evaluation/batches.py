"""Which batches a job has handed over: a file beside its runs, so that leaving and coming back pays once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.interface import SubmittedBatch
from evalcore.decoding import decode_json
from evalcore.errors import StorageError
from evalcore.runs.files import write_atomically


def batches_path(runs_dir: Path, job_id: str) -> Path:
    """Return where a job's batches are written down."""
    return runs_dir / f"batches-{job_id}.json"


class BatchFile:
    """A job's batches by provider; see evalcore.clients.interface.BatchStore."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def batches(self, provider: str) -> tuple[SubmittedBatch, ...]:
        """Return the batches that were submitted before; raises StorageError."""
        return self._read().get(provider, ())

    def add(self, provider: str, batch: SubmittedBatch) -> None:
        """Write a batch down; raises StorageError."""
        # Read again for each batch: another provider's task has added its own meanwhile.
        known = self._read()
        known[provider] = (*known.get(provider, ()), batch)
        # On the disk before anybody waits for the batch: it is paid for from its submission on, waited for or
        # not.
        write_atomically(self._path, msgspec.json.encode(known))

    def _read(self) -> dict[str, tuple[SubmittedBatch, ...]]:
        try:
            data = self._path.read_bytes()
            return decode_json(data, dict[str, tuple[SubmittedBatch, ...]])
        except FileNotFoundError:
            return {}
        except (OSError, *UNREADABLE) as error:
            hint = "restore it: without it the calls would be made and paid again"
            raise StorageError(f"cannot be read ({error})", where=str(self._path), hint=hint) from error
