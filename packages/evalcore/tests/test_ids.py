"""Ids of jobs and runs: UUIDv7, which sort by the time at which they were made."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.ids import RANDOM_BYTES, is_plain_id, time_of, uuid7

MOMENTS = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(MOMENTS, RANDOM)
def test_an_id_is_a_uuid_of_version_7(moment, random):
    made = uuid.UUID(uuid7(moment, random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == moment
    assert str(made) == uuid7(moment, random)


@given(MOMENTS, MOMENTS, RANDOM, RANDOM)
def test_ids_sort_by_their_time(one, other, random, another):
    if one < other:
        assert uuid7(one, random) < uuid7(other, another)


def test_of_more_random_bytes_the_first_count():
    assert uuid7(1, bytes(10) + b"more") == uuid7(1, bytes(10))


def test_ids_of_one_moment_differ_by_their_random_bytes():
    made = {uuid7(1, bytes([0] * 9 + [at])) for at in range(256)}
    assert len(made) == 256


@given(MOMENTS, RANDOM)
def test_what_was_made_is_plain(moment, random):
    assert is_plain_id(uuid7(moment, random))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "../x", "a/b", "a\\b", "a b", "a\n", "-x", "a>", "é", "a" * 101]
)
def test_a_path_an_option_and_markup_are_not_plain(text):
    assert not is_plain_id(text)


def test_an_id_tells_when_it_was_made_and_any_other_text_nothing():
    assert time_of(uuid7(1_767_603_600_123, bytes(RANDOM_BYTES))) == "2026-01-05T09:00:00Z"
    assert time_of(str(uuid.UUID(int=0))) is None
    assert time_of("run-of-another-program") is None


@given(MOMENTS, RANDOM)
def test_every_id_of_ours_tells_a_time_or_none(moment, random):
    told = time_of(uuid7(moment, random))
    assert told is None or told.endswith("Z")
