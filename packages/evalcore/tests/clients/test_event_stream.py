"""What the streamed answers of all dialects share: events out of bytes, bounds, the first failure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.event_stream import EventStream
from evalcore.clients.failures import Failure
from evalcore.clients.reply import Answer


class Lines(EventStream):
    """Takes each event's data as a line; `end` ends the answer, `fail` fails it."""

    def __init__(self, **limits):
        super().__init__(**limits)
        self.lines = []

    def _take(self, data):
        if data == b"fail":
            self._fail(Failure(code=f"fail-{len(self.lines)}", message="x"))
        elif data == b"end":
            self.is_over = True
        else:
            self.lines.append(data)
            self._text_size += len(data)

    def _answer(self):
        return Answer(text=b"|".join(self.lines).decode(), finish_reason=None, usage=None)


def streamed(*parts, **limits):
    stream = Lines(**limits)
    for part in parts:
        if stream.feed(part):
            break
    return stream


EVENTS = b"data: one\n\ndata: two\n\ndata: end\n\n"


@given(st.lists(st.integers(0, len(EVENTS)), max_size=8))
def test_however_the_bytes_are_cut_the_answer_is_the_same(cuts):
    places = [0, *sorted(cuts), len(EVENTS)]
    parts = [EVENTS[one:other] for one, other in pairwise(places)]
    assert streamed(*parts).end().text == "one|two"


@pytest.mark.parametrize(
    "text", [b"data: one\r\n\r\n", b"data:one\n\n", b": comment\n\ndata: one\n\n", b"event: x\ndata: one\n\n"]
)
def test_events_are_read_as_the_standard_has_them(text):
    assert streamed(text).end().text == "one"


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", b": ping\n\n", b"event: ping\n\n", b"data:\n\n", b"data:   \n\n"]
)
def test_what_is_no_event_adds_nothing(text):
    assert streamed(text).end().text == ""


def test_a_last_event_without_its_empty_line_counts():
    assert streamed(b"data: one\n\ndata: two").end().text == "one|two"


def test_what_comes_after_the_end_is_not_read():
    stream = streamed(EVENTS + b"data: more\n\n")
    assert stream.is_over
    assert stream.end().text == "one|two"


def test_the_first_failure_counts():
    assert streamed(b"data: fail\n\ndata: a\n\ndata: fail\n\n").end().code == "fail-0"


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"longest_answer": 5}, b"data: 123456\n\n"),
        ({"longest_event": 20}, b"data: " + b"x" * 50),
        ({"longest_stream": 30}, b": comment\n\n" * 10),
    ],
)
def test_what_is_too_large_ends_the_stream(limits, text):
    stream = streamed(text, **limits)
    assert stream.is_over
    assert isinstance(stream.end(), Failure)


def test_up_to_its_bounds_an_answer_is_whole():
    assert streamed(b"data: 12345\n\n", longest_answer=5).end().text == "12345"


@given(st.binary(max_size=200))
def test_whatever_the_bytes_nothing_is_raised(data):
    stream = Lines()
    stream.feed(data)
    stream._answer = lambda: Answer(text="", finish_reason=None, usage=None)
    assert stream.end() is not None
