"""Intervals stay within [0, 1], hold the mean, do not depend on order, and are the same every time."""

import math
import time
from itertools import combinations
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.record import record_object
from evalcore.scoring.score_run import score_run
from evalcore.stats.draws import draws_of_seed
from evalcore.stats.numbers import mean
from evalcore.stats.sampling import seeded_uniform
from evalcore.stats.uncertainty import (
    Pairs,
    accuracy_interval,
    all_right_interval,
    all_right_rates,
    interval_of_like_cases,
    may_still_differ,
    reproducibility_interval,
    share_interval,
)
from evalcore.stats.weights import weights_from

FEW = 100
SCORES = st.lists(
    st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=6), min_size=1, max_size=4
)


@st.composite
def pairs(draw):
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda found: sum(found) > 1))
    rows = [draw(st.lists(st.floats(0, 1), min_size=at + 1, max_size=at + 1)) for at in range(len(counts))]
    return Pairs(counts=tuple(counts), agreement=tuple(map(tuple, rows)))


def draws():
    return draws_of_seed("test")


def weights():
    return weights_from(seeded_uniform("test"))


def mean_of(scores):
    return math.fsum(math.fsum(case) / len(case) for case in scores) / len(scores)


def all_alike(replies, cases=1):
    return [Pairs(counts=(replies,), agreement=((1.0,),))] * cases


@given(SCORES)
def test_an_accuracy_interval_holds_the_mean_and_stays_within_0_and_1(scores):
    low, high = accuracy_interval(scores, draws(), FEW)
    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= mean_of(scores) <= high + 1e-9


@given(SCORES, st.randoms(use_true_random=False))
def test_an_accuracy_interval_does_not_know_the_order_of_replies(scores, random):
    shuffled = [random.sample(case, len(case)) for case in scores]
    assert accuracy_interval(shuffled, draws(), FEW) == accuracy_interval(scores, draws(), FEW)


@given(st.lists(pairs(), min_size=1, max_size=3))
def test_a_reproducibility_interval_holds_the_mean_and_stays_within_0_and_1(cases):
    low, high = reproducibility_interval(cases, weights(), FEW)
    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= math.fsum(case.value for case in cases) / len(cases) <= high + 1e-9


def test_of_nothing_there_is_no_interval():
    assert share_interval([], draws()) is None
    assert accuracy_interval([], draws()) is None
    assert reproducibility_interval([], weights()) is None


def test_replies_that_are_all_right_leave_room_below_and_none_above():
    low, high = accuracy_interval([[1.0] * 10], draws())
    assert high == 1
    assert 0.6 < low < 0.8


def test_the_limit_of_replies_all_right_is_the_betas_own_quantile():
    """Of one reply and pseudo-mass a the weight is Beta(a, 1): its 97.5 % point is 0.975^(1/a)."""
    low, _ = accuracy_interval([[1.0]], draws(), 20_000)
    assert 1 - low == pytest.approx(0.975 ** (1 / 0.6), abs=0.005)


def test_more_replies_and_more_cases_give_a_narrower_interval():
    def width(scores):
        low, high = accuracy_interval(scores, draws())
        return high - low

    case = [1.0, 0.9, 0.8, 0.9, 0.4]
    assert width([case * 4]) < width([case * 2]) < width([case])
    assert width([case] * 10) < width([case] * 3) < width([case])


def test_the_spread_of_many_cases_is_that_of_a_mean():
    """Ten cases of five right-or-wrong replies: 1.96 standard errors either way, by the unbiased variance."""
    low, high = accuracy_interval([[1.0, 1.0, 1.0, 0.0, 0.0]] * 10, draws(), 4000)
    half = 1.96 * math.sqrt(0.3 / 50)
    assert (high - low) / 2 == pytest.approx(half, rel=0.08)


def test_the_bootstrap_of_pairs_leaves_self_pairs_out():
    """Two replies that share nothing: whatever the weights, only the pseudo-observation says more than 0."""
    low, high = reproducibility_interval([Pairs(counts=(1, 1), agreement=((1.0,), (0.0, 1.0)))], weights())
    assert low == 0
    assert high < 1


def test_unparsable_replies_disagree_with_their_like():
    pair = Pairs(counts=(4,), agreement=((0.0,),))
    assert pair.value == 0
    assert reproducibility_interval([pair], weights())[0] == 0


def test_the_interval_of_replies_all_alike_ends_at_1_and_narrows_with_their_number():
    intervals = [reproducibility_interval(all_alike(count), weights()) for count in (2, 5, 20)]
    assert [high for _, high in intervals] == [1, 1, 1]
    assert intervals[0] < intervals[1] < intervals[2]


def test_identical_replies_leave_a_share_that_may_still_differ():
    assert may_still_differ(1) == pytest.approx(0.95)
    assert may_still_differ(10) == pytest.approx(0.2589, abs=1e-4)
    assert (1 - may_still_differ(100)) ** 100 == pytest.approx(0.05)


def test_below_20_cases_nothing_is_said_of_other_cases():
    assert interval_of_like_cases([0.5] * 19, draws()) is None
    assert interval_of_like_cases([0.5] * 20, draws()) is not None


def test_the_interval_for_cases_like_these_has_width_even_where_all_are_right():
    low, high = interval_of_like_cases([1.0] * 28, draws())
    assert high == 1
    assert 0.85 < low < 0.95


def test_the_interval_for_cases_like_these_is_somewhat_wider_than_that_of_t():
    low, high = interval_of_like_cases([0.7, 0.9] * 10, draws())
    half = 2.093024 * math.sqrt(0.01 * 20 / 19 / 20)
    assert 2 * half < high - low < 4 * half


@pytest.mark.parametrize(
    "counts",
    [[(9, 10)], [(1, 5), (5, 5), (0, 5)], [(18, 20)] * 10, [(1, 1)] * 8 + [(0, 1)] * 4, [(3, 3)] * 3],
)
def test_a_share_s_interval_is_that_of_scores_of_0_and_1(counts):
    """By other draws, so that the limits differ by chance alone."""
    right = [[True] * some + [False] * (every - some) for some, every in counts]
    ours = share_interval(right, draws_of_seed("a"), 4000)
    other = accuracy_interval([[*map(float, case)] for case in right], draws_of_seed("b"), 4000)
    width = other[1] - other[0]
    assert ours == pytest.approx(other, abs=0.06 * width)
    assert share_interval([case[::-1] for case in right], draws_of_seed("a"), 4000) == ours


def test_one_reply_a_case_is_one_stratum_of_all_replies():
    """The replies vary by what the cases differ by: the interval is that of cases like these."""
    scores = [0.2, 0.9, 1.0, 0.8, 0.95]
    alone, together = [[score] for score in scores], [scores]
    assert accuracy_interval(alone, draws()) == pytest.approx(accuracy_interval(together, draws()))


@given(st.lists(st.lists(st.booleans(), min_size=2, max_size=6), min_size=1, max_size=4))
def test_the_interval_of_all_right_holds_the_rate(right):
    low, high = all_right_interval(right, 2, draws(), FEW)
    assert 0 <= low <= mean(all_right_rates(right, 2)) <= high <= 1


def test_all_right_is_the_share_of_choices_that_are():
    assert all_right_rates([[True] * 3, [True, True, False]], 2) == pytest.approx([1, 1 / 3])
    assert all_right_rates([[True, False]], 3) is None
    assert all_right_interval([[True, False]], 3, draws()) is None
    assert all_right_rates([], 1) is None


@given(st.lists(st.sampled_from("abcx"), min_size=4, max_size=7))
def test_the_product_of_pairs_without_a_common_reply_is_that_of_trying_all(replies):
    """Replies of a kind agree fully, but for x, which agrees with nothing."""
    kinds = sorted(set(replies))
    found = Pairs(
        counts=tuple(replies.count(kind) for kind in kinds),
        agreement=tuple(
            tuple(agree(kind, other) for other in kinds[: at + 1]) for at, kind in enumerate(kinds)
        ),
    )
    chosen = list(combinations(range(len(replies)), 2))
    products = [
        agree(replies[a], replies[b]) * agree(replies[c], replies[d])
        for a, b in chosen
        for c, d in chosen
        if len({a, b, c, d}) == 4
    ]
    assert found.disjoint_product == pytest.approx(math.fsum(products) / len(products), abs=1e-12)


def agree(one, other):
    return 0.0 if "x" in {one, other} else 1.0 if one == other else 0.5


def test_two_replies_a_case_vary_as_the_cases_do():
    """Weights on two replies cannot vary their one pair: what the cases differ by must stand in."""
    alike, other = ((1.0,),), ((1.0,), (0.0, 1.0))
    cases = [Pairs(counts=(2,), agreement=alike), Pairs(counts=(1, 1), agreement=other)] * 14
    low, high = reproducibility_interval(cases, weights())
    assert high - low > 2 * 1.5 * math.sqrt(0.25 / 28)


@given(st.lists(st.floats(0, 1), min_size=20, max_size=30))
def test_the_interval_for_cases_like_these_stays_within_0_and_1(means):
    low, high = interval_of_like_cases(means, draws(), FEW)
    assert 0 <= low <= high <= 1


def test_a_run_of_20_cases_and_10_replicates_takes_well_below_half_a_second():
    random = Random(1)
    scores = [[random.random() for _ in range(10)] for _ in range(20)]
    rows = tuple(tuple(random.random() for _ in range(at + 1)) for at in range(10))
    started = time.process_time()
    accuracy_interval(scores, draws())
    reproducibility_interval([Pairs(counts=(1,) * 10, agreement=rows)] * 20, weights())
    assert time.process_time() - started < 2, "a bound for slow machines: 0.25 s were measured"


def scored(run_plan, make_reply, texts):
    plan = msgspec.structs.replace(run_plan, replicates=len(texts))
    replies = {
        case.name: [make_reply(case.name, at, text) for at, text in enumerate(texts)] for case in plan.cases
    }
    return score_run(plan, lambda case: replies[case.name])


def test_a_record_holds_the_intervals_and_the_same_replies_give_the_same_bytes(run_plan, make_reply):
    record = scored(run_plan, make_reply, ["{}", '{"a": 1}', "no JSON"])
    for figure in (record.accuracy, record.reproducibility):
        low, high = figure.ci95
        assert 0 <= low <= figure.mean <= high <= 1
    again = scored(run_plan, make_reply, ["{}", '{"a": 1}', "no JSON"])
    assert encode_canonical(record_object(record)) == encode_canonical(record_object(again))


def test_another_order_of_replies_changes_no_figure(run_plan, make_reply):
    texts = ["{}", '{"a": 1}', "no JSON", '{"b": [1, 2]}']
    record, turned = scored(run_plan, make_reply, texts), scored(run_plan, make_reply, texts[::-1])
    assert (record.accuracy, record.reproducibility) == (turned.accuracy, turned.reproducibility)


def test_a_record_says_what_identical_replies_leave_open(run_plan, make_reply):
    alike = scored(run_plan, make_reply, ['{"a": 1}'] * 10)
    assert alike.reproducibility.may_differ == pytest.approx(0.2589, abs=1e-4)
    assert {case.may_differ for case in alike.case_results} == {alike.reproducibility.may_differ}
    assert scored(run_plan, make_reply, ["{}", '{"a": 1}']).reproducibility.may_differ is None
    assert scored(run_plan, make_reply, ["no JSON", "no JSON"]).reproducibility.may_differ is None
    assert scored(run_plan, make_reply, ["{}"]).reproducibility.may_differ is None
