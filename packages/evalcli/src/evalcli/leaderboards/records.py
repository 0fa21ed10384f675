"""The records in a run's folder: the run as first scored, and beside it each later scoring."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from evalcore.errors import StorageError
from evalcore.runs.folder import RECORD, read_record
from evalcore.runs.record import RunRecord

LATER_RECORD: Final = "record-{}.json"
"""The file of a record by a later scoring version, whose number stands in the braces."""


def records_in(run_dir: Path) -> list[RunRecord]:
    """Return the run as first scored, then its later scorings.

    Raises StorageError where the run has no record, or one that cannot be read.
    """
    if not (run_dir / RECORD).exists():
        raise StorageError(
            "the run has no record yet",
            where=str(run_dir),
            hint=f"`evalcli rescore {run_dir}` makes it, once the run is finished",
        )
    later = sorted(run_dir.glob(LATER_RECORD.format("*")), key=_order)
    return [read_record(run_dir), *(read_record(run_dir, path.name) for path in later)]


def newest_by(records: Iterable[RunRecord], policy_sha256: str | None) -> RunRecord | None:
    """Return of a run's scorings by this policy the one of the newest rules; None where there is none."""
    by_it = [record for record in records if record.policy_sha256 == policy_sha256]
    return max(by_it, key=lambda record: record.scoring_version, default=None)


def _order(path: Path) -> tuple[int, str]:
    """Order by scoring version, as a number: 10 comes after 2. What has none comes last."""
    before, after = LATER_RECORD.split("{}")
    number = path.name.removeprefix(before).removesuffix(after)
    return (int(number) if number.isascii() and number.isdigit() else sys.maxsize, path.name)
