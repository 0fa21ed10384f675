"""How like two leaves are, by each comparator: its edges, and what holds of all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.leaves import _COMPARATORS, LeafComparison, Reading, comparator_shown, is_exact
from evalcore.scoring.rules.rules import Rule

VALUES = (
    st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)  # JSON has neither
    | st.text(max_size=12)
    | st.sampled_from(
        ["$4,125", "4125", "15%", "0.15", "2026-07-01", "July 1, 2026", "a, b", "b; a", "not a"]
    )
)


def compare(comparator, left, right, input_text="", excerpts=(), **options):
    rule = Rule(comparator, 1.0, "test", **options)
    comparison = LeafComparison(input_text, map(Reading, excerpts))
    return comparison.compare(rule, Reading(left), Reading(right))


@given(st.sampled_from(sorted([*_COMPARATORS, "contained_in_input"])), VALUES, VALUES)
def test_every_comparator_is_symmetric_within_bounds_and_sure_of_equal_values(comparator, left, right):
    share = compare(comparator, left, right)
    assert share == compare(comparator, right, left)
    assert 0 <= share <= 1
    assert compare(comparator, left, left) == 1


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (1, "1", False),
        ("a", "a", True),
        ("a", "A", False),
        ("", "", True),
        (10**400, 10**400, True),
    ],
)
def test_exact_is_one_json_value(left, right, same):
    assert is_exact(left, right) is same
    assert compare("exact", left, right) == float(same)


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        (3, "3", 1),
        (3, 3.0000001, 1),
        (3, 3.001, 0),
        ("1,200", 1200, 1),
        ("12 pages", 12, 1),
        ("12 pages", "12 days", 0),
        ("about ten", "about ten", 1),
        ("about ten", 10, 0),
        ("15%", 0.15, 0),
    ],
)
def test_numbers_are_compared_by_what_they_say(left, right, share):
    assert compare("number", left, right) == share


def test_a_percentage_is_its_share_of_one_only_where_the_rule_says_so():
    assert compare("number", "15%", 0.15, fractions=True) == 1
    assert compare("number", 0.15, "15%", fractions=True) == 1
    assert compare("number", "15%", "$0.15", fractions=True) == 0


def test_a_tolerance_of_the_policy_wins():
    assert compare("number", 100, 104, tolerance=0.05) == 1
    assert compare("number", 100, 106, tolerance=0.05) == 0
    assert compare("number", 100, 104, tolerance=5.0, relative=False) == 1
    assert compare("number", 100, 106, tolerance=5.0, relative=False) == 0


def test_an_amount_of_money_is_that_amount_to_the_cent():
    assert compare("money", "$1,000,000.00", "$1,000,000.01") == 0
    assert compare("money", "$1,000,000", 1_000_000) == 1
    assert compare("money", "$5", "€5") == 0
    assert compare("number", "$1,000,000.00", 1_000_000.01) == 0


def test_closeness_falls_to_nought_over_a_quarter():
    assert compare("closeness", 0.9, 0.9) == 1
    assert compare("closeness", 0.9, 0.775) == pytest.approx(0.5)
    assert compare("closeness", 0.9, 0.6) == 0
    assert compare("closeness", 10**400, 10**400) == 1
    assert compare("closeness", 10**400, 0.5) == 0


def test_dates_are_days_however_they_are_written():
    assert compare("date", "2026-07-01", "July 1, 2026") == 1
    assert compare("date", "2026-07-01", "2026-07-02") == 0
    assert compare("date", "on receipt", "On receipt") == 1
    assert compare("date", "on receipt", "2026-07-02") == 0


def test_normalized_texts_read_alike_or_do_not():
    assert compare("normalized", "It\u2019s  A", "it's a") == 1
    assert compare("normalized", "it's a", "it's b") == 0


def test_tokens_are_words_counted_as_often_as_both_have_them():
    assert compare("tokens", "a b c", "c b a") == 1
    assert compare("tokens", "a a b", "a b b") == pytest.approx(2 / 3)
    assert compare("tokens", "a", "b") == 0
    assert compare("tokens", "!", "!") == 1
    assert compare("tokens", "!", "?") == 0


def test_a_text_as_a_set_is_split_at_commas_semicolons_and_lines():
    assert compare("set", "a, b; c", "C\nb,a") == 1
    assert compare("set", "a, b", "b, c") == pytest.approx(1 / 3)
    assert compare("set", "a, a, b", "a, b") == 1
    assert compare("set", " , ", ";") == 1
    assert compare("set", "a", "") == 0


def test_any_of_the_options_is_as_good_as_another():
    options = ("a", "b", 1)
    assert compare("one_of", "a", "b", options=options) == 1
    assert compare("one_of", "a", 1, options=options) == 1
    assert compare("one_of", "a", True, options=options) == 0
    assert compare("one_of", "a", "c", options=options) == 0
    assert compare("one_of", "c", "c", options=options) == 1


@pytest.mark.parametrize(
    ("low", "high", "value", "inside"),
    [(1, 3, 1, 1), (1, 3, 3, 1), (1, 3, 3.01, 0), (None, 3, -9, 1), (1, None, 10**6, 1), (None, None, 5, 1)],
)
def test_a_range_includes_its_ends_and_may_be_open(low, high, value, inside):
    assert compare("range", 2, value, low=low, high=high) == inside


def test_what_is_no_number_is_in_no_range():
    assert compare("range", 2, "two or so", low=1, high=3) == 0
    assert compare("range", "two or so", "two or so", low=1, high=3) == 1


def test_an_excerpt_of_the_input_is_as_good_as_another():
    text = "The Grant  runs for three years.\nIt is \u201cfirm\u201d."
    assert compare("contained_in_input", "grant runs", 'is "firm"', text) == 1
    assert compare("contained_in_input", "grant runs", "grant walks", text) == 0
    assert compare("contained_in_input", "three yeers", "three yeets", text) > 0.5
    assert compare("contained_in_input", "", "grant runs", text) == 0


def test_what_the_author_took_for_an_excerpt_is_one():
    assert compare("contained_in_input", "grant \u2026 years", "grant runs", "grant runs") == 0
    assert compare("contained_in_input", "grant x years", "grant runs", "grant runs", ["grant x years"]) == 1


def test_what_is_ignored_is_right():
    assert compare("ignore", "a", 9) == 1


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        (True, 1, 0),
        (True, True, 1),
        (3, 4, 0),
        (3, 3.0, 1),
        (123456789, 123456790, 0),
        (0.1 + 0.2, 0.3, 1),
        ("Alpha", "alpha", 1),
        ("5 days", "6 days", 0),
        (5, "5", 1),
    ],
)
def test_where_nothing_is_said_a_value_is_compared_as_what_it_shows_itself_to_be(left, right, share):
    assert compare("as shown", left, right) == share


def test_prose_is_compared_as_text_and_its_digits_with_it():
    assert 0.5 < compare("text", "it runs for 5 years", "it runs for 6 years", is_prose=True) < 1
    assert compare("text", "it runs for 5 years", "it runs for 6 years") < 1


@pytest.mark.parametrize(
    ("value", "comparator"),
    [
        (True, "exact"),
        (3, "number"),
        ("3", "number"),
        ("$4,125", "money"),
        ("4,125 euros", "money"),
        ("12 months", "number"),
        ("2026-07-01", "date"),
        ("hello", "text"),
        ("some words", "text"),
        ("two words", "number"),
        ("", "text"),
    ],
)
def test_a_value_shows_what_it_is_compared_by(value, comparator):
    assert comparator_shown(value) == comparator


def test_a_reading_is_made_once():
    reading = Reading("$4,125 by July 1, 2026")
    assert reading.plain is reading.plain
    assert reading.statement is reading.statement
    assert reading.words is reading.words
    assert Reading(5).text == "5"
    assert Reading("none").quantity is Reading("none").moment is None
