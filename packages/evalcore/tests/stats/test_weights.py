"""Weights of replies: those drawn ahead are the very ones, and what is held is bounded."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats import weights
from evalcore.stats.uncertainty import (
    DRAWS,
    Pairs,
    draw_ahead,
    reproducibility_interval,
)
from evalcore.stats.weights import Stratum, gaps_of, weights_from, weights_of_seed

STRATA = st.lists(
    st.builds(Stratum, st.integers(2, 8), st.sampled_from([0.1, 0.5, 1.0])), min_size=1, max_size=4
).map(tuple)


@pytest.fixture(autouse=True)
def nothing_kept():
    weights._kept.cache_clear()


@given(STRATA, st.integers(0, 1000))
def test_the_weights_of_a_draw_are_parts_of_one(strata, seed):
    for drawn, stratum in zip(weights_from(Random(seed).random)(strata, 20), strata, strict=True):
        assert drawn.parts == stratum.parts
        for draw, among in enumerate(drawn.among):
            gaps = gaps_of(drawn.cuts_of(draw))
            assert len(gaps) == stratum.parts
            assert min(gaps) >= 0
            assert math.fsum(gaps) == pytest.approx(1)
            assert among == pytest.approx(1 - math.fsum(gap * gap for gap in gaps))
            assert 0 <= drawn.extra[draw] < 1


@given(STRATA)
def test_kept_weights_are_those_that_would_be_drawn_anew(strata):
    source = weights_of_seed("reproducibility", "abc")
    first, again = source(strata, 20), source(strata, 20)
    assert first is again
    weights._kept.cache_clear()
    assert source(strata, 20) == first
    assert weights_of_seed("reproducibility", "abd")(strata, 20) != first


THREE_GROUPS = Pairs(counts=(3, 1, 1), agreement=((1.0,), (0.4, 1.0), (0.0, 0.7, 1.0)))
ONE_PAIR = Pairs(counts=(1, 1), agreement=((1.0,), (0.4, 1.0)))


@pytest.mark.parametrize("case", [THREE_GROUPS, ONE_PAIR])
def test_the_interval_is_the_same_whether_drawn_ahead_or_not(case):
    pairs = [case] * 6
    source = weights_of_seed("reproducibility", "abc")
    alone = reproducibility_interval(pairs, source)
    weights._kept.cache_clear()
    draw_ahead(len(pairs), sum(case.counts), source)
    hits = weights._kept.cache_info().hits
    assert reproducibility_interval(pairs, source) == alone
    assert weights._kept.cache_info().hits == hits + 1


def test_of_a_very_large_run_no_draw_is_held():
    strata = (Stratum(100, 0.005),) * 200
    assert 100 * 200 * DRAWS > weights.LARGEST_KEPT
    assert iter(weights_of_seed("large")(strata, DRAWS))
    assert weights._kept.cache_info().currsize == 0


def test_only_the_last_sets_are_held():
    for count in range(2, 8):
        weights_of_seed("small")((Stratum(count, 1.0),), 10)
    assert weights._kept.cache_info().currsize == weights.SETS_KEPT
