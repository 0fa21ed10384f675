"""What a scalar says: a number, an amount of money, a moment."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.values import LONGEST_QUANTITY, Moment, Quantity, equal_numbers, moment_of, quantity_of

NUMBERS = st.integers() | st.floats(allow_nan=False)


@pytest.mark.parametrize(
    ("value", "quantity"),
    [
        (3, Quantity(3)),
        (0.25, Quantity(0.25)),
        ("12", Quantity(12)),
        ("12.", Quantity(12)),
        ("$4,125", Quantity(4125, "$")),
        ("1.2 million", Quantity(1_200_000)),
        ("15%", Quantity(15, "%")),
        ("12 pages", Quantity(12, "page")),
        ("12-page", Quantity(12, "page")),
        ("three pages", Quantity(3, "page")),
        ("(500)", Quantity(-500)),
        ("ninety", Quantity(90)),
    ],
)
def test_a_value_says_a_number(value, quantity):
    assert quantity_of(value) == quantity


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "pages",
        "12 pages or so",
        "7 july",
        "5 and",
        "10 am",
        "007",
        "$" + "1" * LONGEST_QUANTITY,
    ],
)
def test_what_is_no_number_says_none(value):
    assert quantity_of(value) is None


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-07-01", datetime(2026, 7, 1)),  # noqa: DTZ001
        (20260701, datetime(2026, 7, 1)),  # noqa: DTZ001
        ("July 1, 2026.", datetime(2026, 7, 1)),  # noqa: DTZ001
        ("July 1, 2026, 5 p.m", datetime(2026, 7, 1, 17)),  # noqa: DTZ001
    ],
)
def test_a_value_says_a_moment(value, at):
    assert moment_of(value) == Moment(at)


@pytest.mark.parametrize("value", [None, True, 1.5, 7, 10**8, 20261301, "soon", "2026", "x" * 100])
def test_what_is_no_moment_says_none(value):
    assert moment_of(value) is None


@given(NUMBERS, NUMBERS, st.floats(0, 1), st.booleans())
def test_equality_is_symmetric_and_holds_of_equal_numbers(one, other, tolerance, relative):
    same = equal_numbers(one, other, tolerance, relative=relative)
    assert same == equal_numbers(other, one, tolerance, relative=relative)
    assert equal_numbers(one, one, tolerance, relative=relative)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_tolerance_never_parts_what_a_narrower_one_took_for_equal(one, other, narrow, wide):
    narrow, wide = sorted((narrow, wide))
    if equal_numbers(one, other, narrow, relative=True):
        assert equal_numbers(one, other, wide, relative=True)


def test_a_tolerance_is_of_the_larger_number_or_in_units():
    assert equal_numbers(100, 101, 0.01, relative=True)
    assert not equal_numbers(100, 102, 0.01, relative=True)
    assert equal_numbers(0.65, 0.5, 0.15, relative=False)
    assert not equal_numbers(0.66, 0.5, 0.15, relative=False)


def test_integers_beyond_every_double_are_equal_or_not():
    large = 10**400
    assert equal_numbers(large, large, 0.1, relative=True)
    assert not equal_numbers(large, 1.5, 0.1, relative=True)
