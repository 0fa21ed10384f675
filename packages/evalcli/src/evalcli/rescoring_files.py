"""The records in a run's folder: as first scored, and by later rules."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalcore.errors import StorageError
from evalcore.record import RunRecord
from evalcore.run_folder import RECORD, read_record


def later_record(run_dir: Path, scoring_version: int) -> Path:
    """Return where a run's record under later rules is kept."""
    return run_dir / f"record-{scoring_version}.json"


def records_in(run_dir: Path) -> list[RunRecord]:
    """Return the run as first scored, then its later scorings.

    Raises StorageError.
    """
    if not (run_dir / RECORD).exists():
        raise StorageError(
            "the run has no record yet", where=str(run_dir), hint=f"`evalcli rescore {run_dir}` makes it"
        )
    return [read_record(run_dir), *(_read(path) for path in sorted(run_dir.glob("record-*.json")))]


def _read(path: Path) -> RunRecord:
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(
            f"it is no record: {error}", where=str(path), hint="remove it, and rescore the run"
        ) from error
