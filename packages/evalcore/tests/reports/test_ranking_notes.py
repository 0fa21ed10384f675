"""What stands below a ranking: each sentence only where it is true, and once."""

from __future__ import annotations

import msgspec

from evalcore.reports.ranking import Ranking, rankings
from evalcore.reports.ranking_notes import chance_notes, notes_of, rightness_notes
from evalcore.runs.record import CaseResult, Reproducibility, RunRecord
from evalsim.testing import make_record


def run(number: int, model: str, *cases: list[float], right: list[bool] | None = None, **fields) -> RunRecord:
    """Make the record of a run, given each case's scores."""
    results = tuple(
        CaseResult(f"c{at}", f"{at:064x}", None, tuple(scores), 0.5, exact=tuple(right) if right else None)
        for at, scores in enumerate(cases)
    )
    values = {"cases_sha256": f"{len(cases):064x}", "replicates": len(cases[0]), "cases": len(cases)}
    values |= {"model": model, "case_results": results, "scoring_version": 3}
    mean = sum(map(sum, cases)) / sum(map(len, cases))
    return make_record(number, mean=mean, **values | fields)


def ranked(*records: RunRecord) -> Ranking:
    (ranking,) = rankings(records)
    return ranking


def notes(*records: RunRecord) -> list[str]:
    return list(notes_of(ranked(*records)))


def rightness(*records: RunRecord) -> list[str]:
    return list(rightness_notes(ranked(*records)))


PLAIN = [[0.9, 0.8], [0.7, 0.6]]


def test_a_ranking_without_anything_unusual_has_no_note() -> None:
    assert notes(run(1, "a", *PLAIN), run(2, "b", *PLAIN)) == []


def test_a_model_of_two_pools_is_named_once_with_their_number() -> None:
    found = notes(run(1, "a", *PLAIN), run(2, "a", *PLAIN, params={"temperature": 1}), run(3, "b", *PLAIN))
    assert [note.split(":")[0] for note in found] == ["a is ranked 2 times"]


def test_runs_that_count_together_are_one_pool_and_need_no_note() -> None:
    assert notes(run(1, "a", *PLAIN), run(2, "a", *PLAIN)) == []


def test_a_partial_run_beside_a_whole_one_is_no_second_rank() -> None:
    assert notes(run(1, "a", *PLAIN), run(2, "a", *PLAIN, status="partial")) == []


def test_one_reply_of_each_case_is_said_of_the_pools_that_have_no_more() -> None:
    single = run(1, "a", [0.9], [0.8])
    (note,) = notes(single)
    assert note.startswith("One reply of each case: the intervals")
    (note,) = notes(single, run(2, "b", *PLAIN))
    assert note.startswith("One reply of each case (a): the intervals")
    # Two runs of one reply each are a pool of two.
    assert notes(single, run(2, "a", [0.9], [0.8])) == []


def test_two_pools_of_a_model_are_told_apart_in_every_note() -> None:
    found = rightness(
        run(1, "a", *PLAIN, right=[True, True], params={"temperature": 0}),
        run(2, "a", *PLAIN, right=[True, False], params={"temperature": 1}),
    )
    assert all("a (temperature 0) " in note and "a (temperature 1) " in note for note in found)


def test_agreement_by_chance_is_said_of_each_model_that_it_is_known_of() -> None:
    low, high = (
        Reproducibility(mean=0.9, ci95=None, identical_rate=0.9, by_field={}, by_chance=chance)
        for chance in (0.2, 0.4)
    )
    known = (
        run(1, "a", *PLAIN, reproducibility=low),
        run(2, "a", *PLAIN, reproducibility=high),
        run(3, "b", *PLAIN, reproducibility=high),
    )
    told = list(chance_notes(ranked(*known, run(4, "c", *PLAIN))))
    assert told == ["Agreement by chance, of replies to different cases: a 0.30, b 0.40"]
    assert list(chance_notes(ranked(run(4, "c", *PLAIN)))) == []


def test_drift_of_any_run_of_a_pool_is_said_of_its_model_alone() -> None:
    found = notes(
        run(1, "a", *PLAIN, drifting=True), run(2, "a", *PLAIN), run(3, "b", *PLAIN, drifting=False)
    )
    assert [note.split(":")[:2] for note in found] == [["a", " drifting"]]


def test_a_model_that_hardly_reads_is_said_with_both_agreements() -> None:
    alike = Reproducibility(mean=0.951, ci95=None, identical_rate=0.9, by_field={}, by_chance=0.949)
    (note,) = notes(run(1, "a", *PLAIN, reproducibility=alike))
    assert note.endswith("those to different cases agree 0.95, those to one 0.95")


def test_replies_without_an_answer_after_thinking_are_summed_over_the_runs_of_a_pool() -> None:
    def spent(record: RunRecord, count: int | None) -> RunRecord:
        calls = msgspec.structs.replace(record.calls, empty_after_thinking=count)
        return msgspec.structs.replace(record, calls=calls)

    (note,) = notes(
        spent(run(1, "a", *PLAIN), 2), spent(run(2, "a", *PLAIN), 3), spent(run(3, "a", *PLAIN), None)
    )
    assert note.startswith("a: 5 replies spent their tokens on thinking")


def test_a_partial_run_has_its_notes_too() -> None:
    assert len(notes(run(1, "a", *PLAIN, status="partial", drifting=True))) == 1


# how often all is right


def test_a_record_that_does_not_say_what_is_right_has_no_sentence() -> None:
    assert rightness(run(1, "a", *PLAIN)) == []


def test_one_reply_of_each_case_says_nothing_of_several() -> None:
    (note,) = rightness(run(1, "a", [1.0], [0.5], right=[True]))
    assert note.startswith("Replies that are right throughout: a 100 % (")


def test_the_intervals_of_a_single_run_stand_beside_its_shares() -> None:
    record = run(1, "a", *PLAIN, right=[True, False])
    accuracy = msgspec.structs.replace(
        record.accuracy,
        exact_rate=0.5,
        exact_rate_ci95=(0.2, 0.8),
        all_right_rate=0.0,
        all_right_rate_ci95=(0.0, 0.3),
    )
    assert rightness(msgspec.structs.replace(record, accuracy=accuracy)) == [
        "Replies that are right throughout: a 50 % (20 to 80)",
        "Cases with all of 2 replies right throughout: a 0 % (0 to 30)",
    ]


def test_of_several_runs_the_intervals_are_of_all_their_replies() -> None:
    tens = [[0.9] * 10] * 2
    first, second = (run(number, "a", *tens, right=[True, False] * 5) for number in (1, 2))
    accuracy = msgspec.structs.replace(
        first.accuracy, exact_rate=0.5, exact_rate_ci95=(0.01, 0.99), all_right_rate_ci95=(0.01, 0.99)
    )
    (row,) = ranked(msgspec.structs.replace(first, accuracy=accuracy), second).rows
    (alone,) = ranked(first).rows
    narrow, wide = row.exact_rate_ci95, alone.exact_rate_ci95
    assert narrow is not None
    assert wide is not None
    assert narrow[1] - narrow[0] < wide[1] - wide[0] < 0.98
    assert row.all_right_rate_ci95 is not None
    assert row.all_right_rate_ci95 != (0.01, 0.99)


def test_the_interval_for_another_number_of_replies_than_the_record_s_is_worked_out() -> None:
    """The record's rate is of its own four replies, the ranking's of the two that every pool has."""
    four = run(1, "a", [0.9] * 4, [0.7] * 4, right=[True, True, True, False])
    accuracy = msgspec.structs.replace(four.accuracy, all_right_rate=0.0, all_right_rate_ci95=(0.0, 0.3))
    found = ranked(msgspec.structs.replace(four, accuracy=accuracy), run(2, "b", *PLAIN, right=[True, True]))
    shown = {row.model: row for row in found.rows}["a"]
    assert shown.all_right_rate == 0.5
    assert shown.all_right_rate_ci95 is not None
    assert shown.all_right_rate_ci95[0] < 0.5 < shown.all_right_rate_ci95[1]


def test_a_record_s_own_interval_counts_however_its_share_was_rounded() -> None:
    record = run(1, "a", *[[0.9, 0.8]] * 3, right=[True, True])
    odd = msgspec.structs.replace(record.case_results[0], exact=(True, False))
    accuracy = msgspec.structs.replace(
        record.accuracy, all_right_rate=0.666666667, all_right_rate_ci95=(0.1, 0.9)
    )
    record = msgspec.structs.replace(record, accuracy=accuracy, case_results=(odd, *record.case_results[1:]))
    assert rightness(record)[1] == "Cases with all of 2 replies right throughout: a 67 % (10 to 90)"


def test_over_the_cases_in_common_an_interval_is_of_those_alone() -> None:
    """A share of fewer cases beside the interval of all of a run's cases may even lie outside it."""
    right = run(1, "a", *[[1.0] * 5] * 2, right=[True] * 5)
    wrong = msgspec.structs.replace(right.case_results[0], exact=(False,) * 5)
    record = msgspec.structs.replace(
        right,
        case_results=(wrong, right.case_results[1]),
        accuracy=msgspec.structs.replace(right.accuracy, exact_rate=0.5, exact_rate_ci95=(0.3, 0.7)),
    )
    fewer = msgspec.structs.replace(
        run(2, "b", *PLAIN), cases_sha256="9" * 64, case_results=right.case_results[1:]
    )
    (common,) = [one for one in rankings([record, fewer]) if one.are_cases_shared]
    row = {row.model: row for row in common.rows}["a"]
    assert row.exact_rate == 1
    assert row.exact_rate_ci95 is not None
    assert row.exact_rate_ci95[0] < row.exact_rate_ci95[1] == 1


def test_many_models_have_more_than_one_note_so_that_none_is_cut() -> None:
    found = rightness(*(run(number, f"m{number}", [1.0], [0.5], right=[True]) for number in range(1, 11)))
    assert [note.count("m") for note in found] == [8, 2]
    assert all(note.startswith("Replies that are right throughout: m") for note in found)


def test_all_and_none_are_said_only_of_all_and_none() -> None:
    replies, nearly = [1.0] * 300, [True] * 299 + [False]
    assert rightness(run(1, "a", replies, right=nearly))[0].startswith(
        "Replies that are right throughout: a over 99 % ("
    )
    hardly = [not right for right in nearly]
    assert rightness(run(1, "a", replies, right=hardly))[0].startswith(
        "Replies that are right throughout: a under 1 % ("
    )
