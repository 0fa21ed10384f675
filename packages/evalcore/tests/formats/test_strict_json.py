"""JSON read exactly and within bounds, and written in one way."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.strict_json import (
    MAX_DEPTH,
    MAX_DIGITS,
    encode_canonical,
    fingerprint,
    is_too_deep,
    parse_carried_json,
    parse_json,
    rounded,
    sha256_hex,
    sha256_of,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def nested(depth, opened="[", closed="]"):
    return opened * depth + "1" + closed * depth


# Reading


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[1,]", "Expecting value"),
        ("1 2", "Extra data"),
        ("NaN", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("1e999", "the number 1e999 is too large"),
        ('{"a": 1, "a": 2}', 'the key "a" stands twice in one object'),
        ('{"x": {"b": 1, "c": 2, "b": 3}}', 'the key "b" stands twice in one object'),
        ('"\\ud800"', "it holds half of a surrogate pair"),
        ('{"\\udfff": 1}', "it holds half of a surrogate pair"),
        ('"\ud800"', "it holds half of a surrogate pair"),
        ("9" * (MAX_DIGITS + 1), f"a number of over {MAX_DIGITS} digits"),
        (nested(MAX_DEPTH + 1), f"it is nested over {MAX_DEPTH} deep"),
        (nested(MAX_DEPTH + 1, '{"a":', "}"), f"it is nested over {MAX_DEPTH} deep"),
        (nested(100_000), f"it is nested over {MAX_DEPTH} deep"),
    ],
)
def test_what_other_programs_could_not_read_is_refused(text, told):
    with pytest.raises(ValueError, match="^" + told.replace("(", r"\(")):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 1 ", 1),
        ("-0.0", -0.0),
        ("1e3", 1000.0),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('{"a": 1, "A": 2}', {"a": 1, "A": 2}),
        ("9" * MAX_DIGITS, int("9" * MAX_DIGITS)),
    ],
)
def test_what_is_json_is_read(text, value):
    assert parse_json(text) == value


def test_the_deepest_value_is_read():
    assert is_too_deep(parse_json(nested(MAX_DEPTH))) is False
    assert parse_json(json.dumps([[1]] * 500)) == [[1]] * 500


def test_a_long_key_that_stands_twice_is_cut():
    key = "k" * 1000
    with pytest.raises(ValueError, match=r'^the key "k{60}" stands twice'):
        parse_json(f'{{"{key}": 1, "{key}": 2}}')


@given(st.text())
def test_whatever_the_text_it_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        parse_json(text)


@given(VALUES)
def test_what_is_written_is_read_again(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(encode_canonical(value).decode()) == value
    assert parse_json(fingerprint(value).decode()) == value


def test_what_another_program_wrote_is_carried():
    assert parse_carried_json('"\\ud800"') == "\ud800"
    assert parse_carried_json("9" * 400) == int("9" * 400)
    for text in ('{"a": 1, "a": 2}', "NaN", "1e999", "{"):
        with pytest.raises(ValueError, match=r".+"):
            parse_carried_json(text)


def test_a_carried_half_of_a_pair_is_written_as_the_escape_it_was():
    assert encode_canonical("\ud800") == b'"\\ud800"\n'
    assert fingerprint(["\udfff"]) == b'["\\udfff"]'


# Writing


def test_canonical_bytes_are_indented_by_two_in_the_order_given_with_a_final_newline():
    assert encode_canonical({"b": 1, "a": [1.5, "é"], "c": {}}) == (
        '{\n  "b": 1,\n  "a": [\n    1.5,\n    "é"\n  ],\n  "c": {}\n}\n'.encode()
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_what_json_cannot_hold_is_not_written(value):
    for write in (encode_canonical, fingerprint):
        with pytest.raises(ValueError, match="Out of range float"):
            write(value)


@given(st.dictionaries(st.text(), VALUES, max_size=5), st.randoms(use_true_random=False))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(value, random):
    names = random.sample(list(value), len(value))
    assert fingerprint({name: value[name] for name in names}) == fingerprint(value)


@given(VALUES, VALUES)
def test_values_of_one_fingerprint_are_equal(one, other):
    if fingerprint(one) == fingerprint(other):
        assert json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(
    ("value", "short"),
    [
        (0.1 + 0.2, 0.3),
        (1 / 3, 0.333333333),
        (1e-20 / 3, 3.33333333e-21),
        (123456789.123, 123456789.0),
        (10**20, 10**20),
        (True, True),
        ([1 / 3, {"a": 2 / 3}], [0.333333333, {"a": 0.666666667}]),
    ],
)
def test_floats_are_rounded_to_nine_digits_and_nothing_else_is(value, short):
    assert rounded(value) == short


@given(VALUES)
def test_rounding_twice_is_rounding_once(value):
    assert rounded(rounded(value)) == rounded(value)


def test_hashes_are_of_the_bytes():
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_of({"b": 1, "a": 2}) == sha256_hex(b'{"a":2,"b":1}') == sha256_of({"a": 2, "b": 1})
