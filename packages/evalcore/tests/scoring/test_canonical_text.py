"""A value as one text: equal for equal values, however deep they are nested."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.canonical_text import _text_without_recursion, canonical_text, scalar_text

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        ("a\u00e9\n", '"a\\u00e9\\n"'),
        ([], "[]"),
        ({}, "{}"),
        ([[], {}], "[[],{}]"),
        ({"b": 1, "a": [None, "x"]}, '{"a":[null,"x"],"b":1}'),
        ("\ud800", '"\\ud800"'),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
    ],
)
def test_it_is_compact_json_with_sorted_keys(value, text):
    assert canonical_text(value) == text
    assert _text_without_recursion(value) == text


@given(VALUES)
def test_both_ways_to_write_it_write_the_same(value):
    assert _text_without_recursion(value) == canonical_text(value)


@given(st.dictionaries(st.text(), st.integers(), max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_keys_plays_no_part(value, random):
    names = random.sample(list(value), len(value))
    assert canonical_text({name: value[name] for name in names}) == canonical_text(value)


@given(st.lists(st.integers()))
def test_the_order_of_elements_does(values):
    assert json.loads(canonical_text(values)) == values


def test_one_and_one_point_nought_and_true_are_three_values():
    assert len({canonical_text(value) for value in (1, 1.0, True, "1")}) == 4


def test_a_value_nested_a_hundred_thousand_deep_has_a_text():
    value = 1
    for _ in range(100_000):
        value = [value]
    assert canonical_text(value) == "[" * 100_000 + "1" + "]" * 100_000


def test_an_integer_of_more_digits_than_python_writes_has_a_text_of_its_own():
    large = 10**5000
    assert canonical_text([large]) == f"[{hex(large)}]"
    assert scalar_text(large) != scalar_text(large + 1)
