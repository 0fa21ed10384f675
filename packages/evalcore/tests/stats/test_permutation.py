"""When two means differ, and what many tests at once come to."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.stats.permutation import (
    MANY_REPLIES,
    Difference,
    adjusted,
    can_alarm,
    fall_p,
    holm,
    smallest_p,
)

P_VALUES = st.lists(st.floats(0, 1), max_size=12)
SIDES = st.lists(
    st.tuples(*[st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.9, 0.95, 1.0]), min_size=1, max_size=6)] * 2),
    min_size=1,
    max_size=3,
)


def equal(*sizes):
    return [(size, size) for size in sizes]


def test_the_least_p_of_a_design_is_one_in_all_ways_to_deal_the_labels():
    assert smallest_p(equal(3)) == pytest.approx(1 / 20)
    assert smallest_p(equal(2, 2)) == pytest.approx(1 / 36)
    assert smallest_p([(5, 50)]) == pytest.approx(1 / math.comb(55, 5))
    assert smallest_p(equal(*[100] * 100)) == 0
    sizes = ([3], [4], [2, 2], [2, 3], [1] * 6, [])
    assert [can_alarm(equal(*one)) for one in sizes] == [False, True, False, True, True, False]


def test_more_models_take_more_replies_to_show_one_of_them():
    assert [can_alarm(equal(5), models) for models in (1, 6, 7)] == [True, True, False]
    assert can_alarm(equal(5, 5, 5), 51)


def test_the_p_of_two_sides_that_share_no_score_is_the_designs_least():
    assert fall_p([[0.9] * 5], [[0.5] * 5], 0.02) == pytest.approx(1 / 252)
    assert fall_p([[0.9] * 5] * 3, [[0.5] * 5] * 3, 0.02) == pytest.approx(1 / 252**3)


def test_a_fall_within_the_margin_is_none():
    assert fall_p([[0.9] * 50], [[0.89] * 50], 0.02) == 1


def test_ties_count_against_an_alarm():
    """Sums that differ by rounding alone are equal: 0.1 + 0.2 against 0.3."""
    assert fall_p([[0.3, 0.0]], [[0.1 + 0.2 - 0.3, 0.0]]) == pytest.approx(0.5)


def test_unequal_sides_that_spread_differently_must_convince_welch_too():
    """Few replies that vary beside many that do not: labels dealt at random would spread too little."""
    many, few = [[0.9] * 30], [[0.95, 0.5, 0.95, 0.4, 0.6]]
    assert fall_p(many, few) == pytest.approx(0.064, abs=0.001), "Welch's, of 0.24 / 0.113 at 4 degrees"
    assert fall_p(many, [[0.5, 0.52, 0.48, 0.5, 0.51]]) < 1e-4


def test_false_alarms_are_rare_and_large_falls_are_found():
    """The whole table is docs/calibration.md; here one noisy cell of it."""
    random = Random(7)

    def share_of_alarms(right):
        alarms = 0
        for _ in range(200):
            sides = [[[float(random.random() < p) for _ in range(10)]] for p in (0.9, right)]
            alarms += fall_p(*sides, 0.02) <= 0.025
        return alarms / 200

    assert share_of_alarms(0.9) <= 0.03
    assert share_of_alarms(0.1) >= 0.9


@settings(max_examples=50)
@given(SIDES)
def test_a_difference_is_the_same_both_ways_round(cases):
    first, second = [one for one, _ in cases], [other for _, other in cases]
    there, back = Difference(first, second), Difference(second, first)
    assert there.sign == -back.sign
    assert there.p() == pytest.approx(back.p())


@settings(max_examples=50)
@given(SIDES)
def test_a_difference_of_any_kind_is_twice_the_smaller_of_two_falls(cases):
    first, second = [one for one, _ in cases], [other for _, other in cases]
    falls = min(fall_p(first, second), fall_p(second, first))
    assert Difference(first, second).p() == pytest.approx(min(1.0, 2 * falls))


def test_a_bound_is_taken_where_it_settles_the_matter():
    difference = Difference([[0.9] * 20] * 5, [[0.1] * 20] * 5)
    assert difference.p() < difference.p(settled=0.001) < 0.001


@pytest.mark.parametrize("chance", [0.5, 0.8, 0.95])
def test_of_many_replies_the_bound_is_above_the_exact_p(chance):
    rng = Random(7)
    for apart in (0.1, 0.15, 0.2, 0.25):
        sides = [
            [[float(rng.random() < chance - less) for _ in range(40)] for _ in range(4)]
            for less in (0, apart)
        ]
        difference = Difference(*sides)
        assert difference.p() <= difference.p(settled=0.99)


def test_the_normal_limit_settles_nothing_of_unequal_pools():
    """Three times the replies and a rare zero: the exact p was up to 2.4 times the bound."""
    rng = Random(7)

    def replies(count, usual):
        kinds = rng.choices((usual, usual - 0.07, 0.0), (78, 19, 3), k=3 * count)
        return [kinds[at::3] for at in range(3)]

    for _ in range(50):
        difference = Difference(replies(60, 0.93), replies(20, 0.73))
        assert difference.p() <= difference.p(settled=0.05)


def test_few_replies_are_counted_however_far_apart_they_are():
    sides = [[0.9] * MANY_REPLIES], [[0.1] * (MANY_REPLIES - 1)]
    difference = Difference(*sides)
    assert difference.p(settled=1e-12) == difference.p()


@given(P_VALUES, st.sampled_from([adjusted, holm]))
def test_adjusted_p_values_keep_their_order_and_are_never_smaller(p_values, adjust):
    found = adjust(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    ranked = [found[at] for at in sorted(range(len(p_values)), key=lambda at: p_values[at])]
    assert ranked == sorted(ranked)


def test_adjusted_p_values_are_benjamini_and_hochbergs():
    assert adjusted([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert adjusted([]) == []


def test_holms_are_each_times_the_number_of_those_not_smaller():
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
