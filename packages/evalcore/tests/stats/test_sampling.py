"""Weights from uniform numbers alone: the right distributions, and the same numbers every time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats.sampling import cuts, deal, make_beta, seeded_uniform


def test_the_same_words_give_the_same_numbers_on_every_python():
    """Two of them worked out once, with `random.Random(int(sha256(b"a\\0b").hexdigest(), 16))`."""
    uniform = seeded_uniform("a", "b")
    first = [uniform(), uniform()]
    assert first == [seeded_uniform("a", "b")(), first[1]]
    assert first == pytest.approx([0.011139683094546271, 0.47618360240923596], abs=0)


def test_other_words_give_other_numbers_and_words_do_not_run_together():
    assert seeded_uniform("ab")() != seeded_uniform("a", "b")()


@given(st.integers(1, 50), st.integers(0, 2**32))
def test_cuts_are_sorted_and_span_the_whole(parts, seed):
    found = cuts(parts, seeded_uniform(str(seed)))
    assert len(found) == parts + 1
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 1)


@pytest.mark.parametrize(("shape", "count"), [(0.05, 5), (0.5, 10), (1.0, 3)])
def test_beta_numbers_have_the_betas_mean_and_variance(shape, count):
    beta = make_beta(shape, count, seeded_uniform("beta"))
    drawn = [beta() for _ in range(40_000)]
    whole = shape + count
    mean = shape / whole
    variance = shape * count / (whole**2 * (whole + 1))
    found = math.fsum(drawn) / len(drawn)
    assert found == pytest.approx(mean, abs=4 * math.sqrt(variance / len(drawn)))
    assert math.fsum((value - mean) ** 2 for value in drawn) / len(drawn) == pytest.approx(variance, rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 2**32), st.data())
def test_a_deal_takes_so_many_and_loses_none(items, seed, data):
    count = data.draw(st.integers(0, len(items)))
    rest = list(items)
    taken = deal(rest, count, seeded_uniform(str(seed)))
    assert len(taken) == count
    assert rest[:count] == taken
    assert sorted(rest) == sorted(items)


def test_every_deal_is_equally_likely():
    uniform = seeded_uniform("deal")
    seen = [tuple(sorted(deal([1.0, 2.0, 3.0, 4.0], 2, uniform))) for _ in range(12_000)]
    shares = [seen.count(choice) / len(seen) for choice in set(seen)]
    assert shares == pytest.approx([1 / 6] * 6, abs=0.015)
