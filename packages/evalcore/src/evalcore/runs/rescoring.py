"""One run scored twice: what the later record is called, and which of the two counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from evalcore.formats.strict_json import sha256_hex
from evalcore.ids import uuid7
from evalcore.runs.record import RunRecord

_TIME_BITS = 80


def rescored_run_id(run_id: str, scoring_version: int, *, policy_sha256: str | None = None) -> str:
    """Return the id of a run's record under a later scoring version, or another policy than the run's own.

    A UUIDv7 with the original's time, the rest from SHA-256 of `<original id> NUL <scoring version>`,
    and under another policy `NUL <its SHA-256>` (`none` where the component has none): two people who
    rescore get one record. `run_id` is the run's as first scored, never a rescored one.
    Raises ValueError where it is no UUID.
    """
    original = uuid.UUID(run_id)
    parts = [str(original), str(scoring_version), *([policy_sha256] if policy_sha256 is not None else [])]
    digest = sha256_hex("\0".join(parts).encode())
    # The original's time, so that both sort side by side.
    return uuid7(original.int >> _TIME_BITS, bytes.fromhex(digest))


def first_run_id(record: RunRecord) -> str:
    """Return the id that the run had when it was first scored."""
    return record.rescored_from or record.run_id


def newest_scoring(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Return for each run, and each policy it was scored by, the record of its newest scoring.

    They are in the order of their first appearance. Figures by two policies are two measures: neither is
    newer than the other.
    """
    newest: dict[tuple[str, str | None], RunRecord] = {}
    for record in records:
        scored = first_run_id(record), record.policy_sha256
        known = newest.setdefault(scored, record)
        # Of two records of one scoring version the first counts: they are equal, or the files were altered.
        if record.scoring_version > known.scoring_version:
            newest[scored] = record
    return list(newest.values())
