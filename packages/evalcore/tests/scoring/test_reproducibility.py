"""Reproducibility of a case: every pair of replies, aligned to each other."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.interface import Agreement, Score
from evalcore.scoring.reproducibility import agree_case
from evalcore.scoring.scorer import TreeScorer
from evalcore.structs import JsonValue

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "a", "ab", "abc", "x y"])
)
TREES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("pqr"), inner, max_size=3)
    ),
    max_leaves=8,
)
SCORER = TreeScorer({"p": "a", "q": ["b"], "r": 1})


def shuffled(value: JsonValue, random: Random) -> JsonValue:
    if isinstance(value, list):
        return [shuffled(item, random) for item in random.sample(value, len(value))]
    if isinstance(value, dict):
        return {key: shuffled(item, random) for key, item in value.items()}
    return value


class CountingScorer:
    """Scores as SCORER does, and counts the comparisons."""

    fields = SCORER.fields

    def __init__(self) -> None:
        self.comparisons = 0

    def score(self, answer: JsonValue) -> Score:
        return SCORER.score(answer)

    def agree(self, left: JsonValue, right: JsonValue) -> Agreement:
        self.comparisons += 1
        return SCORER.agree(left, right)


@given(TREES, TREES)
def test_agreement_is_symmetric_and_between_0_and_1(left: JsonValue, right: JsonValue) -> None:
    agreement = SCORER.agree(left, right)
    assert agreement == SCORER.agree(right, left)
    assert 0 <= agreement.value <= 1
    assert all(0 <= value <= 1 for value in agreement.by_field.values())


@given(TREES, st.randoms(use_true_random=False))
def test_an_answer_agrees_with_its_own_shuffle(tree: JsonValue, random: Random) -> None:
    agreement = SCORER.agree(tree, shuffled(tree, random))
    assert agreement.value == 1
    assert set(agreement.by_field.values()) <= {1.0}


def test_replies_are_aligned_to_each_other_not_to_the_truth() -> None:
    """Always wrong in the same way, in another order: nothing is right, all is reproduced."""
    left, right = {"q": ["x", "y", "z"]}, {"q": ["z", "x", "y"]}
    assert SCORER.score(left).accuracy == 0
    assert agree_case(SCORER, [left, right]).value == 1


def test_a_list_of_strings_is_no_list_of_options_for_another_reply() -> None:
    assert SCORER.agree(["a", "b"], "a").value == 0


def test_fewer_than_two_replies_agree_with_nothing() -> None:
    assert agree_case(SCORER, []) is None
    assert agree_case(SCORER, ["a"]) is None
    assert agree_case(SCORER, [], unparsed=1) is None


def test_equal_replies_agree_and_cost_one_comparison() -> None:
    scorer = CountingScorer()
    agreement = agree_case(scorer, [{"p": "a", "q": [], "r": 1}] * 100)
    assert (agreement.value, agreement.identical_rate) == (1, 1)
    assert agreement.by_field == {"p": 1, "q[]": 1, "r": 1}
    assert scorer.comparisons == 1


def test_the_value_is_the_mean_over_all_pairs() -> None:
    agreement = agree_case(SCORER, [{"p": "a"}, {"p": "a"}, {"p": "z"}])
    assert agreement.value == pytest.approx(1 / 3)
    assert agreement.identical_rate == pytest.approx(1 / 3)
    assert agreement.by_field == pytest.approx({"p": 1 / 3, "q[]": 1, "r": 1})


def test_unparsable_replies_agree_with_nothing_nor_with_each_other() -> None:
    one_bad = agree_case(SCORER, [{"p": "a"}, {"p": "a"}], unparsed=1)
    assert (one_bad.value, one_bad.identical_rate) == pytest.approx((1 / 3, 1 / 3))
    assert one_bad.by_field == pytest.approx({"p": 1 / 3, "q[]": 1 / 3, "r": 1 / 3})
    all_bad = agree_case(SCORER, [], unparsed=3)
    assert (all_bad.value, all_bad.identical_rate) == (0, 0)
    assert all_bad.by_field == {"p": 0, "q[]": 0, "r": 0}


def test_null_is_an_answer_and_not_an_unparsable_one() -> None:
    assert agree_case(SCORER, [None, None]).value == 1


def test_one_true_and_1_0_are_three_values() -> None:
    assert agree_case(SCORER, [1, True, 1.0]).identical_rate == 0
    assert agree_case(SCORER, [{"p": 1, "q": 2}, {"q": 2, "p": 1}]).identical_rate == 1


@given(st.lists(TREES, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_replies_changes_no_digit(values: list[JsonValue], random: Random) -> None:
    assert agree_case(SCORER, random.sample(values, len(values))) == agree_case(SCORER, values)


def test_agreement_does_not_rise_with_the_number_of_replies() -> None:
    answers = [{"p": "a"}, {"p": "z"}]
    few, many = agree_case(SCORER, answers * 2), agree_case(SCORER, answers * 50)
    assert few.value == pytest.approx(1 / 3)
    assert many.value == pytest.approx(49 / 99)


def test_replies_nested_without_end_are_told_apart() -> None:
    deep: JsonValue = "a"
    for _ in range(20_000):
        deep = [deep]
    agreement = agree_case(SCORER, [deep, [deep], deep])
    assert agreement.identical_rate == pytest.approx(1 / 3)
