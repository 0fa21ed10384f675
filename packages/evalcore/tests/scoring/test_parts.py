"""Answers as parts: what weighs, what shares a weight, and what is one and the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.anls.nodes import DEEPEST
from evalcore.scoring.parts import (
    GRAIN,
    PROSE_GRAIN,
    Items,
    Leaf,
    Object,
    Placer,
    count_values,
    holds_more_than,
)
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy

PROSE = "a sentence of more than eight words in all of it"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=12,
)


def placed(value, expected=None, policy=None):
    rules = FieldRules(None, [expected if expected is not None else value], policy)
    return Placer().part(value, rules.root)


@pytest.mark.parametrize("value", [None, [], {}, [None], {"a": None}, [[], {}], {"a": {"b": []}}])
def test_what_holds_no_leaf_is_no_part(value):
    assert placed(value) is None


@pytest.mark.parametrize("value", ["", 0, False, "a", 1.5])
def test_a_scalar_that_is_not_null_is_a_leaf_of_weight_one(value):
    part = placed(value)
    assert isinstance(part, Leaf)
    assert (part.weight, part.prose, part.closed_weight) == (GRAIN, 0, GRAIN)


def test_fields_without_a_value_are_left_out():
    part = placed({"a": 1, "b": None, "c": [], "d": {"e": None}})
    assert isinstance(part, Object)
    assert list(part.fields) == ["a"]
    assert part.weight == GRAIN


def test_an_object_weighs_what_its_fields_weigh():
    assert placed({"a": 1, "b": {"c": "x", "d": True}}).weight == 3 * GRAIN


def test_a_list_weighs_what_its_elements_weigh():
    part = placed([1, 2, None, 3])
    assert isinstance(part, Items)
    assert (len(part.items), part.weight) == (3, 3 * GRAIN)


def test_all_prose_of_one_object_shares_one_weight():
    one, three = placed({"a": PROSE}), placed({"a": PROSE, "b": PROSE, "c": PROSE})
    assert one.weight == three.weight == PROSE_GRAIN
    assert one.prose == three.prose == 0


def test_an_inner_object_has_a_share_of_its_own():
    assert placed({"a": PROSE, "b": {"c": PROSE}}).weight == 2 * PROSE_GRAIN


def test_prose_without_an_object_around_it_is_open_until_it_is_closed():
    part = placed(PROSE)
    assert (part.weight, part.prose, part.closed_weight) == (0, 1, PROSE_GRAIN)


def test_the_order_of_a_list_plays_no_part_unless_the_policy_says_so():
    assert placed([3, 1, 2]).key == placed([1, 2, 3]).key
    ordered = parse_policy("fields:\n  l: {ordered: true}\n", "scoring.yaml")
    assert placed({"l": [3, 1, 2]}, policy=ordered).key != placed({"l": [1, 2, 3]}, policy=ordered).key


def test_equal_members_of_a_set_are_one_and_so_are_texts_that_read_alike():
    policy = parse_policy("fields:\n  l: {compare: set}\n", "scoring.yaml")
    part = placed({"l": ["Alpha", "alpha ", "beta", "beta"]}, policy=policy)
    assert len(part.fields["l"].items) == 2


def test_equal_values_at_one_field_are_one_part():
    rules = FieldRules(None, [{"a": [1], "b": [1]}])
    placer = Placer()
    first, again = (placer.part({"a": [1, 2], "b": [1]}, rules.root) for _ in range(2))
    assert first is again
    assert first.fields["a"].items[0] is not first.fields["b"].items[0]


def test_a_placer_made_from_another_knows_its_parts_and_leaves_it_as_it_is():
    rules = FieldRules(None, [{"a": 1}])
    known = Placer()
    part = known.part({"a": 1}, rules.root)
    other = Placer(known)
    assert other.part({"a": 1}, rules.root) is part
    new = other.part({"a": 2}, rules.root)
    assert known.part({"a": 2}, rules.root) is not new


def test_numbers_of_parts_are_all_different():
    rules = FieldRules(None, [{"a": [1, 2], "b": {"c": 1}}])
    part = Placer().part({"a": [1, 2], "b": {"c": 1}}, rules.root)
    parts = [part, part.fields["a"], *part.fields["a"].items, part.fields["b"], part.fields["b"].fields["c"]]
    assert len({one.number for one in parts}) == len(parts)


def test_flat_is_what_holds_no_list():
    part = placed({"a": {"b": 1}, "c": [1]})
    assert not part.is_flat
    assert part.fields["a"].is_flat
    assert not part.fields["c"].is_flat


def test_what_is_nested_too_deep_is_one_text():
    value = 1
    for _ in range(DEEPEST + 5):
        value = [value]
    part = placed(value)
    assert part.weight == GRAIN
    for _ in range(DEEPEST):
        (part,) = part.items
    assert part.value == "[[[[[1]]]]]"


@given(VALUES)
def test_a_part_weighs_nothing_less_than_nothing_and_its_key_stands_for_it(value):
    rules = FieldRules(None, [value])
    one, other = Placer().part(value, rules.root), Placer().part(value, rules.root)
    assert (one is None) == (other is None)
    if one is not None:
        assert one.key == other.key
        assert one.closed_weight >= 0


@given(VALUES, st.integers(0, 20))
def test_more_than_a_limit_is_told_without_counting_to_the_end(value, limit):
    assert holds_more_than(value, limit) == (count_values(value) > limit)


def test_values_are_counted_with_what_holds_them():
    assert count_values(None) == 1
    assert count_values([]) == 1
    assert count_values({"a": [1, 2], "b": {}}) == 5


def test_a_value_nested_without_end_is_counted():
    value = []
    for _ in range(50_000):
        value = [value]
    assert count_values(value) == 50_001
    assert holds_more_than(value, 50_000)
    assert not holds_more_than(value, 50_001)
