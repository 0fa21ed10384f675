"""The leaderboard as the demo shows it."""

from __future__ import annotations

from evalcore.runs.record import RunRecord
from evalsim.demo.leaderboard import leaderboard_rows
from evalsim.testing import make_record, make_scored_record


def rows(*records: RunRecord, earlier: tuple[RunRecord, ...] = ()) -> list[tuple[str, ...]]:
    return [row[:3] for row in leaderboard_rows(records, [*earlier, *records])]


def test_partial_runs_are_shown_and_never_ranked() -> None:
    partial = make_record(2, mean=0.95, model="b", status="partial")
    good, bad = (
        make_scored_record(number, [mean] * 10, model=model)
        for number, mean, model in ((1, 0.9, "a"), (3, 0.4, "c"))
    )
    assert rows(good, partial, bad) == [("1", "a", "90.0"), ("2", "c", "40.0"), ("partial", "b", "95.0")]


def test_ranks_are_ranges() -> None:
    noisy, other = (
        make_scored_record(number, [0.9, mean, 0.5, 0.7], model=model)
        for number, mean, model in ((1, 0.9, "a"), (2, 0.8, "b"))
    )
    assert [row[0] for row in rows(noisy, other)] == ["1–2", "1–2"]


def test_a_run_is_shown_by_all_that_count_with_it() -> None:
    before, now = (
        make_scored_record(number, [mean] * 10, model="a") for number, mean in ((1, 0.5), (2, 0.9))
    )
    assert rows(now, earlier=(before,)) == [("1", "a", "70.0")]
