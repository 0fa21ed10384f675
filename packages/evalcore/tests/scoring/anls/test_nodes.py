"""JSON values as shared nodes: equal values are one node, whatever their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.anls.nodes import DEEPEST, NULL, SHORT, Interner, clipped
from evalcore.scoring.comparators import LONGEST_TEXT

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=10,
)


def size(value):
    return Interner().node(value).size


@pytest.mark.parametrize(
    ("value", "leaves"),
    [(None, 1), (1, 1), ("", 1), ([], 0), ({}, 0), ([1, None], 2), ({"a": [], "b": {"c": 1}}, 1)],
)
def test_leaves_are_counted_as_anls_does(value, leaves):
    assert size(value) == leaves


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_no_value_is_blank(value):
    assert Interner().node(value).is_blank


@pytest.mark.parametrize("value", [0, False, " ", [None], {"a": None}])
def test_what_is_there_is_not(value):
    assert not Interner().node(value).is_blank


def test_null_is_one_node_of_all_interners():
    assert Interner().node(None) is Interner().node(None) is NULL


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, False), (1, "1"), ([], {})])
def test_values_that_python_takes_for_equal_are_told_apart(one, other):
    interner = Interner()
    assert interner.node(one) is not interner.node(other)


def test_nan_is_found_again():
    interner = Interner()
    assert interner.node(float("nan")) is interner.node(float("nan"))


@given(VALUES, st.randoms(use_true_random=False))
def test_values_that_differ_in_order_alone_are_one_node(value, random):
    def turned(part):
        if isinstance(part, list):
            return [turned(item) for item in random.sample(part, len(part))]
        if isinstance(part, dict):
            return {name: turned(part[name]) for name in random.sample(list(part), len(part))}
        return part

    interner = Interner()
    assert interner.node(value) is interner.node(turned(value))


@given(VALUES)
def test_a_digest_stands_for_the_value_whichever_interner_made_it(value):
    other = Interner()
    other.node(["something", "else", 7])
    assert Interner().node(value).digest == other.node(value).digest


@given(VALUES, VALUES)
def test_nodes_of_two_values_have_one_digest_only_where_they_are_one_node(one, other):
    interner = Interner()
    left, right = interner.node(one), interner.node(other)
    assert (left.digest == right.digest) == (left is right)


def test_short_leaves_are_their_own_digest():
    assert Interner().node("abc").digest == b"str abc"
    assert len(Interner().node("x" * SHORT).digest) == 16


def test_an_interner_made_from_another_leaves_it_as_it_is():
    known = Interner()
    first = known.node({"a": 1})
    other = Interner(known)
    assert other.node({"a": 1}) is first
    new = other.node({"a": 2})
    assert known.node({"a": 2}) is not new


def test_a_list_of_short_texts_has_them_at_hand():
    interner = Interner()
    assert sorted(interner.node(["B", "a  c"]).texts) == ["a c", "b"]
    assert interner.node(["a", []]).texts is None
    assert interner.node(["a", "x" * (LONGEST_TEXT + 1)]).texts is None


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_nested_too_deep_is_its_json():
    deepest = clipped(nested(DEEPEST + 3))
    for _ in range(DEEPEST):
        (deepest,) = deepest
    assert deepest == "[[[1]]]"
    assert clipped(nested(DEEPEST)) == nested(DEEPEST)


def test_a_node_is_of_the_clipped_value():
    interner = Interner()
    assert interner.node(nested(DEEPEST + 3)) is interner.node(clipped(nested(DEEPEST + 3)))


def test_an_integer_of_more_digits_than_python_writes_is_a_leaf():
    interner = Interner()
    assert interner.node(10**5000).text == hex(10**5000)
    assert interner.node(10**5000) is not interner.node(10**5000 + 1)


def test_half_a_surrogate_pair_is_a_leaf():
    assert len(Interner().node("\ud800" * SHORT).digest) == 16
    assert Interner().node({"\ud800": 1}).size == 1
