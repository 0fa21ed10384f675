from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from evalcli.reports.results import encode_records, exit_code, records_of, results_table
from evalcore.evaluation.outcome import RunOutcome
from evalcore.runs.record import Calls, RunRecord, record_object

MakeRecord = Callable[..., RunRecord]


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["complete"], 0),
        (["complete", "partial"], 1),
        (["skipped", "complete"], 1),
        (["skipped", "partial"], 1),
        (["skipped", "skipped"], 3),
    ],
)
def test_only_complete_runs_are_exit_code_0(statuses: list[str], code: int) -> None:
    assert exit_code([RunOutcome("m", status) for status in statuses]) == code


def test_runs_stand_by_accuracy_then_the_partial_then_those_left_out(make_record: MakeRecord) -> None:
    outcomes = [
        RunOutcome("gone", "skipped", "no backend"),
        RunOutcome("half", "partial", "4 of 5", make_record(1, mean=1.0, calls=Calls(5, 1, 4, 0, 0))),
        RunOutcome("low", "complete", None, make_record(2, mean=0.2)),
        RunOutcome("high", "complete", None, make_record(3, mean=0.8, cost_usd=0.5)),
    ]
    rows = results_table(outcomes, "memo").rows
    assert [row[0] for row in rows] == ["high", "low", "half", "gone"]
    assert rows[0][-2:] == ("0.5000", "complete")
    assert rows[2][-1] == "partial: 4 of 5"
    assert rows[3] == ("gone", *["-"] * 9, "skipped: no backend")


def test_without_any_record_there_is_no_column_of_figures() -> None:
    table = results_table([RunOutcome("gone", "skipped", "no backend")], "memo")
    assert (table.headings, table.rows) == (("model", "status"), (("gone", "skipped: no backend"),))


def test_records_are_a_json_array_in_the_order_of_outcomes(make_record: MakeRecord) -> None:
    records = [make_record(2), make_record(1)]
    outcomes = [RunOutcome("m", "complete", None, record) for record in records]
    written = encode_records(records_of([*outcomes, RunOutcome("x", "skipped", "why")]))
    assert json.loads(written) == [record_object(record) for record in records]
