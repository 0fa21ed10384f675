import math
import statistics

from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats.numbers import mean, mean_by_field, percentile

floats = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


def test_nothing_has_no_mean_and_no_percentile():
    assert mean([]) is None
    assert percentile([], 50) is None


@given(floats, st.randoms())
def test_the_mean_is_the_same_in_any_order(values, random):
    shuffled = random.sample(values, len(values))
    assert mean(values) == mean(shuffled)
    assert math.isclose(mean(values), statistics.fmean(values), rel_tol=1e-12)


@given(floats)
def test_the_median_is_the_fiftieth_percentile(values):
    assert math.isclose(percentile(values, 50), statistics.median(values), rel_tol=1e-12, abs_tol=1e-12)


def test_a_percentile_lies_between_the_two_nearest_ranks():
    assert percentile([10, 20, 30, 40], 95) == 38.5
    assert percentile([10], 95) == 10


def test_a_field_is_averaged_over_the_tables_that_have_it():
    assert mean_by_field([{"b": 1.0, "a": 0.0}, {"b": 0.5}]) == {"a": 0.0, "b": 0.75}
