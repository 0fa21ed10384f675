"""ANLS* equals the reference wherever that has one value, and is indifferent to order everywhere."""

from __future__ import annotations

import warnings
from random import Random

import pytest
from anls_star import anls_score
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue

KEYS = st.sampled_from("pqr")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 1.0, 2, 12, 0.5, -3, 1e16]),
    st.sampled_from(["", "a", "b", "ab", "abc", "abd", " AB", "hello", "hallo", "Hello World", "true", "1"]),
    st.text(max_size=6),
)
TREES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
OBJECT_LISTS = st.lists(st.dictionaries(KEYS, SCALARS, max_size=3), max_size=3)
RANDOMS = st.randoms(use_true_random=False)


def score(expected: JsonValue, answer: JsonValue) -> float:
    return TreeScorer(expected).score(answer).anls_star


def reference(expected: JsonValue, answer: JsonValue) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns where it takes a list for options
        return anls_score(expected, answer)


def shuffled(value: JsonValue, random: Random) -> JsonValue:
    if isinstance(value, list):
        return [shuffled(item, random) for item in random.sample(value, len(value))]
    if isinstance(value, dict):
        return {key: shuffled(item, random) for key, item in value.items()}
    return value


def references(expected: JsonValue, answer: JsonValue, shuffles: int) -> list[float]:
    """The reference's values, lists shuffled at every level of both sides."""
    random = Random(7)
    pairs = [(shuffled(expected, random), shuffled(answer, random)) for _ in range(shuffles)]
    return [reference(*pair) for pair in [(expected, answer), *pairs]]


@settings(max_examples=150)
@given(st.one_of(st.tuples(TREES, TREES), st.tuples(OBJECT_LISTS, OBJECT_LISTS)))
@example(([{"q": "abc", "r": "abd"}], [{"p": "ab", "q": "abc", "r": [None]}, {"r": "ab"}]))
@example(([{"p": [], "q": "y"}, {"p": "x", "q": "y"}], [{"q": "y"}]))
@example(([{"p": "True", "q": "yellow"}, {"p": ["1", True], "q": "hello"}], [{"p": "help", "q": " Hello"}]))
def test_it_equals_the_reference_wherever_that_has_one_value(pair: tuple[JsonValue, JsonValue]) -> None:
    expected, answer = pair
    assume(not (expected == [] and isinstance(answer, str)))  # where the reference raises
    ours = score(expected, answer)
    if reference(expected, answer) == pytest.approx(ours, abs=1e-9):
        return
    values = references(expected, answer, shuffles=60)
    assert max(values) - min(values) > 1e-9, f"the reference says {values[0]} in any order, not {ours}"
    assert min(values) - 1e-9 <= ours


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        # "No value", which is not symmetric.
        (None, ""),
        (None, []),
        (None, {}),
        ("", None),
        ([], None),
        ([], {}),
        ({"p": None}, {}),
        ({"p": ""}, {}),
        ({}, {"p": None}),
        ({"p": "a"}, {"p": "a", "q": None}),
        ([[]], [None]),
        # Kinds that do not go together.
        (["a", "b"], {"p": "a"}),
        ({"p": ["a", "b"]}, {"p": "a"}),
        ("a", ["a"]),
        # The texts of scalars.
        (True, "TRUE "),
        (True, 1),
        (1, 1.0),
        (15, 16),
        (1e16, "1e+16"),
        ("a  b\n", "A B"),
        ("ab", "ac"),
        ("ab", "cd"),
        # A list of strings against a string is a list of options.
        (["yes", "yeah"], "yea"),
        (["no"], "yes"),
        ([{"p": ["yes", "no"]}], [{"p": "yes"}]),
        # Lists of unequal length.
        (["a", "b", "c"], ["c", "x"]),
        ([{"p": "a", "q": "b"}, {"p": "c"}], [{"p": "c", "q": "b"}]),
    ],
)
def test_it_shares_the_references_special_cases(expected: JsonValue, answer: JsonValue) -> None:
    assert score(expected, answer) == pytest.approx(reference(expected, answer), abs=1e-12)


def test_no_options_against_a_string_is_0_where_the_reference_raises() -> None:
    with pytest.raises(ValueError, match="at least 1 valid ground truth"):
        reference([], "a")
    assert score([], "a") == 0


def test_ties_are_decided_by_the_highest_total() -> None:
    """Both elements fit one half; matching the larger one leaves less over."""
    expected = [{"p": "a", "q": "b"}]
    answer = [{"p": "a", "q": "x"}, {"p": "a", "q": "b", "r": "c", "s": "d"}]
    assert score(expected, answer) == score(expected, answer[::-1]) == pytest.approx(2 / 6)


@given(TREES, TREES)
def test_it_is_between_0_and_1(expected: JsonValue, answer: JsonValue) -> None:
    result = TreeScorer(expected).score(answer)
    assert 0 <= result.accuracy <= 1
    assert all(0 <= value <= 1 for value in result.by_field.values())


@given(TREES)
def test_an_equal_answer_scores_1_in_every_field(tree: JsonValue) -> None:
    result = TreeScorer(tree).score(tree)
    assert result.accuracy == 1
    assert set(result.by_field.values()) == {1.0}


@given(TREES, TREES, RANDOMS)
def test_order_plays_no_part(expected: JsonValue, answer: JsonValue, random: Random) -> None:
    assume(not (isinstance(expected, list) and isinstance(answer, str)))
    other = TreeScorer(shuffled(expected, random)).score(shuffled(answer, random))
    assert other == TreeScorer(expected).score(answer)


@given(TREES, TREES)
def test_scoring_one_answer_leaves_no_trace_in_the_next(expected: JsonValue, answer: JsonValue) -> None:
    scorer = TreeScorer(expected)
    first = scorer.score(answer)
    scorer.score([answer, "something else"])
    assert scorer.score(answer) == first


def nested(depth: int, innermost: JsonValue) -> JsonValue:
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"p": value}
    return value


def test_nesting_without_end_is_compared_and_does_not_crash() -> None:
    deep = nested(10_000, "a")
    assert score({"p": "a"}, deep) == 0
    assert score(deep, nested(10_000, "a")) == 1
    assert score(deep, nested(9_000, "a")) < 1


def test_numbers_and_texts_beyond_measure_are_compared() -> None:
    assert score(10**5000, 10**5000) == 1
    assert score(10**5000, 1) == 0
    assert score("\ud800", "\ud800") == 1
    assert score("\ud800", "a") == 0
    assert score(float("nan"), float("nan")) == 1
    assert score(float("inf"), 1.0) == 0
    assert score("ab" * 40_000, "ab" * 40_000) == 1
    assert score("ab" * 40_000, "ab" * 39_999) == 0


def test_lists_beyond_measure_are_matched_where_their_elements_are_equal() -> None:
    expected: JsonValue = [{"p": "a"}, *(f"expected {at}" for at in range(49))]
    answer: JsonValue = [*(f"invented {at}" for at in range(4_899)), {"p": "a"}]
    assert score(expected, answer) == pytest.approx(1 / 4_949)
    assert score(answer, answer[::-1]) == 1
