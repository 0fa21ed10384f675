"""Numbers and amounts of money, held against babel and price-parser; each disagreement is decided."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_currency, get_currency_name, list_currencies
from hypothesis import given
from hypothesis import strategies as st
from price_parser import Price

from evalcore.scoring.plain_text import plain_text, uncased_text
from evalcore.scoring.readers.amounts import Quantity, read_amount, same_unit
from evalcore.scoring.readers.currencies import UNIT_OF, same_currency
from evalcore.scoring.readers.numbers import match_words
from evalcore.scoring.statements import Statement

CENTS = st.integers(0, 10**8).map(lambda cents: Decimal(cents) / 100)
CURRENT = sorted({"USD", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD", "INR", "CNY", "BRL", "SEK", "MXN",
"KRW", "PLN",
                  "ZAR", "TRY", "ILS", "NGN", "VND", "PHP", "THB", "CZK", "HUF", "AED", "COP",
                  "ALL"})  # fmt: skip


def read(text: str) -> Quantity | None:
    return read_amount(plain_text(text), uncased_text(text))


@given(
    CENTS,
    st.sampled_from(CURRENT),
    st.sampled_from(["en_US", "en_GB", "de_DE", "fr_FR", "de_CH", "en_IN", "es_MX"]),
)
def test_an_amount_is_read_as_babel_writes_it(amount: Decimal, code: str, locale: str) -> None:
    text = format_currency(amount, code, "¤¤ #,##0.00", locale=locale, currency_digits=False)
    found = read(text)
    assert found is not None, text
    assert Decimal(str(found.value)) == amount, text
    assert found.unit == code.lower()


@given(CENTS, st.sampled_from(CURRENT))
def test_an_amount_is_read_with_the_symbol_that_babel_writes(amount: Decimal, code: str) -> None:
    text = format_currency(amount, code, "¤#,##0.00", locale="en_US", currency_digits=False)
    found = read(text)
    assert found is not None, text
    assert Decimal(str(found.value)) == amount
    assert found.unit is not None
    assert same_currency(found.unit, code.lower())


@given(st.integers(2, 10**9), st.sampled_from(CURRENT))
def test_an_amount_is_read_with_the_name_that_babel_writes(amount: int, code: str) -> None:
    text = format_currency(amount, code, format_type="name", locale="en_US", currency_digits=False)
    found = read(text)
    assert found is not None, text
    assert (found.value, found.unit) == (amount, code.lower())


def test_every_code_of_ours_is_babels_and_its_name_too() -> None:
    known = set(list_currencies("en"))
    codes = {
        unit.upper() for name, unit in UNIT_OF.items() if name == unit and len(unit) == 3 and unit.isalpha()
    }
    assert len(codes & known) >= 150
    for code in sorted(codes & known):
        for count in (1, 2):
            name = plain_text(get_currency_name(code, count, "en")).replace("&", "and").replace("st. ", "st ")
            assert same_currency(UNIT_OF[name.replace("\u02bb", "'")], code.lower()), name


@given(CENTS, st.sampled_from(["${}", "€{}", "{} €", "£{}", "USD {}", "{} EUR", "CHF {}"]))
def test_an_amount_is_what_price_parser_says(amount: Decimal, form: str) -> None:
    text = form.format(f"{amount:,.2f}")
    found, theirs = read(text), Price.fromstring(text)
    assert found is not None, text
    assert Decimal(str(found.value)) == theirs.amount == amount
    currency = UNIT_OF[(theirs.currency or "").lower()]
    assert found.unit is not None
    assert same_unit(found.unit, currency)


@given(CENTS.filter(lambda amount: amount >= 1), st.sampled_from(["{} €", "EUR {}", "{} zł", "R$ {}"]))
def test_a_decimal_comma_is_what_price_parser_says(amount: Decimal, form: str) -> None:
    written = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    found, theirs = read(form.format(written)), Price.fromstring(form.format(written))
    assert found is not None
    assert Decimal(str(found.value)) == theirs.amount == amount


# What price-parser reads otherwise, and why it is not followed: ours reads a whole text or nothing.
DECIDED = {
    "1,23": (None, "of itself it may be a list's; beside a currency it is 1.23"),
    "from $5": (None, "a text in which an amount stands"),
    "$1,2345": (None, "no way of writing a number"),
    "€1.234": (1.234, "a dot that may be a decimal one is; price-parser takes three digits for thousands"),
    "007": (None, "an identifier; price-parser says 7"),
    "$1.2 million": (1_200_000, "price-parser says 1.2"),
    "($5)": (-5, "as accountants write it; price-parser says 5"),
    "12-15": (None, "two numbers; price-parser says 12"),
    "free": (None, "price-parser says 0"),
}


@pytest.mark.parametrize("text", DECIDED)
def test_what_is_decided_against_price_parser(text: str) -> None:
    found = read(text)
    wanted = DECIDED[text][0]
    assert (found.value if found else None) == wanted
    theirs = Price.fromstring(text).amount
    assert theirs is None or wanted is None or theirs != Decimal(str(wanted))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$4", 4, "$"), ("USD4", 4, "usd"), ("usd 4", 4, "usd"), ("US$ 4", 4, "usd"),
        ("$4 USD", 4, "usd"), ("CAD $4", 4, "cad"),
        ("4 US dollars", 4, "usd"), ("4 U.S. dollars", 4, "usd"), ("US dollars 4", 4, "usd"),
        ("four dollars", 4, "dollar"),
        ("-$4", -4, "$"), ("$-4", -4, "$"), ("(4)", -4, None), ("4bn USD", 4 * 10**9, "usd"),
        ("$4bn", 4 * 10**9, "$"),
        ("$4.1 trillion", 4_100_000_000_000, "$"), ("4 m EUR", 4_000_000, "eur"), ("4k", 4000, None),
        ("TRY 4", 4, "try"),
        ("4%", 4, "%"), ("4 percent", 4, "%"), ("4,5 %", 4.5, "%"), ("ninety", 90, None),
        ("1 200,50 €", 1200.5, "eur"),
        ("kr 4", 4, "kr"), ("Rs. 4", 4, "rs"), ("4 pounds sterling", 4, "gbp"), ("4 zł", 4, "pln"),
        ("0.05", 0.05, None),
    ],
)  # fmt: skip
def test_amounts(text: str, value: float, unit: str | None) -> None:
    assert read(text) == Quantity(value, unit)


@pytest.mark.parametrize(
    "text", ["", "$", "USD", "try 4", "all 4", "won 4", "4 try", "4..5", "1e5", "0x1F", "$€4",
    "US$ 4 CAD", "--4", "1,2,3", "4 5"]
)  # fmt: skip
def test_what_is_no_amount(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("$", "usd", True), ("$", "cad", True), ("$", "dollar", True), ("$", "eur", False),
        ("usd", "cad", False),
        ("¥", "cny", True), ("¥", "jpy", True), ("kr", "sek", True), ("krone", "sek", False),
        ("£", "gbp", True),
        ("franc", "chf", True), ("rs", "inr", True), ("won", "krw", True), ("peso", "$", True),
    ],
)  # fmt: skip
def test_units_that_may_mean_one_currency(one: str, other: str, *, same: bool) -> None:
    assert same_currency(one, other) == same_currency(other, one) == same


def spelled(number: int) -> str:
    ones = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen"
    )
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    if number < 20:
        return ones.split()[number]
    if number < 100:
        rest = number % 10
        return tens.split()[number // 10 - 2] + (f"-{spelled(rest)}" if rest else "")
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            joint = " and " if size == 100 else " "
            return f"{spelled(number // size)} {name}" + (f"{joint}{spelled(rest)}" if rest else "")
    raise AssertionError


@given(st.integers(0, 10**9 - 1))
def test_a_number_in_words_is_read(number: int) -> None:
    text = spelled(number)
    assert match_words(text, 0) == (number, len(text))


@pytest.mark.parametrize(
    ("text", "number"), [("five and six", 5), ("twenty twenty", 20), ("ten five", 10), ("one two", 1)]
)
def test_two_numbers_in_words_are_two(text: str, number: int) -> None:
    found = match_words(text, 0)
    assert found is not None
    assert found[0] == number
    assert found[1] < len(text)


def test_codes_that_are_words_count_in_capitals_alone() -> None:
    def unit(text: str) -> str | None:
        return next(value.unit for value in Statement(plain_text(text), text).values)

    assert [unit("pay TRY 5"), unit("try 5 times"), unit("ALL 5"), unit("all 5")] == [
        "try",
        None,
        "all",
        None,
    ]
