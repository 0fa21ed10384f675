"""Student's t is that of the printed tables, for few degrees of freedom and far tails too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats.student import t_quantile, t_tail


@pytest.mark.parametrize(
    ("freedom", "tail", "table"),
    [
        (1, 0.025, 12.706205), (2, 0.025, 4.302653), (4, 0.025, 2.776445), (10, 0.025, 2.228139),
        (29, 0.025, 2.045230), (99, 0.025, 1.984217), (8, 0.2, 0.888890), (4, 0.0001, 13.033672),
        (8, 0.0005, 5.041305), (1000, 0.0005, 3.300283),
    ],
)  # fmt: skip
def test_students_t_is_that_of_the_printed_tables(freedom, tail, table):
    assert t_quantile(freedom, tail) == pytest.approx(table, rel=1e-6)
    assert t_tail(table, freedom) == pytest.approx(tail, rel=1e-5)


@given(st.floats(-50, 50), st.floats(1, 500))
def test_both_tails_together_are_all_there_is(value, freedom):
    assert t_tail(value, freedom) + t_tail(-value, freedom) == pytest.approx(1)
