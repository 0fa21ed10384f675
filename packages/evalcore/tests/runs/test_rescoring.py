"""Two people who rescore a run get one record, and readers take the newest scoring."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.ids import uuid7
from evalcore.runs.rescoring import rescored_run_id

IDS = st.builds(uuid7, st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))


@given(IDS, st.integers(1, 100))
def test_a_rescored_id_is_a_uuid7_with_the_originals_time(run_id, version):
    found = uuid.UUID(rescored_run_id(run_id, version))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == uuid.UUID(run_id).int >> 80


@given(IDS, IDS)
def test_it_is_the_same_every_time_and_another_for_another_run_or_scoring(one, other):
    assert rescored_run_id(one, 2) == rescored_run_id(one, 2) == rescored_run_id(one.upper(), 2)
    assert rescored_run_id(one, 2) != rescored_run_id(one, 3)
    assert rescored_run_id(one, 2) != one
    if one != other:
        assert rescored_run_id(one, 2) != rescored_run_id(other, 2)


def test_it_is_the_sha_256_of_id_and_version():
    """SHA-256 of `01900000-0000-7000-8000-000000000000`, a NUL byte and `2`: its first ten bytes."""
    assert (
        rescored_run_id("01900000-0000-7000-8000-000000000000", 2) == "01900000-0000-704b-9504-75d3f38e36fb"
    )


def test_what_is_no_uuid_is_refused():
    with pytest.raises(ValueError, match="badly formed"):
        rescored_run_id("run 1", 2)
