"""The typed tree score: matched weight over all weight, by the best assignment of the whole."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.scoring.assignment import UNIT
from evalcore.scoring.leaves import LeafComparison
from evalcore.scoring.parts import GRAIN, PROSE_GRAIN, Placer
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.typed_tree import Fit, TypedComparison, close_prose

PROSE = "a sentence of more than eight words in all of it"


def compare(expected, answered, policy="", **limits):
    rules = FieldRules(None, [expected], parse_policy(policy, "scoring.yaml") if policy else None)
    placer = Placer()
    left, right = placer.part(expected, rules.root), placer.part(answered, rules.root)
    comparison = TypedComparison(LeafComparison(""), **limits)
    return comparison, left, right, comparison.score(left, right)


def score(expected, answered, policy="", **limits):
    return compare(expected, answered, policy, **limits)[-1]


@pytest.mark.parametrize(
    ("expected", "answered", "share"),
    [
        (None, None, 1),
        (None, [], 1),
        ({}, [], 1),
        (None, 1, 0),
        (1, None, 0),
        (1, 1, 1),
        ({"a": 1}, {"a": 1, "b": None}, 1),
        ({"a": 1}, {"a": 1, "b": 2}, 0.5),
        ({"a": 1, "b": 2}, {"a": 1}, 0.5),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}, 0),
        ({"a": 1}, [1], 0),
        ({"a": {"b": 1, "c": 2}}, {"a": 1}, 0),
        ([1, 2, 3], [3, 2, 1], 1),
        ([1, 2], [1, 2, 3, 4], 0.5),
        ([1, 2, 3, 4], [1], 0.25),
        ([1, 1], [1], 0.5),
    ],
)
def test_the_score_is_the_matched_share_of_all_leaves(expected, answered, share):
    assert score(expected, answered) == share


def test_of_two_kinds_in_one_place_the_larger_one_is_wrong():
    assert score({"a": [7, 8, 9], "b": 2}, {"a": 7, "b": 2}) == 0.25
    assert score({"a": 7, "b": 2}, {"a": [7, 8, 9], "b": 2}) == 0.25


def test_only_prose_shares_one_weight_wherever_it_stands():
    assert score([PROSE, "x"], [PROSE, "y"]) == 0.5
    assert score({"n": 1, "why": PROSE}, {"n": 1, "why": "nothing of the kind"}) == pytest.approx(1 / 1.25)


def test_an_element_finds_the_partner_by_which_the_whole_gains_most():
    expected = [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}]
    answered = [{"n": 2, "t": "a"}, {"n": 1, "t": "b"}]
    assert score(expected, answered) == 0.5


def test_no_invented_leaf_raises_a_score_by_turning_an_assignment():
    """As it can with ANLS*, whose assignment goes by the averages of pairs."""
    expected = [{"a": 1, "b": 2}, {"a": 3}]
    answered = [{"a": 1}, {"a": 3, "b": 2}]
    before = score(expected, answered)
    for element in range(2):
        for name in ("c", "d"):
            more = [dict(item) for item in answered]
            more[element][name] = 9
            assert score(expected, more) <= before


@given(
    st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), min_size=1), min_size=1, max_size=3),
    st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), min_size=1), min_size=1, max_size=3),
)
@settings(max_examples=60)
def test_no_assignment_of_a_list_of_objects_gives_more(expected, answered):
    def by(pairs):
        matched = leaves = 0
        for one, other in pairs:
            matched += sum(other.get(name) == value for name, value in one.items())
            leaves += len(one.keys() | other.keys())
        return matched / leaves

    short, long = sorted((expected, answered), key=len)
    best = max(
        by([*zip(short, chosen, strict=False)] + [(item, {}) for item in _rest(long, chosen)])
        for chosen in permutations(long, len(short))
    )
    assert score(expected, answered) == pytest.approx(best)


def _rest(items, chosen):
    left = list(items)
    for item in chosen:
        left.remove(item)
    return left


def test_ordered_lists_keep_their_order_and_lose_what_stands_elsewhere():
    policy = "fields:\n  l: {ordered: true}\n"
    assert score({"l": [1, 2, 3]}, {"l": [1, 2, 3]}, policy) == 1
    assert score({"l": [1, 2, 3]}, {"l": [2, 3, 1]}, policy) == pytest.approx(2 / 4)
    assert score({"l": [1, 2, 3]}, {"l": [9, 1, 2, 3]}, policy) == pytest.approx(3 / 4)


def test_elements_are_aligned_by_the_key_that_the_policy_names():
    policy = "fields:\n  l: {align_by: [id]}\n"
    expected = {"l": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}
    swapped = {"l": [{"id": "a", "n": 2}, {"id": "b", "n": 1}]}
    assert score(expected, swapped, policy) == 0.5
    renamed = {"l": [{"id": "c", "n": 1}, {"id": "d", "n": 2}]}
    assert score(expected, renamed, policy) == 0


def test_a_second_key_aligns_what_the_first_left_over():
    policy = "fields:\n  l: {align_by: [id, code]}\n"
    expected = {"l": [{"id": "a", "code": "x", "n": 1}]}
    assert score(expected, {"l": [{"id": "z", "code": "x", "n": 1}]}, policy) == pytest.approx(2 / 3)
    assert score(expected, {"l": [{"id": "z", "code": "y", "n": 1}]}, policy) == 0


def test_keys_that_read_alike_are_one_key():
    policy = "fields:\n  l: {align_by: [id]}\n"
    expected = {"l": [{"id": "Alpha", "n": 1}, {"id": "beta", "n": 2}]}
    assert score(expected, {"l": [{"id": "alpha", "n": 1}, {"id": "BETA", "n": 2}]}, policy) == 1


def test_beyond_the_bound_on_pairs_only_equal_elements_match():
    expected, answered = [{"n": 1, "m": 1}, {"n": 2, "m": 2}], [{"n": 1, "m": 1}, {"n": 2, "m": 3}]
    assert score(expected, answered) == 0.75
    assert score(expected, answered, most_pairs=3) == pytest.approx(2 / 6)


def test_beyond_the_bound_an_ordered_list_matches_what_is_equal_at_one_place():
    policy = "fields:\n  l: {ordered: true}\n"
    assert score({"l": [1, 2]}, {"l": [1, 3]}, policy, most_pairs=1) == pytest.approx(1 / 3)


def test_the_matching_of_lists_is_told_by_places():
    comparison, left, right, _ = compare([1, 2], [2, 1, 3])
    pairs = comparison.matching(left, right)
    assert [(left.items[row].value, right.items[column].value) for row, column in pairs] == [(1, 1), (2, 2)]
    assert comparison.matching(left, left) == ((0, 0), (1, 1))


def test_a_fit_counts_in_whole_numbers():
    comparison, left, right, _ = compare({"a": 1, "b": 2}, {"a": 1, "c": 3})
    assert comparison.fit(left, right) == Fit(GRAIN * UNIT, 3 * GRAIN, 0, 0)
    assert comparison.fit(left, left) == Fit(2 * GRAIN * UNIT, 2 * GRAIN, 0, 0)


def test_open_prose_closes_to_its_mean_likeness():
    assert close_prose(Fit(5, 7, 0, 0)) == Fit(5, 7, 0, 0)
    assert close_prose(Fit(0, 0, UNIT, 2)) == Fit(PROSE_GRAIN * UNIT // 2, PROSE_GRAIN, 0, 0)


ANSWERS = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from(["a", "b", PROSE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=8,
)


@given(ANSWERS, ANSWERS)
def test_every_score_lies_between_nought_and_one_and_equal_answers_have_one(expected, answered):
    assert 0 <= score(expected, answered) <= 1
    assert score(expected, expected) == 1
