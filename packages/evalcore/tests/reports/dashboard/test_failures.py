"""Where models fail: cases and fields, the worst first, and how noisy a case is."""

from __future__ import annotations

import pytest

from evalcore.reports.dashboard.failures import MOST_FIELDS, failures_of
from evalcore.reports.ranking import rankings
from evalsim.testing import make_record


def record_of(number, scores, fields=None, **others):
    accuracy = sum(sum(case) / len(case) for case in scores) / len(scores)
    return make_record(
        number,
        mean=accuracy,
        replicates=len(scores[0]),
        cases=len(scores),
        case_results=[
            {
                "case": f"case-{at}",
                "sha256": f"{at:064x}",
                "validated_against_version": "0.9.0" if at else None,
                "scores": case,
                "reproducibility": None,
            }
            for at, case in enumerate(scores)
        ],
        accuracy={
            "mean": accuracy,
            "ci95": None,
            "anls_star": accuracy,
            "by_field": fields or {},
            "precision_by_field": dict.fromkeys(fields or {}, 0.75),
            "recall_by_field": {},
        },
        **others,
    )


def failures_over(*records):
    return failures_of(rankings(records)[0])


def test_the_worst_case_stands_first_with_each_models_mean_and_noise():
    found = failures_over(
        record_of(1, [[0.9, 0.9], [0.2, 0.6]]), record_of(2, [[0.8, 0.8], [0.5, 0.5]], model="beta")
    )
    assert [column.model for column in found.columns] == ["alpha", "beta"]
    worst, best = found.cases
    assert (worst.case, worst.is_stale, best.case, best.is_stale) == ("case-1", True, "case-0", False)
    assert [cell.accuracy for cell in worst.cells] == [0.4, 0.5]
    assert worst.accuracy == pytest.approx(0.45)
    # Two replies apart by 0.4, two alike: the root of (0.08 + 0) / (1 + 1).
    assert worst.noise == 0.2
    assert (best.noise, worst.cells[1].spread) == (0.0, 0.0)
    assert (worst.cells[0].lowest, worst.cells[0].highest, worst.cells[0].replies) == (0.2, 0.6, 2)


def test_a_case_of_one_reply_has_no_noise():
    (line,) = failures_over(record_of(1, [[0.9]])).cases
    assert (line.noise, line.cells[0].spread) == (None, None)


def test_fields_stand_by_their_accuracy_with_what_was_missed_and_invented():
    found = failures_over(record_of(1, [[0.9]], {"title": 0.9, "amount": 0.2}))
    assert [line.field for line in found.fields] == ["amount", "title"]
    cell = found.fields[0].cells[0]
    assert (cell.accuracy, cell.invented, cell.missed) == (0.2, 0.25, None)


def test_a_model_without_a_field_has_an_empty_cell():
    found = failures_over(
        record_of(1, [[0.9]], {"title": 0.9}), record_of(2, [[0.8]], {"amount": 0.5}, model="beta")
    )
    (amount, title) = found.fields
    assert [cell.accuracy for cell in amount.cells] == [None, 0.5]
    assert [cell.accuracy for cell in title.cells] == [0.9, None]


def test_of_very_many_fields_the_worst_are_shown_and_the_others_counted():
    fields = {f"field-{at}": at / 1000 for at in range(MOST_FIELDS + 5)}
    found = failures_over(record_of(1, [[0.9]], fields))
    assert (len(found.fields), found.fields_left_out) == (MOST_FIELDS, 5)
    assert found.fields[0].field == "field-0"


def test_partial_runs_alone_have_no_matrix():
    assert failures_over(make_record(1, status="partial")) is None
