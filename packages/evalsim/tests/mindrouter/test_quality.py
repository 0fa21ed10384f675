"""Answers of a stated quality: the same seeds give the same answer, and structure is never lost."""

from __future__ import annotations

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.mindrouter.answers import Expected
from evalsim.mindrouter.quality import perturbed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-99, 99) | st.text("ab ", max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=3),
    max_leaves=8,
)


def answer(value, quality=0.5, noise=0.5, case="case", call="call", *, is_json=True):
    return perturbed(Expected(value, is_json), quality=quality, noise=noise, case_seed=case, call_seed=call)


def shape(value):
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


@given(VALUES, st.floats(0, 1), st.text(max_size=4))
def test_a_perfect_model_gives_the_expected_answer(value, noise, call):
    assert answer(value, 1.0, noise, call=call) == value


@given(VALUES)
def test_a_model_that_knows_nothing_gets_every_leaf_wrong_and_keeps_the_structure(value):
    wrong = answer(value, 0.0)
    assert shape(wrong) == shape(value)

    def leaves(part):
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return [part] if inner is None else [leaf for one in inner for leaf in leaves(one)]

    assert all(one != other for one, other in zip(leaves(value), leaves(wrong), strict=True))


@given(VALUES, st.floats(0, 1), st.floats(0, 1), st.text(max_size=4), st.text(max_size=4))
def test_the_same_seeds_give_the_same_answer(value, quality, noise, case, call):
    assert answer(value, quality, noise, case, call) == answer(value, quality, noise, case, call)


@given(VALUES, st.floats(0, 1), st.text(max_size=4))
def test_without_noise_every_call_of_a_case_is_the_same(value, quality, call):
    assert answer(value, quality, 0.0, call=call) == answer(value, quality, 0.0, call="other")


def test_a_leaf_that_is_wrong_is_of_the_same_kind():
    value = {"flag": True, "count": 3, "share": 0.5, "name": "one two three", "none": None}
    for number in range(50):
        wrong = answer(value, 0.0, call=str(number))
        assert wrong["flag"] is False
        assert isinstance(wrong["count"], int)
        assert 4 <= wrong["count"] <= 12
        assert isinstance(wrong["share"], float)
        assert isinstance(wrong["name"], str)
        assert wrong["none"] == "unknown"


def test_some_wrong_texts_are_nearly_right():
    words = [answer("one two three four", 0.0, 1.0, call=str(at)) for at in range(200)]
    near = [text for text in words if set(text.split()) < {"one", "two", "three", "four"}]
    assert 60 < len(near) < 140
    assert {len(text.split()) for text in near} == {3}


@pytest.mark.parametrize("quality", [0.2, 0.7])
def test_as_many_leaves_are_right_as_the_quality_says(quality):
    value = [str(number) for number in range(1000)]
    right = mean(one == other for one, other in zip(answer(value, quality), value, strict=True))
    assert abs(right - quality) < 0.06


def test_of_markdown_headings_and_empty_lines_stay():
    text = "# Title\n\nA line of words.\n## More\n- an item of it"
    wrong = answer(text, 0.0, is_json=False).split("\n")
    assert [wrong[at] for at in (0, 1, 3)] == ["# Title", "", "## More"]
    assert wrong[2] != "A line of words."
    assert len(wrong) == 5
