"""Weights of replies: those drawn ahead are the very ones, and what is held is bounded."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats import weights
from evalcore.stats.uncertainty import (
    DRAWS,
    REPRODUCIBILITY_MASS,
    Pairs,
    draw_ahead,
    reproducibility_interval,
)
from evalcore.stats.weights import gaps_of, weights_from, weights_of_seed

REPLIES = st.lists(st.integers(2, 8), min_size=1, max_size=4).map(tuple)


@pytest.fixture(autouse=True)
def nothing_kept():
    weights._kept.cache_clear()


@given(REPLIES, st.integers(0, 1000))
def test_the_weights_of_a_draw_are_parts_of_one(replies, seed):
    for case, count in zip(weights_from(Random(seed).random)(replies, 1.0, 20), replies, strict=True):
        assert case.replies == count
        for draw, among in enumerate(case.among):
            gaps = gaps_of(case.cuts_of(draw))
            assert len(gaps) == count
            assert min(gaps) >= 0
            assert math.fsum(gaps) == pytest.approx(1)
            assert among == pytest.approx(1 - math.fsum(gap * gap for gap in gaps))
            assert 0 <= case.extra[draw] < 1


@given(REPLIES)
def test_kept_weights_are_those_that_would_be_drawn_anew(replies):
    source = weights_of_seed("reproducibility", "abc")
    first, again = source(replies, 1.0, 20), source(replies, 1.0, 20)
    assert first is again
    assert weights_of_seed("reproducibility", "abd")(replies, 1.0, 20) != first


def test_the_interval_is_the_same_whether_drawn_ahead_or_not():
    pairs = [Pairs(counts=(3, 1, 1), agreement=((1.0,), (0.4, 1.0), (0.0, 0.7, 1.0)))] * 6
    source = weights_of_seed("reproducibility", "abc")
    alone = reproducibility_interval(pairs, source)
    weights._kept.cache_clear()
    draw_ahead(len(pairs), 5, source)
    hits = weights._kept.cache_info().hits
    assert reproducibility_interval(pairs, source) == alone
    assert weights._kept.cache_info().hits == hits + 1


def test_of_a_very_large_run_no_draw_is_held():
    replies = (100,) * 200
    assert sum(replies) * DRAWS > weights.LARGEST_KEPT
    assert iter(weights_of_seed("large")(replies, REPRODUCIBILITY_MASS, DRAWS))
    assert weights._kept.cache_info().currsize == 0


def test_only_the_last_sets_are_held():
    for count in range(2, 8):
        weights_of_seed("small")((count,), 1.0, 10)
    assert weights._kept.cache_info().currsize == weights.SETS_KEPT
