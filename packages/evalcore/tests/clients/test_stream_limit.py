"""How long a streamed answer may take: bytes that come all along count, silences do not, for so long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.failures import Failure
from evalcore.clients.stream_limit import StreamLimit

SECONDS, IDLE = 25.0, 120.0


def outcome(gaps: list[float], seconds: float = SECONDS, idle: float = IDLE) -> tuple[Failure | None, float]:
    """The failure of an answer whose pieces come after these gaps, and when it was found out."""
    limit = StreamLimit(seconds, idle, 0.0)
    now = 0.0
    for gap in gaps:
        if now + gap > limit.deadline():
            return limit.ran_out(), limit.deadline()
        now += gap
        failure = limit.bytes_came(now, has_begun=True)
        if failure is not None:
            return failure, now
    return None, now


def told(gaps: list[float], **limits: float) -> tuple[str, str, bool] | None:
    failure, _ = outcome(gaps, **limits)
    return None if failure is None else (failure.code, failure.fault, failure.retry)


def test_bytes_that_come_all_along_beyond_the_limit_are_the_models_failure() -> None:
    assert told([1.0] * 25) is None
    assert told([1.0] * 30) == ("timeout", "model", False)
    assert told([4.9] * 30) == ("timeout", "model", False)


def test_a_silence_does_not_count_against_the_limit() -> None:
    assert told([1.0] * 10 + [15.0] + [1.0] * 14) is None
    assert told([1.0] * 10 + [15.0, 60.0, 40.0] + [1.0] * 14) is None


def test_an_answer_with_a_silence_that_runs_into_its_limit_is_tried_again_and_never_the_models() -> None:
    assert told([1.0] * 10 + [15.0] + [1.0] * 20) == ("timeout", "infrastructure", True)


def test_no_byte_of_a_begun_answer_for_so_long_is_infrastructures() -> None:
    failure, at = outcome([1.0, 2.0, 500.0])
    assert failure is not None
    assert (failure.code, failure.fault, failure.retry, at) == ("idle_timeout", "infrastructure", True, 123.0)


def test_a_silence_that_begins_just_before_the_limit_is_one_too() -> None:
    assert told([1.0] * 24 + [15.0]) is None
    assert told([1.0] * 24 + [121.0]) == ("idle_timeout", "infrastructure", True)


def test_before_it_begins_all_time_counts() -> None:
    limit = StreamLimit(SECONDS, IDLE, 0.0)
    assert limit.bytes_came(20.0, has_begun=False) is None
    assert limit.deadline() == SECONDS
    assert (limit.ran_out().code, limit.ran_out().fault) == ("timeout", "infrastructure")


@given(st.lists(st.floats(0.001, 200), max_size=200), st.floats(1, 100), st.floats(1, 100))
def test_every_answer_ends_and_a_silence_never_makes_it_the_models_failure(
    gaps: list[float], seconds: float, idle: float
) -> None:
    failure, at = outcome([*gaps, 1e9], seconds, idle)
    assert failure is not None
    assert at <= seconds + idle + 200
    if failure.fault == "model":
        assert at <= seconds + 5
