"""One run scored twice: what the later record is called, and which of the two counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from evalcore.effects import uuid7
from evalcore.formats.strict_json import sha256_hex
from evalcore.runs.record import RunRecord

_TIME_BITS = 80


def rescored_run_id(run_id: str, scoring_version: int) -> str:
    """Return the id of a run's record under a later scoring version.

    A UUIDv7 with the original's time, the rest from SHA-256 of `<original id> NUL <scoring version>`:
    two people who rescore get one record. `run_id` is the run's as first scored, never a rescored one.
    Raises ValueError where it is no UUID.
    """
    original = uuid.UUID(run_id)
    digest = sha256_hex(f"{original}\0{scoring_version}".encode())
    return uuid7(original.int >> _TIME_BITS, bytes.fromhex(digest))


def first_run_id(record: RunRecord) -> str:
    """Return the id that the run had when it was first scored."""
    return record.rescored_from or record.run_id


def newest_scoring(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Return for each run the record of its newest scoring, in the order of their first appearance."""
    newest: dict[str, RunRecord] = {}
    for record in records:
        known = newest.setdefault(first_run_id(record), record)
        if record.scoring_version > known.scoring_version:
            newest[first_run_id(record)] = record
    return list(newest.values())
