import uuid

from hypothesis import given
from hypothesis import strategies as st

from evalcore.effects import real_effects
from evalcore.ids import uuid7


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(unix_ms, random):
    value = uuid.UUID(uuid7(unix_ms, random))
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == unix_ms


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_a_later_id_sorts_after_an_earlier_one(unix_ms, first, second):
    assert uuid7(unix_ms, first) < uuid7(unix_ms + 1, second)


def test_real_ids_differ():
    effects = real_effects()
    assert len({effects.new_id() for _ in range(1000)}) == 1000
