"""One answer looked at by its keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.run_report.answer_keys import LONGEST_KEY, AnswerKeys, TooLarge
from evalcore.reports.run_report.declared import declared_by
from evalcore.scoring.parts import count_values

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {},
        "b": {"type": "array", "items": {"type": "object", "properties": {"c": {}, "d": {}}}},
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdxy"), inner, max_size=4),
    max_leaves=20,
)


def looked_at(answer, most=1000):
    return AnswerKeys(answer, declared_by(SCHEMA, []), most)


def test_scalars_lists_and_objects_are_found_where_they_are_declared():
    keys = looked_at({"a": 1, "b": [{"c": None, "d": 2}, {"c": 3, "d": 4}]})
    assert keys.scalars == {"a": [1], "b[].c": [None, 3], "b[].d": [2, 4]}
    assert keys.lengths == {"b": [2]}
    assert dict(keys.populated()) == {"a": 1, "b[].c": 1, "b[].d": 2, "b": 1, "": 1, "b[]": 2}


def test_missing_and_undeclared_keys_are_counted_per_object():
    keys = looked_at({"a": 1, "b": [{"C": 1, "d": 2}, {"C": 1, "d": 2}]})
    assert keys.missing == {"b[].c": 2}
    assert keys.undeclared == {("b[]", "C"): 2}
    assert keys.instead == {("b[]", "C", "c"): 2}


def test_a_long_key_is_cut():
    keys = looked_at({"x" * 10_000: 1})
    assert keys.undeclared == {("", "x" * LONGEST_KEY): 1}


@given(VALUES)
def test_any_answer_can_be_looked_at(answer):
    keys = looked_at(answer)
    assert keys.values <= count_values(answer) or keys.values <= 1000
    assert all(count > 0 for count in keys.missing.values())


def test_one_that_is_too_large_is_left():
    with pytest.raises(TooLarge):
        looked_at({"b": [1] * 100}, most=50)
    with pytest.raises(TooLarge):
        looked_at({str(at): at for at in range(100)} | {"b": []}, most=50)
