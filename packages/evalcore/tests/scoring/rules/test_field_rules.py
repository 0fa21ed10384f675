"""By field: the mean over the leaves of each path of the expected answer."""

from __future__ import annotations

import pytest

from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue

EXPECTED: JsonValue = {
    "title": "Call for proposals",
    "documents": [
        {"code": "cover", "pages": None},
        {"code": "budget", "pages": 3},
    ],
    "notes": [],
}


def fields(expected: JsonValue, answer: JsonValue) -> dict[str, float]:
    return dict(TreeScorer(expected).score(answer).by_field)


def test_paths_are_written_with_dots_and_brackets() -> None:
    assert fields(EXPECTED, EXPECTED) == {
        "documents[].code": 1,
        "documents[].pages": 1,
        "notes": 1,
        "title": 1,
    }
    assert TreeScorer(EXPECTED).fields == {"title", "documents[].code", "documents[].pages", "notes"}
    assert fields([{"x": 1}], [{"x": 1}]) == {"[].x": 1}
    assert fields([["a"]], [["a"]]) == {"[][]": 1}
    assert fields("a", "a") == {".": 1}
    assert fields([], []) == {".": 1}


def test_elements_are_compared_with_their_partners() -> None:
    answer = {
        **EXPECTED,
        "documents": [{"code": "budget", "pages": 4}, {"code": "cover", "pages": None}],
    }
    assert fields(EXPECTED, answer)["documents[].code"] == 1
    assert fields(EXPECTED, answer)["documents[].pages"] == 0


def test_an_element_without_partner_counts_0_in_its_fields() -> None:
    missed = {**EXPECTED, "documents": [{"code": "budget", "pages": 3}]}
    assert fields(EXPECTED, missed)["documents[].code"] == 0.5
    invented = {**EXPECTED, "documents": [*EXPECTED["documents"], {"code": "poem", "pages": 1}]}
    assert fields(EXPECTED, invented)["documents[].code"] == pytest.approx(2 / 3)


def test_a_missing_part_counts_0_in_its_fields_and_is_right_where_null_was_expected() -> None:
    assert fields(EXPECTED, {}) == {
        "documents[].code": 0,
        "documents[].pages": 0,
        "notes": 1,
        "title": 0,
    }
    assert fields({"a": None, "b": 1}, {}) == {"a": 1, "b": 0}


def test_a_part_of_another_kind_counts_0_in_its_fields() -> None:
    assert fields(EXPECTED, "no") == dict.fromkeys(TreeScorer(EXPECTED).fields, 0) | {"notes": 1}
    assert fields(EXPECTED, {**EXPECTED, "documents": "none"})["documents[].pages"] == 0


def test_items_invented_in_an_empty_list_count_at_the_list() -> None:
    assert fields(EXPECTED, {**EXPECTED, "notes": [{"text": "a"}]})["notes"] == 0


def test_a_key_that_was_not_expected_becomes_no_field_but_costs_accuracy() -> None:
    result = TreeScorer(EXPECTED).score({**EXPECTED, "<b>poem</b>": "a"})
    assert result.by_field == fields(EXPECTED, EXPECTED)
    assert result.accuracy < 1


def test_fields_come_sorted() -> None:
    assert list(fields({"b": 1, "a": 2}, {"b": 1, "a": 2})) == ["a", "b"]
