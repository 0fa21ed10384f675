"""Server-sent events come out whole and in order, wherever the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.events import EventSplitter, data_of

DATA = st.binary(max_size=12).filter(lambda data: not set(data) & set(b"\r\n") and data[:1] != b" ")


@given(
    st.lists(DATA, max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_events_do_not_depend_on_where_the_bytes_are_cut(
    sent: list[bytes], newline: bytes, cuts: list[int]
) -> None:
    stream = b"".join(b"data: " + data + newline + newline for data in sent)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    splitter = EventSplitter()
    events = [
        data_of(event)
        for start, end in itertools.pairwise(places)
        for event in splitter.feed(stream[start:end])
    ]
    # a lone carriage return at the very end may be half of a newline: its event is the stream's last
    events += [splitter.last()] if len(events) < len(sent) else []
    assert events == sent


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: one", b"one"),
        (b"data:one", b"one"),
        (b"data:  one", b" one"),
        (b"data: one\ndata: two", b"one\ntwo"),
        (b"event: delta\nid: 7\ndata: one", b"one"),
        (b": a comment", b""),
        (b"data: ", b""),
    ],
)
def test_the_data_of_an_event(event: bytes, data: bytes) -> None:
    assert data_of(event) == data
