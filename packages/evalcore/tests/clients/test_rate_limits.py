"""What is left of a rate limit is reckoned between answers, so that calls wait before they are refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.rate_limits import LONGEST_PACE, Pacer, RateLimit, read_limits
from evalcore.clients.reply import Usage

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
CALLS = {"requests": "calls"}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def paced(remaining, *, limit=60, reset=30.0, unit="calls"):
    clock = Clock()
    pacer = Pacer(clock)
    pacer.stated("m", pacer.sending("m"), [RateLimit(unit, limit, remaining, reset)])
    return pacer, clock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("1m30s500ms", 90.5),
        ("2026-11-28T12:00:07Z", 7.0),
        ("2026-11-28T11:59:00Z", 0.0),
    ],
)
def test_a_reset_is_read_in_every_form_that_is_used(text, seconds):
    read = read_limits({"limit": "10", "remaining": "3", "reset": text}, "{part}", CALLS, NOW)
    assert read == (RateLimit("calls", 10, 3, seconds),)


@pytest.mark.parametrize(
    "headers",
    [
        {"limit": "10", "remaining": "3"},
        {"limit": "ten", "remaining": "3", "reset": "1s"},
        {"limit": "10", "remaining": "-3", "reset": "1s"},
        {"limit": "10", "remaining": "3", "reset": "soon"},
        {"limit": "10", "remaining": "3", "reset": ""},
        {"limit": "9" * 400, "remaining": "3", "reset": "1s"},
    ],
)
def test_what_cannot_be_read_is_no_limit(headers):
    assert read_limits(headers, "{part}", CALLS, NOW) == ()


def test_a_limit_that_is_not_stated_whole_keeps_no_other_from_being_read():
    headers = {"limit-requests": "10", "remaining-requests": "3", "reset-requests": "1s", "limit-tokens": "9"}
    read = read_limits(headers, "{part}-{name}", {"tokens": "tokens", "requests": "calls"}, NOW)
    assert read == (RateLimit("calls", 10, 3, 1.0),)


@given(st.text(max_size=40))
def test_whatever_a_header_says_it_is_read_or_passed_over(text):
    read_limits({"limit": text, "remaining": text, "reset": text}, "{part}", CALLS, NOW)


def test_while_something_is_left_no_call_waits():
    pacer, _ = paced(remaining=5)
    for _ in range(5):
        assert pacer.wait("m") == 0
        pacer.sending("m")
    assert pacer.wait("m") > 0


def test_a_call_waits_until_the_next_one_has_flowed_in():
    # 60 are missing and are back in 30 s: one each half second
    pacer, clock = paced(remaining=0)
    assert pacer.wait("m") == pytest.approx(0.5)
    clock.now += 0.5
    assert pacer.wait("m") == 0


def test_what_was_sent_since_is_taken_off():
    clock = Clock()
    pacer = Pacer(clock)
    first = pacer.sending("m")
    for _ in range(3):
        pacer.sending("m")
    pacer.stated("m", first, [RateLimit("calls", 60, 3, 30.0)])
    assert pacer.wait("m") > 0


def test_an_answer_to_an_earlier_call_that_comes_late_says_nothing_new():
    clock = Clock()
    pacer = Pacer(clock)
    first, second = pacer.sending("m"), pacer.sending("m")
    pacer.stated("m", second, [RateLimit("calls", 60, 0, 30.0)])
    pacer.stated("m", first, [RateLimit("calls", 60, 1, 29.0)])
    assert pacer.wait("m") == pytest.approx(0.5)


def test_tokens_are_reckoned_by_the_mean_of_a_call():
    clock = Clock()
    pacer = Pacer(clock)
    number = pacer.sending("m")
    pacer.answered("m", Usage(900, 100))
    pacer.stated("m", number, [RateLimit("tokens", 10_000, 500, 95.0)])
    # 9,500 are missing and are back in 95 s; 500 of 1,000 are there
    assert pacer.wait("m") == pytest.approx(5.0)


def test_the_tightest_of_several_limits_of_tokens_counts():
    clock = Clock()
    pacer = Pacer(clock)
    number = pacer.sending("m")
    pacer.answered("m", Usage(900, 100))
    limits = [RateLimit("tokens", 10_000, 9_000, 1.0), RateLimit("tokens", 2_000, 0, 20.0)]
    pacer.stated("m", number, limits)
    assert pacer.wait("m") == pytest.approx(10.0)


def test_models_have_limits_of_their_own():
    pacer, _ = paced(remaining=0)
    assert pacer.wait("another") == 0


@given(
    limit=st.floats(0, 1e9),
    remaining=st.floats(0, 1e9),
    reset=st.floats(0, 1e9),
    sent=st.integers(0, 50),
    later=st.floats(0, 1e6),
)
def test_no_wait_is_endless_or_negative(limit, remaining, reset, sent, later):
    pacer, clock = paced(remaining=remaining, limit=limit, reset=reset)
    for _ in range(sent):
        pacer.sending("m")
    clock.now += later
    assert 0 <= pacer.wait("m") <= LONGEST_PACE
