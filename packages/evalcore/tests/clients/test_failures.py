"""What servers write is made fit to be shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients import failures
from evalcore.clients.failures import retry_after_seconds, safe_text

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@given(st.text(max_size=2000))
def test_any_text_becomes_one_short_printable_line(text: str) -> None:
    line = safe_text(text)
    assert len(line) <= 300
    assert line == "" or line.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("a\r\nb\tc", "a b c"),
        ("see https://gpu-1.example/v1?key=1 now", "see [address] now"),
        ("node gpu-1.cluster.local:8000 down", "node [address] down"),
        ("localhost:8000 down", "[address] down"),
        ("10.1.2.3 down", "[address] down"),
        ("key sk-proj-abc123 refused", "key [key] refused"),
        ("Authorization: Bearer abc.def refused", "Authorization: [key] refused"),
        ("version 2.9.58 of the field a:b is 12:30", "version 2.9.58 of the field a:b is 12:30"),
    ],
)
def test_addresses_and_keys_are_taken_out(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_long_text_is_cut_with_a_mark() -> None:
    assert re.fullmatch(r"x{299}…", safe_text("x" * 1000))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("tomorrow", None),
        ("", None),
        ("1e9", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_date_means_nothing_without_a_clock() -> None:
    assert retry_after_seconds("Sun, 01 Mar 2026 12:00:30 GMT", None) is None


def test_every_code_has_words_of_its_own() -> None:
    assert set(failures.CODE_WORDS) == set(get_args(failures.Code))
    assert len(set(failures.CODE_WORDS.values())) == len(failures.CODE_WORDS)
