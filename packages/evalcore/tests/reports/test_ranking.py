"""Rankings: what counts together, which ranks are open, and what a reader is told besides."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import msgspec
import pytest

from evalcore.compare.pool import pools
from evalcore.compare.verdict import Comparison, compare_pools
from evalcore.reports.ranking import Ranking, ranking_object, rankings
from evalcore.reports.ranking_notes import notes_of, rightness_notes
from evalcore.runs.record import CaseResult, Reproducibility, RunRecord
from evalsim.testing import make_record

GOOD, FAIR, POOR = [0.95, 0.9, 0.92, 0.94, 0.96], [0.93, 0.91, 0.95, 0.9, 0.94], [0.2, 0.25, 0.22, 0.2, 0.2]


def run(number: int, model: str, *cases: list[float], names: str = "abcdefgh", **fields: Any) -> RunRecord:
    """Make the record of a run, given each case's scores."""
    results = tuple(
        CaseResult(name, f"{ord(name):064x}", None, tuple(scores), 0.9)
        for name, scores in zip(names, cases, strict=False)
    )
    means = [sum(scores) / len(scores) for scores in cases]
    values = {"cases_sha256": f"{sum(map(ord, names[: len(cases)])):064x}", "replicates": len(cases[0])}
    values |= {"model": model, "case_results": results, "cases": len(cases), "scoring_version": 3}
    return make_record(number, mean=sum(means) / len(means), **values | fields)


def one(*records: RunRecord) -> Ranking:
    (ranking,) = rankings(records)
    return ranking


def ranks(ranking: Ranking) -> list[tuple[str, str | None]]:
    return [(row.model, None if row.rank is None else row.rank.text) for row in ranking.rows]


def test_ranks_are_ranges_best_first() -> None:
    found = one(run(1, "poor", POOR), run(2, "fair", FAIR), run(3, "good", GOOD))
    assert ranks(found) == [("good", "1–2"), ("fair", "1–2"), ("poor", "3")]


def test_all_runs_that_were_asked_alike_are_one_row() -> None:
    """Running again until 0.9 shows: the figure is that of all three runs."""
    found = one(run(1, "m", [0.7] * 5), run(2, "m", [0.7] * 5, params={"seed": 5}), run(3, "m", [0.9] * 5))
    (row,) = found.rows
    assert (len(row.records), row.replies) == (3, 15)
    assert row.accuracy == pytest.approx(2.3 / 3)
    low, high = row.ci95 or (0, 0)
    assert low < 2.3 / 3 < high
    assert row.reproducibility == pytest.approx(0.9)


def test_a_pool_has_one_interval_in_the_ranking_and_in_a_comparison() -> None:
    """Whatever the order of the cases' hashes, by which a ranking knows them."""

    def scored(number: int, version: str) -> RunRecord:
        results = (
            CaseResult("a", "f" * 64, None, (1.0, 0.0, 0.5), 0.9),
            CaseResult("b", "0" * 64, None, (0.9, 0.8, 1.0), 0.9),
        )
        return run(number, "m", [0.5], [0.9], component_version=version, case_results=results)

    after = [scored(2, "1.1.0"), scored(3, "1.1.0")]
    (row,) = one(*after).rows
    (compared,) = compare_pools(pools([scored(1, "1.0.0")]), pools(after))
    assert isinstance(compared, Comparison)
    assert row.ci95 == compared.after.ci95


def test_a_single_run_has_the_interval_of_its_record() -> None:
    record = run(1, "m", GOOD)
    accuracy = msgspec.structs.replace(record.accuracy, ci95=(0.1, 0.99))
    assert one(msgspec.structs.replace(record, accuracy=accuracy)).rows[0].ci95 == (0.1, 0.99)


def test_other_params_and_another_server_are_rows_of_their_own_and_it_says_so() -> None:
    found = one(
        run(1, "m", GOOD, server={"version": "1"}),
        run(2, "m", GOOD, server={"version": "2"}),
        run(3, "m", GOOD, server={"version": "2"}, params={"temperature": 1}),
    )
    assert len(found.rows) == 3
    assert any("m is ranked 3 times" in note for note in notes_of(found))


def test_a_partial_run_is_a_row_without_a_rank_and_comes_last() -> None:
    found = one(run(1, "lucky", GOOD, status="partial"), run(2, "whole", POOR))
    assert ranks(found) == [("whole", "1"), ("lucky", None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"component_version": "2.0.0"}, {"scoring_version": 2}, {"prompt_sha256": "1" * 64},
        {"schema_sha256": "1" * 64}, {"policy_sha256": "1" * 64},
    ],
)  # fmt: skip
def test_what_was_asked_or_scored_otherwise_is_ranked_apart(changes: dict[str, Any]) -> None:
    assert len(rankings([run(1, "a", GOOD), run(2, "b", GOOD, **changes)])) == 2


def test_the_newest_version_comes_first_as_semver_counts_then_the_ranking_of_most_models() -> None:
    versions = ["1.9.0", "1.10.0", "1.10.0-rc.1", "odd"]
    records = [run(at, "m", GOOD, component_version=version) for at, version in enumerate(versions)]
    records += [
        run(9, model, GOOD, policy_sha256="1" * 64, component_version="1.9.0") for model in ("m", "n")
    ]
    records[-1] = msgspec.structs.replace(records[-1], run_id=run(10, "n", GOOD).run_id)
    found = [(one.component_version, len(one.rows)) for one in rankings(records)]
    assert found == [("1.10.0", 1), ("1.10.0-rc.1", 1), ("1.9.0", 2), ("1.9.0", 1), ("odd", 1)]


@pytest.mark.parametrize("policies", [(None, "1" * 64), ("2" * 64, "1" * 64), ("1" * 64, None)])
def test_what_was_scored_again_by_a_later_policy_stands_above(
    policies: tuple[str | None, str | None],
) -> None:
    before, after = policies
    first = run(1, "m", GOOD, policy_sha256=before)
    later = run(2, "m", FAIR, policy_sha256=after, rescored_from=first.run_id, finished_at=first.finished_at)
    newest_first = [ranking.policy_sha256 for ranking in rankings([first, later])]
    assert newest_first == [after, before]


def test_what_ran_last_stands_above() -> None:
    early = run(1, "m", GOOD, policy_sha256="1" * 64, finished_at="2026-01-01T00:00:00.000Z")
    late = run(2, "m", FAIR, policy_sha256="2" * 64, finished_at="2026-01-02T00:00:00.000Z")
    for records in ([early, late], [late, early]):
        assert [one.policy_sha256 for one in rankings(records)] == ["2" * 64, "1" * 64]


def test_where_only_the_cases_differ_one_more_ranking_is_over_those_in_common() -> None:
    """The cloud model may not see the third case."""
    local = [run(1, "local", GOOD, GOOD, POOR), run(2, "other", POOR, POOR, GOOD)]
    shared, *own = rankings([*local, run(3, "cloud", FAIR, FAIR)])
    assert shared.are_cases_shared
    assert shared.cases == 2
    assert ranks(shared) == [("local", "1–2"), ("cloud", "1–2"), ("other", "3")]
    assert shared.cases_sha256 == run(1, "x", GOOD, GOOD).cases_sha256 or len(shared.cases_sha256) == 64
    assert [len(each.rows) for each in own] == [2, 1]
    assert shared.rows[0].accuracy == pytest.approx(sum(GOOD) / 5)


def test_cases_that_have_nothing_in_common_are_not_ranked_together() -> None:
    assert len(rankings([run(1, "a", GOOD), run(2, "b", GOOD, names="z")])) == 2


def test_of_two_scorings_of_a_run_the_newer_is_ranked() -> None:
    first = run(1, "m", POOR, scoring_version=2)
    again = run(2, "m", GOOD, rescored_from=first.run_id)
    assert [row.records for row in one(first, again).rows] == [(again,)]


def test_with_ten_cases_ranks_for_cases_like_these_are_told_where_they_tell_less() -> None:
    """One hard case of eleven, always failed."""
    names = "abcdefghijk"
    good, bad = [[1.0] * 5] * 11, [[0.0] * 5] + [[1.0] * 5] * 10
    found = one(run(1, "good", *good, names=names), run(2, "bad", *bad, names=names))
    assert ranks(found) == [("good", "1"), ("bad", "2")]
    assert "Ranks for cases like these: good 1–2, bad 1–2" in list(notes_of(found))


def test_how_often_all_is_right_is_of_as_many_replies_as_every_pool_has() -> None:
    def exact(record: RunRecord, *right: bool) -> RunRecord:
        results = tuple(msgspec.structs.replace(result, exact=right) for result in record.case_results)
        return msgspec.structs.replace(record, case_results=results)

    found = one(
        exact(run(1, "a", [0.9] * 4), True, True, True, False), exact(run(2, "b", [0.9] * 2), True, True)
    )
    assert found.all_right_of == 2
    assert [row.all_right_rate for row in found.rows] == [0.5, 1]
    single, every = rightness_notes(found)
    assert single.startswith("Replies that are right throughout: a 75 % (")
    assert ", b 100 % (" in single
    assert every.startswith("Cases with all of 2 replies right throughout: a 50 % (")


def test_a_reader_is_told_of_drift_of_budgets_and_of_models_that_do_not_read() -> None:
    alike = Reproducibility(mean=0.95, ci95=None, identical_rate=0.9, by_field={}, by_chance=0.94)
    record = run(1, "m", GOOD, drifting=True, reproducibility=alike)
    calls = msgspec.structs.replace(record.calls, empty_after_thinking=4)
    told = " ".join(notes_of(one(msgspec.structs.replace(record, calls=calls))))
    assert "m: drifting" in told
    assert "4 replies spent their tokens on thinking" in told
    assert "hardly depend on the input" in told


def test_one_reply_of_each_case_is_said() -> None:
    assert any("One reply of each case" in note for note in notes_of(one(run(1, "m", [0.9], [0.8]))))


def random_records(models: int, cases: int, replies: int) -> list[RunRecord]:
    random = Random(1)
    names = "".join(chr(97 + at) for at in range(cases))
    return [
        run(
            at,
            f"m{at:02}",
            *([min(1.0, random.gauss(0.9 - 0.01 * at, 0.1)) for _ in range(replies)] for _ in range(cases)),
            names=names,
        )
        for at in range(models)
    ]


def test_what_is_cached_is_not_worked_out_again_and_is_the_same() -> None:
    records, cache = random_records(20, 10, 10), {}
    first = rankings(records, cache)
    started = time.process_time()
    assert rankings(records, msgspec.json.decode(msgspec.json.encode(cache))) == first
    assert time.process_time() - started < 0.5, "a bound for slow machines: 0.02 s were measured"


@pytest.mark.parametrize("damage", [None, [], "x", [[[1, 2]], None], [[["a", 1]] * 3, None]])
def test_a_cache_that_is_damaged_is_passed_over(damage: Any) -> None:
    records = random_records(3, 2, 5)
    cache: dict[str, Any] = {}
    first = rankings(records, cache)
    assert rankings(records, dict.fromkeys(cache, damage)) == first


def test_a_ranking_is_written_in_the_order_that_is_promised() -> None:
    written = ranking_object(one(run(1, "m", GOOD, server={"version": "1"}, params={"seed": 1})))
    assert list(written)[:2] == ["component_version", "scoring_version"]
    (row,) = written["models"]
    assert row["rank"] == [1, 1]
    assert row["server"] == {"version": "1", "quantization": None, "context_length": None, "backends": None}
    assert row["params"] == {}
