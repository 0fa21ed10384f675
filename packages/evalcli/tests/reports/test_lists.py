"""What `list` and `runs` show."""

from __future__ import annotations

from msgspec.structs import replace

from evalcli.reports.lists import (
    ListedComponent,
    ListedRun,
    components_object,
    components_table,
    runs_object,
    runs_table,
)

MEMO = ListedComponent("memo", "1.1.0", 3, 0, "1.0.0", ("a", "b"), None)
RUN = ListedRun(
    "0199-1", "2026-01-05T09:00:00Z", "memo", "1.0.0", "a", "complete", 0.91234, 3, None, True, "runs/0199-1"
)


def test_a_component_has_its_version_its_cases_and_what_was_evaluated():
    table = components_table([MEMO])
    assert table.headings == ("component", "version", "cases", "evaluated", "models")
    assert table.rows == (("memo", "1.1.0", "3", "1.0.0", "2"),)


def test_what_is_not_known_is_a_dash():
    assert components_table([ListedComponent("memo", None, 0, 0, None, (), None)]).rows == (
        ("memo", "-", "0", "-", "-"),
    )


def test_skipped_cases_show_beside_the_usable_ones():
    assert components_table([replace(MEMO, skipped_cases=2)]).rows[0][2] == "3 of 5"


def test_problems_have_a_column_only_where_there_are_any():
    table = components_table([MEMO, replace(MEMO, component="odd", problem="no version")])
    assert table.headings[-1] == "problem"
    assert [row[-1] for row in table.rows] == ["", "no version"]


def test_a_run_has_its_figures_and_its_folder():
    assert runs_table([RUN], 6).rows == (
        ("0199-1", "2026-01-05T09:00:00Z", "memo", "1.0.0", "a", "0.912", "complete", "runs/0199-1"),
    )


def test_a_run_without_a_record_has_neither_time_nor_accuracy():
    unfinished = replace(RUN, time=None, accuracy=None, status="unfinished")
    assert runs_table([unfinished], 6).rows[0][1:6] == ("-", "memo", "1.0.0", "a", "-")


def test_where_there_is_no_room_a_runs_id_is_the_beginning_that_names_it_and_its_folder_goes():
    table = runs_table([RUN], 6)
    assert dict(table.enough) == {"run": 6, "time": 16}
    assert table.spare == ("folder", "time", "version")
    assert table.spare_in_blocks == {"folder"}


def test_runs_keep_their_order():
    assert [row[0] for row in runs_table([replace(RUN, run_id=name) for name in "ba"], 6).rows] == ["b", "a"]


def test_json_has_every_field_as_it_is():
    assert components_object([MEMO]) == [
        {
            "component": "memo",
            "version": "1.1.0",
            "cases": 3,
            "skipped_cases": 0,
            "evaluated_version": "1.0.0",
            "models": ("a", "b"),
            "problem": None,
        }
    ]
    assert runs_object([RUN])[0]["accuracy"] == 0.91234
    assert components_object([]) == runs_object([]) == []
