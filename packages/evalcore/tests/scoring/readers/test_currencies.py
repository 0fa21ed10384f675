"""Currencies: each code, name and symbol has its unit, and units that may be one are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.readers.currencies import CURRENCIES, UNIT_OF, WORD_LIKE, same_currency

UNITS = st.sampled_from(sorted(CURRENCIES))


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("usd", "usd"),
        ("us dollar", "usd"),
        ("us dollars", "usd"),
        ("us$", "usd"),
        ("$", "$"),
        ("dollars", "dollar"),
        ("euro", "eur"),
        ("euros", "eur"),
        ("€", "eur"),
        ("pounds", "pound"),
        ("pounds sterling", "gbp"),
        ("£", "£"),
        ("yen", "jpy"),
        ("kr", "kr"),
        ("swedish kronor", "sek"),
        ("zł", "pln"),
        ("reais", "brl"),
    ],
)
def test_what_is_written_has_its_unit(written, unit):
    assert UNIT_OF[written] == unit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$", "usd"),
        ("$", "cad"),
        ("$", "mxn"),
        ("$", "dollar"),
        ("dollar", "aud"),
        ("£", "gbp"),
        ("£", "egp"),
        ("¥", "jpy"),
        ("¥", "cny"),
        ("kr", "sek"),
        ("kr", "isk"),
        ("kr", "nok"),
        ("rs", "inr"),
        ("franc", "chf"),
    ],
)
def test_what_stands_for_several_may_be_any_of_them(one, other):
    assert same_currency(one, other)
    assert same_currency(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("usd", "cad"), ("$", "eur"), ("£", "usd"), ("¥", "krw"), ("kr", "czk"), ("eur", "gbp"), ("rs", "rub")],
)
def test_two_currencies_are_two(one, other):
    assert not same_currency(one, other)
    assert not same_currency(other, one)


@given(UNITS, UNITS)
def test_being_one_currency_is_symmetric_and_holds_of_each_with_itself(one, other):
    assert same_currency(one, one)
    assert same_currency(one, other) == same_currency(other, one)


def test_every_name_leads_to_a_unit_that_is_written_as_itself():
    assert {UNIT_OF.get(unit) for unit in CURRENCIES} == CURRENCIES
    assert all(unit == UNIT_OF[unit] for unit in CURRENCIES)


def test_codes_that_are_words_as_well_are_known_codes():
    assert UNIT_OF.keys() >= WORD_LIKE
    assert all(len(code) == 3 for code in WORD_LIKE)


def test_names_are_in_lower_case_as_plain_text_is():
    assert all(name == name.casefold() for name in UNIT_OF)
