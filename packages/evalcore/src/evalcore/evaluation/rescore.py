"""A run's stored replies scored again, by the rules of this program."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from evalcore.runs.completeness import CountedReplies
from evalcore.runs.folder import RunFolder
from evalcore.runs.integrity import altered
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import rescored_run_id
from evalcore.scoring.score_run import score_run
from evalcore.version import SCORING_VERSION


class Rescoring(NamedTuple):
    """What scoring a run again gave."""

    plan: RunPlan
    record: RunRecord
    altered: tuple[str, ...]
    """Which of the run's files are not what they were, and how that shows: such a record is worth nothing."""


def rescore_run(run_dir: Path, before: RunRecord | None) -> Rescoring:
    """Score a run's replies by the present rules; `before` is the run as first scored, where it was.

    A record by later rules than `before` gets an id of its own. Nothing is written. Raises StorageError
    where replies are missing or files cannot be used.
    """
    folder = RunFolder.open_to_read(run_dir)
    try:
        replies = CountedReplies(folder.plan, folder.replies_of)
        record = score_run(folder.plan, replies.of)
        replies.require_complete(record)
        record = folder.with_hashes(record)
        changes = altered(folder, before)
    finally:
        folder.close()
    if before is not None and before.scoring_version != SCORING_VERSION:
        # Leaderboards unite records by id: under its own the first scoring would be replaced.
        run_id = rescored_run_id(record.run_id, SCORING_VERSION)
        record = msgspec.structs.replace(record, run_id=run_id, rescored_from=record.run_id)
    return Rescoring(folder.plan, record, changes)
