"""The share of deals that reach as far is that of trying every deal."""

import math
import time
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.stats import dealing
from evalcore.stats.dealing import PermutedStratum, bernstein_bound, upper_tail


def every_deal(strata):
    sums = [0.0]
    for stratum in strata:
        own = [math.fsum(choice) for choice in combinations(stratum.values, stratum.chosen)]
        sums = [before + one for before in sums for one in own]
    observed = math.fsum(math.fsum(stratum.values[: stratum.chosen]) for stratum in strata)
    return sum(one >= observed - dealing.TIE for one in sums) / len(sums)


def gaussian(cases, ours, theirs, apart=0.1, seed=1):
    random = Random(seed)
    return [
        PermutedStratum(
            [random.gauss(0.8 + apart, 0.1) for _ in range(ours)]
            + [random.gauss(0.8, 0.1) for _ in range(theirs)],
            ours,
        )
        for _ in range(cases)
    ]


@st.composite
def small_strata(draw):
    # rounded, so that two sums are a tie or further apart than what counts as one (dealing.TIE)
    value = st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 1.0]) | st.floats(0, 1).map(lambda one: round(one, 5))
    strata = []
    for _ in range(draw(st.integers(1, 2))):
        values = draw(
            st.lists(value, min_size=2, max_size=7).filter(lambda found: max(found) - min(found) > 1e-6)
        )
        strata.append(PermutedStratum(values, draw(st.integers(1, len(values) - 1))))
    return strata


@given(small_strata())
def test_few_deals_are_counted_one_by_one(strata):
    assert upper_tail(strata) == pytest.approx(every_deal(strata))


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=8), min_size=1, max_size=2))
def test_on_the_grid_whole_numbers_are_counted_exactly(cases):
    """Scores that are a few equal steps apart lie on the grid: ties stay ties."""
    strata = [PermutedStratum([0.0, 4.0, *map(float, case)], 4) for case in cases]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dealing, "FEW", 0)
        assert upper_tail(strata) == pytest.approx(every_deal(strata))


@pytest.mark.parametrize(("cases", "ours", "theirs"), [(1, 8, 8), (2, 5, 5), (3, 3, 4), (2, 3, 9), (2, 9, 3)])
def test_the_grid_moves_a_p_by_little(cases, ours, theirs, monkeypatch):
    monkeypatch.setattr(dealing, "FEW", 0)
    for seed in range(5):
        strata = gaussian(cases, ours, theirs, seed=seed)
        assert upper_tail(strata) == pytest.approx(every_deal(strata), rel=0.15, abs=4e-4)


def test_two_sides_that_share_no_score_are_one_deal_in_all():
    strata = [PermutedStratum([0.9] * 5 + [0.1] * 5, 5)] * 3
    assert upper_tail(strata) == pytest.approx(1 / math.comb(10, 5) ** 3)


def test_a_p_far_below_any_number_of_random_deals_is_found():
    assert upper_tail(gaussian(10, 10, 10, apart=0.15)) < 1e-12


def test_many_strata_come_near_the_normal_limit():
    strata = gaussian(40, 6, 6, apart=0.02)
    apart = math.fsum(one.excess for one in strata) / math.hypot(*(one.deviation for one in strata))
    assert upper_tail(strata) == pytest.approx(math.erfc(apart / math.sqrt(2)) / 2, rel=0.15)


def test_where_counting_would_take_long_the_limit_is_taken_and_is_near(monkeypatch):
    strata = gaussian(8, 30, 30, apart=0.02)
    exact = upper_tail(strata)
    monkeypatch.setattr(dealing, "WORK", 0)
    assert upper_tail(strata) == pytest.approx(exact, rel=0.08)


@given(small_strata())
def test_the_bound_is_never_below_the_share(strata):
    assert bernstein_bound(strata) >= every_deal(strata) - 1e-9 or bernstein_bound(strata) == 1


def test_rare_replies_among_very_many_are_counted_exactly():
    """Three zeros of 400 replies to one case, all on one side: the normal limit would say 0.04."""
    strata = [PermutedStratum([0.95] * 200 + [0.0] * 3 + [0.95] * 197, 200)]
    assert upper_tail(strata) == pytest.approx(math.comb(397, 200) / math.comb(400, 200))


def test_28_cases_of_ten_replies_take_well_under_a_second():
    strata = gaussian(28, 10, 10, apart=0.02)
    started = time.process_time()
    upper_tail(strata)
    assert time.process_time() - started < 1, "a bound for slow machines: 0.01 s were measured"
