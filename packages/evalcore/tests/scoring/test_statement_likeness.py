"""How like two texts are: not at all where they state different things, else as their words are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.statement_likeness import LEAST_IN_COMMON, likeness
from evalcore.scoring.statements import statement_of


def like(one: str, other: str, *, by_words: bool = False) -> float:
    return likeness(statement_of(one), statement_of(other), by_words=by_words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The award is $500,000 over three years", "The award is $50,000 over three years"),
        ("Reports are due on July 1, 2026", "Reports are due on July 2, 2026"),
        ("Cost sharing is required", "Cost sharing is not required"),
        ("at most 15 pages", "at least 15 pages"),
        ("year 1: $5; year 2: $6", "year 1: $6; year 2: $5"),
        ("5 %", "5 $"),
    ],
)
def test_texts_that_state_different_things_are_not_alike_at_all(one: str, other: str) -> None:
    assert like(one, other) == 0
    assert like(one, other, by_words=True) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$1,500,000", "1.5 million dollars"),
        ("July 1, 2026", "2026-07-01"),
        ("15 pages", "15"),
        ("due July 1, 2026 for $5", "due 2026-07-01 for $5.00"),
    ],
)
def test_one_thing_in_two_spellings_is_one(one: str, other: str) -> None:
    assert like(one, other) == 1


def test_where_nothing_differs_in_what_is_stated_the_rest_counts_by_its_words() -> None:
    full, part = "annual report to the sponsor", "annual report to the agency"
    assert LEAST_IN_COMMON < like(full, part, by_words=True) < 1
    assert like(full, part) >= like(full, part, by_words=True)


def test_of_words_alone_less_than_half_in_common_is_nothing() -> None:
    assert like("annual report", "final invoice of the sponsor", by_words=True) == 0


TEXTS = st.lists(
    st.sampled_from(["not", "report", "$5", "5", "July 1, 2026", "at most", "years", "%", "sponsor"]),
    max_size=5,
).map(" ".join)


@given(one=TEXTS, other=TEXTS, by_words=st.booleans())
def test_it_is_the_same_from_both_sides_and_in_bounds(one: str, other: str, *, by_words: bool) -> None:
    assert 0 <= like(one, other, by_words=by_words) <= 1
    assert like(one, other, by_words=by_words) == like(other, one, by_words=by_words)


@given(TEXTS)
def test_a_text_is_wholly_like_itself(text: str) -> None:
    assert like(text, text) == 1
