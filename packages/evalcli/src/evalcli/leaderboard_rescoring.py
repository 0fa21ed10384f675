"""A leaderboard brought to the present scoring version, as far as the runs' replies are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evalcli.exits import Exit
from evalcli.leaderboard_files import add_to_leaderboard, read_leaderboard
from evalcli.output import print_line
from evalcli.published_cases import published_scorings
from evalcli.rescore import sentence
from evalcli.rescoring import Rescored, rescore_folder
from evalcore.leaderboard import known_records
from evalcore.record import RunRecord
from evalcore.rescoring import newest_scoring, origin_of
from evalcore.run_folder import PLAN
from evalcore.structs import Frozen
from evalcore.version import SCORING_VERSION


class Progressed(Frozen, frozen=True):
    """What of a leaderboard is scored by the present rules."""

    rescored: tuple[Rescored, ...]
    current: int
    """Runs that were so before."""
    absent: tuple[RunRecord, ...]
    """Runs of older rules whose replies are not at hand."""


def rescore_runs(records: Iterable[RunRecord], runs_dir: Path) -> Progressed:
    """Score those runs again that were scored by older rules and have their folder in `runs_dir`.

    Raises StorageError where a folder cannot be used.
    """
    known = list(records)
    firsts = {record.run_id: record for record in known if record.rescored_from is None}
    newest = newest_scoring(known)
    older = [record for record in newest if record.scoring_version < SCORING_VERSION]
    at_hand = [record for record in older if (runs_dir / origin_of(record) / PLAN).exists()]
    return Progressed(
        rescored=tuple(
            rescore_folder(runs_dir / origin_of(record), firsts.get(origin_of(record))) for record in at_hand
        ),
        current=len(newest) - len(older),
        absent=tuple(record for record in older if record not in at_hand),
    )


def rescore_leaderboard(path: Path, runs_dir: Path) -> Exit:
    """Rescore a component's leaderboard, saying what is done and what could not be.

    Raises LeaderboardError where there is none or it is not valid, StorageError where a run cannot be used.
    """
    leaderboard = read_leaderboard(path)
    done = rescore_runs(known_records(leaderboard), runs_dir)
    for item in done.rescored:
        print_line(sentence(item))
    usable = published_scorings(item for item in done.rescored if item.verdict != "differs")
    if usable:
        add_to_leaderboard(path, leaderboard.component, usable)
    for record in done.absent:
        print_line(
            f"{origin_of(record)} ({record.model}, {record.component_version}): stays at scoring version"
            f" {record.scoring_version}, its replies are not in {runs_dir}"
        )
    print_line(
        f"{path}: {len(usable)} run(s) rescored, {done.current} at scoring version {SCORING_VERSION} before,"
        f" {len(done.absent)} without replies at hand"
    )
    return Exit.INCOMPLETE if done.absent or len(usable) < len(done.rescored) else Exit.DONE
