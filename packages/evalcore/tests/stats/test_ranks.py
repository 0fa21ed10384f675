"""A rank says what the replies show, and no more."""

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.stats.ranks import RankRange, rank_ranges, rank_ranges_of_like_cases

SCORES = st.lists(
    st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0]), min_size=3, max_size=5), min_size=2, max_size=2
)


def drawn(means, cases=3, replies=10, spread=0.05, seed=1):
    random = Random(seed)
    return [
        [[min(1.0, max(0.0, random.gauss(mean, spread))) for _ in range(replies)] for _ in range(cases)]
        for mean in means
    ]


def texts(models):
    return [one.text for one in rank_ranges(models)]


def test_models_far_apart_have_one_rank_each():
    assert texts(drawn([0.9, 0.5, 0.7])) == ["1", "3", "2"]


def test_models_that_are_not_shown_to_differ_share_a_range():
    assert texts(drawn([0.9, 0.9, 0.5])) == ["1–2", "1–2", "3"]


def test_equal_replies_are_tied():
    assert texts([[[0.5, 0.9]] * 10] * 3) == ["1–3"] * 3


def test_one_model_alone_is_first_and_none_is_none():
    assert texts(drawn([0.4])) == ["1"]
    assert rank_ranges([]) == []


def test_ranges_need_not_be_those_of_groups():
    """The middle one is not told from either neighbour, the outer ones from each other."""
    ranges = rank_ranges(drawn([0.85, 0.82, 0.79], cases=2, replies=8, seed=6))
    assert ranges == [RankRange(1, 2), RankRange(1, 3), RankRange(2, 3)]


@settings(max_examples=40)
@given(st.lists(SCORES, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_models_plays_no_part(models, random):
    ranges = rank_ranges(models)
    order = random.sample(range(len(models)), len(models))
    assert rank_ranges([models[at] for at in order]) == [ranges[at] for at in order]


@settings(max_examples=40)
@given(st.lists(SCORES, min_size=1, max_size=4))
def test_the_highest_mean_may_always_be_first(models):
    means = [sum(sum(case) / len(case) for case in model) for model in models]
    ranges = rank_ranges(models)
    assert ranges[means.index(max(means))].best == 1
    assert ranges[means.index(min(means))].worst == len(models)


def test_one_hard_case_tells_these_cases_apart_but_not_cases_like_these():
    """The second model always fails one case of twelve: sure of these, no more than chance elsewhere."""
    good, bad = [[1.0] * 10] * 12, [[0.0] * 10] + [[1.0] * 10] * 11
    assert texts([good, bad]) == ["1", "2"]
    assert [one.text for one in rank_ranges_of_like_cases([good, bad])] == ["1–2", "1–2"]


def test_below_ten_cases_nothing_is_said_of_cases_like_these():
    assert rank_ranges_of_like_cases(drawn([0.9, 0.1], cases=9)) is None
    assert rank_ranges_of_like_cases([]) is None


@pytest.mark.parametrize("step", [0.0, 0.01])
def test_twenty_models_take_far_less_than_half_a_minute(step):
    models = drawn([0.95 - step * at for at in range(20)], cases=10, spread=0.1)
    started = time.process_time()
    rank_ranges(models)
    assert time.process_time() - started < 8, "a bound for slow machines: 0.4 s were measured"
