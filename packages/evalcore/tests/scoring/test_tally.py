"""What a comparison comes to by field, for precision, recall, prose, and whether all is right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import TreeScorer
from evalcore.scoring.tally import field_paths, nearest_known

PROSE = "a sentence of more than eight words in all of it"


def tally(expected, answered, policy=""):
    rules = FieldRules(None, [expected], parse_policy(policy, "scoring.yaml") if policy else None)
    return TreeScorer(expected, rules).compare(answered).tally


def test_a_field_is_the_mean_over_the_leaves_of_both_sides():
    found = tally({"l": [{"a": 1}, {"a": 2}]}, {"l": [{"a": 1}, {"a": 2}, {"a": 3}]})
    assert found.by_field() == {"l[].a": pytest.approx(2 / 3)}
    assert found.precision_by_field() == {"l[].a": pytest.approx(2 / 3)}
    assert found.recall_by_field() == {"l[].a": 1}


def test_a_missed_leaf_lowers_recall_an_invented_one_precision():
    missed, invented = tally({"a": 1, "b": 2}, {"a": 1}), tally({"a": 1}, {"a": 1, "b": 2})
    assert (missed.precision, missed.recall) == (1, 0.5)
    assert (invented.precision, invented.recall) == (0.5, 1)


def test_where_nothing_is_expected_or_answered_nothing_is_missed_or_invented():
    assert (tally({}, {}).precision, tally({}, {}).recall) == (1, 1)
    assert (tally({}, {"a": 1}).precision, tally({}, {"a": 1}).recall) == (0, 1)
    assert (tally({"a": 1}, {}).precision, tally({"a": 1}, {}).recall) == (1, 0)


def test_one_place_answered_by_another_kind_counts_once_as_missed():
    found = tally({"a": {"b": 1}}, {"a": 7})
    assert found.by_field() == {"a.b": 0}
    assert (found.precision, found.recall) == (0, 0)


def test_an_invented_leaf_counts_at_the_nearest_field_that_is_expected():
    found = tally({"l": [], "n": 1}, {"l": [{"x": 1}], "n": 1})
    assert found.by_field() == {"l": 0, "n": 1}


def test_an_invented_leaf_that_no_field_holds_counts_at_none():
    assert tally({"n": 1}, {"n": 1, "other": 2}).by_field() == {"n": 1}


def test_a_field_that_is_expected_empty_and_is_empty_is_right():
    assert tally({"n": None, "l": []}, {}).by_field() == {"l": 1, "n": 1}


def test_prose_has_a_mean_of_its_own_and_none_where_there_is_none():
    assert tally({"why": PROSE, "n": 1}, {"why": PROSE, "n": 2}).prose == 1
    assert tally({"why": PROSE, "n": 1}, {"n": 1}).prose == 0
    assert tally({"n": 1}, {"n": 1}).prose is None


@pytest.mark.parametrize(
    ("expected", "answered", "exact"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "why": PROSE}, {"a": 1, "why": "x"}, True),
        ({"why": PROSE}, {"why": "x"}, None),
        ({"a": {"b": 1}}, {"a": 1}, False),
        ({"l": []}, {"l": []}, True),
        ({"l": []}, {}, True),
        ({"l": []}, {"l": [{"a": 1}]}, False),
        ({"why": PROSE}, {}, None),
        ({"why": PROSE}, {"why": "x", "a": 1}, None),
    ],
)
def test_exact_is_every_leaf_but_prose_right_with_none_missed_or_invented(expected, answered, exact):
    assert tally(expected, answered).exact is exact


def test_what_the_policy_ignores_is_no_leaf_that_must_be_right():
    policy = "fields:\n  a: {compare: ignore}\n"
    found = tally({"a": 1, "b": 2}, {"a": 9, "b": 2}, policy)
    assert found.exact is True
    assert "a" not in found.by_field()


def test_what_the_policy_requires_and_the_answer_lacks_is_named():
    policy = "fields:\n  a: {required: true}\n"
    assert tally({"a": 1, "b": 2}, {"b": 2}, policy).lacking == ["a"]
    assert tally({"a": 1, "b": 2}, {"a": 5}, policy).lacking == []


def test_lengths_agree_as_the_shorter_to_the_longer():
    found = tally({"l": [1, 2, 3, 4]}, {"l": [1, 2]})
    assert found.lengths_of({"l"}) == {"len(l)": 0.5}
    assert found.lengths_of(set()) == {}


def test_a_list_that_only_one_side_has_agrees_in_nothing():
    assert tally({"l": [1], "n": 1}, {"n": 1}).lengths_of({"l"}) == {"len(l)": 0}
    assert tally({"l": [], "n": 1}, {"l": [1], "n": 1}).lengths_of({"l"}) == {"len(l)": 0}


@pytest.mark.parametrize(
    ("path", "known", "nearest"),
    [
        ("a.b", {"a.b"}, "a.b"),
        ("a.b.c", {"a"}, "a"),
        ("a.b[].c", {"a.b"}, "a.b"),
        ("a[]", {"a"}, "a"),
        ("a[].b", {"a[]"}, "a[]"),
        ("sections[Dates].x", {"sections"}, "sections"),
        ("a", {"b"}, ""),
        ("[].a", set(), ""),
        ("", {""}, ""),
    ],
)
def test_the_nearest_field_around_a_path(path, known, nearest):
    assert nearest_known(path, known) == nearest


@given(st.text("ab.[]", max_size=12), st.sets(st.text("ab.[]", max_size=4), max_size=3))
def test_the_search_for_the_nearest_field_ends_and_gives_a_known_one_or_none(path, known):
    assert nearest_known(path, known) in known | {""}


@pytest.mark.parametrize("name", ["]", "a]", "[", "a.b", ".", "[]", "[x]"])
def test_a_name_of_brackets_and_dots_is_a_name_as_any_other(name):
    """The schema knows it, the expected answer of this case lacks it, and the model answers it."""
    rules = FieldRules({"properties": {name: {"type": "integer"}}}, [{"n": 1}])
    score = TreeScorer({"n": 1}, rules).score({"n": 1, name: 2})
    assert (score.accuracy, score.precision) == (0.5, 0.5)


def test_paths_are_those_of_leaves_of_nulls_and_of_what_is_empty():
    value = {"a": 1, "b": None, "c": [], "d": [{"e": 1}, {"f": 2}], "g": {}}
    root = FieldRules(None, [value]).root
    assert list(field_paths(value, root)) == ["a", "b", "c", "d[].e", "d[].f", "g"]
    assert list(field_paths(None, root)) == ["."]


ANSWERS = st.dictionaries(
    st.sampled_from("abc"),
    st.none() | st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=3),
    max_size=3,
)


@given(ANSWERS, ANSWERS)
def test_all_shares_lie_between_nought_and_one(expected, answered):
    found = tally(expected, answered)
    shares = [found.precision, found.recall, *found.by_field().values()]
    shares += [*found.precision_by_field().values(), *found.recall_by_field().values()]
    assert all(0 <= share <= 1 for share in shares)


@given(ANSWERS, ANSWERS)
def test_precision_one_way_is_recall_the_other_way(expected, answered):
    there = tally(expected, answered)
    rules = FieldRules(None, [expected])
    back = TreeScorer(answered, rules).compare(expected).tally
    assert there.precision == pytest.approx(back.recall)
    assert there.recall == pytest.approx(back.precision)


@given(ANSWERS)
def test_the_expected_answer_itself_is_right_in_every_field(expected):
    found = tally(expected, expected)
    assert set(found.by_field().values()) <= {1.0}
    assert (found.precision, found.recall) == (1, 1)
    assert found.exact in {True, None}
