from __future__ import annotations

from collections.abc import Callable

from evalcli.reports.ranking import rank_runs, ranking_table
from evalcore.runs.record import RunRecord

MakeRecord = Callable[..., RunRecord]


def _seen(records: list[RunRecord], *, every_run: bool = False) -> list[tuple[str, int | None, str]]:
    ranked = rank_runs(records, every_run=every_run)
    return [(item.record.component_version, item.rank, item.record.model) for item in ranked]


def test_the_newest_version_comes_first_as_semver_counts(make_record: MakeRecord) -> None:
    versions = ["1.9.0", "1.10.0", "1.10.0-rc.1", "odd"]
    records = [make_record(n, component_version=version) for n, version in enumerate(versions)]
    assert [version for version, _, _ in _seen(records)] == ["1.10.0", "1.10.0-rc.1", "1.9.0", "odd"]


def test_models_are_ranked_by_accuracy_and_equal_ones_share_a_rank(make_record: MakeRecord) -> None:
    records = [
        make_record(1, model="low", mean=0.1),
        make_record(2, model="a", mean=0.8),
        make_record(3, model="b", mean=0.8),
    ]
    assert _seen(records) == [("1.0.0", 1, "a"), ("1.0.0", 1, "b"), ("1.0.0", 3, "low")]


def test_a_partial_run_is_shown_and_never_ranked(make_record: MakeRecord) -> None:
    records = [
        make_record(1, model="lucky", mean=1.0, status="partial"),
        make_record(2, model="whole", mean=0.5),
        make_record(3, model="silent", mean=None, status="partial"),
    ]
    assert _seen(records) == [("1.0.0", 1, "whole"), ("1.0.0", None, "lucky"), ("1.0.0", None, "silent")]


def test_of_one_models_runs_the_newest_complete_one_counts(make_record: MakeRecord) -> None:
    records = [
        make_record(1, mean=0.9),
        make_record(2, mean=0.4, status="partial"),
        make_record(3, mean=0.6),
        make_record(4, mean=0.7, status="partial"),
    ]
    ranked = rank_runs(records)
    assert [(item.rank, item.record.accuracy.mean) for item in ranked] == [(1, 0.6), (None, 0.7)]
    assert len(rank_runs(records, every_run=True)) == 4


def test_a_run_is_ranked_by_its_newest_scoring_alone(make_record: MakeRecord) -> None:
    first = make_record(1, mean=0.2, scoring_version=1)
    again = make_record(2, mean=0.7, scoring_version=2, rescored_from=first.run_id)
    for records in ([first, again], [again, first]):
        (rank,) = rank_runs(records, every_run=True)
        assert rank.record is again


def test_figures_of_two_scoring_versions_are_not_ranked_together(make_record: MakeRecord) -> None:
    records = [
        make_record(1, model="old", mean=0.9, scoring_version=1),
        make_record(2, model="new", mean=0.5, scoring_version=2),
        make_record(3, model="part", mean=0.6, scoring_version=2, status="partial"),
    ]
    assert _seen(records) == [("1.0.0", 1, "new"), ("1.0.0", None, "old"), ("1.0.0", None, "part")]


def test_the_table_has_a_row_for_each_rank(make_record: MakeRecord) -> None:
    table = ranking_table(
        rank_runs([make_record(mean=0.5), make_record(2, mean=None, status="partial")]), "x"
    )
    assert [row[2] for row in table.rows] == ["0.500", "-"]
    assert [row[0] for row in table.rows] == ["1", "-"]
    assert [row[-1] for row in table.rows] == ["complete", "partial"]
