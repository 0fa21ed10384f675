"""A run's stored replies scored again: the same record under the same rules, a new one under newer rules.

`record.json` stays the run as first scored. A later scoring lies beside it as
`record-<scoring version>.json`, so that no scoring ever replaces another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from evalcli.leaderboards.published_cases import published_cases
from evalcli.leaderboards.records import LATER_RECORD
from evalcore.errors import ConfigurationError, StorageError
from evalcore.evaluation.rescore import rescore_run
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.completeness import CountedReplies
from evalcore.runs.files import read_regular, write_atomically
from evalcore.runs.folder import MAX_RECORD, PLAN, RECORD, RunFolder, read_record
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord, record_object
from evalcore.runs.rescoring import first_run_id, newest_scoring
from evalcore.scoring.score_run import score_run
from evalcore.structs import Frozen
from evalcore.version import SCORING_VERSION

Verdict = Literal["first", "identical", "differs", "new", "known", "altered"]
"""first: the run had no record. identical, differs: beside its record, by the rules that made it.
new: by later rules. known: the same, and as it was found there already. altered: its files are not what
they were, so that the record is worth nothing and is not written."""
USABLE: Final = frozenset({"first", "identical", "new", "known"})


class Rescored(Frozen, frozen=True):
    """What scoring a run again gave."""

    plan: RunPlan
    path: Path
    """The file that holds the record, or, where it differs, another one."""
    verdict: Verdict
    record: RunRecord
    before: RunRecord | None
    """The run as first scored."""
    altered: tuple[str, ...] = ()
    """Which files are not what they were, and how that shows."""

    @property
    def is_usable(self) -> bool:
        """Whether the record is one to go by."""
        return self.verdict in USABLE

    @property
    def slug(self) -> str:
        """The component."""
        return self.plan.component.slug


class RescoredRuns(Frozen, frozen=True):
    """What scoring the older runs of a leaderboard again gave."""

    rescored: tuple[Rescored, ...]
    current: int
    """How many runs the present rules had scored before."""
    absent: tuple[RunRecord, ...]
    """Runs of older rules whose replies are not in the folder."""


def rescore_folder(run_dir: Path, first: RunRecord | None = None) -> Rescored:
    """Score a run's replies by the present rules, and keep the record unless there is one already.

    `first` is the run as first scored, where that is known from elsewhere and the folder lacks it.

    Raises StorageError where replies are missing or files cannot be used, ConfigurationError where the
    run was first scored by rules later than ours.
    """
    before = read_record(run_dir) if (run_dir / RECORD).exists() else first
    # Older rules cannot replace newer ones: the leaderboard would have the older figures as the newest.
    if before is not None and before.scoring_version > SCORING_VERSION:
        raise ConfigurationError(
            f"it was scored by scoring version {before.scoring_version}, this program has {SCORING_VERSION}",
            where=str(run_dir / RECORD),
            hint="update the evaluator",
        )
    plan, record, changes = rescore_run(run_dir, before)
    is_later = record.rescored_from is not None
    path = run_dir / (LATER_RECORD.format(SCORING_VERSION) if is_later else RECORD)
    if changes:
        return Rescored(
            plan=plan, path=path, verdict="altered", record=record, before=before, altered=changes
        )
    verdict = keep_record(path, encode_canonical(record_object(record)), is_later=is_later)
    return Rescored(plan=plan, path=path, verdict=verdict, record=record, before=before)


def rescore_older(records: Iterable[RunRecord], runs_dir: Path) -> RescoredRuns:
    """Score those runs again that were scored by older rules and have their folder in `runs_dir`.

    Raises StorageError where a folder cannot be used.
    """
    known = list(records)
    firsts = {record.run_id: record for record in known if record.rescored_from is None}
    newest = newest_scoring(known)
    older = [record for record in newest if record.scoring_version < SCORING_VERSION]
    at_hand = [record for record in older if is_at_hand(runs_dir, first_run_id(record))]
    return RescoredRuns(
        rescored=tuple(
            rescore_folder(runs_dir / first, firsts.get(first)) for first in map(first_run_id, at_hand)
        ),
        current=len(newest) - len(older),
        absent=tuple(record for record in older if record not in at_hand),
    )


def is_at_hand(runs_dir: Path, run_id: str) -> bool:
    """Whether a run's folder is there; an id from a leaderboard may be a path to somewhere else."""
    return re.fullmatch("[A-Za-z0-9-]+", run_id) is not None and (runs_dir / run_id / PLAN).exists()


def scored(run_dir: Path, plan: RunPlan) -> RunRecord:
    """Score a run's replies as a plan says, which may differ from the run's own in its policy."""
    folder = RunFolder.open_to_read(run_dir)
    try:
        replies = CountedReplies(plan, folder.replies_of)
        record = score_run(plan, replies.of)
        replies.require_complete(record)
        record = folder.with_hashes(record)
    finally:
        folder.close()
    return record


def keep_record(path: Path, data: bytes, *, is_later: bool) -> Verdict:
    """Write a record where there is none yet, and say what was there; raises StorageError."""
    try:
        kept = read_regular(path, MAX_RECORD) if os.path.lexists(path) else None
    except OSError as error:
        raise StorageError(
            f"it cannot be read ({error.strerror or error})", where=str(path), hint="mend its permissions"
        ) from error
    if kept is None:
        write_atomically(path, data)
        return "new" if is_later else "first"
    # Never overwritten: which of the two is right, an altered reply or a changed rule, is for a person to
    # find.
    if kept != data:
        return "differs"
    return "known" if is_later else "identical"


def published_scorings(scorings: Iterable[Rescored]) -> list[RunRecord]:
    """Return later scorings as they may be added to a leaderboard, by where their runs were made."""
    return [
        published_cases(os.environ, made=item.record.origin).record(
            item.record, item.plan, item.path.parent.parent
        )
        for item in scorings
    ]
