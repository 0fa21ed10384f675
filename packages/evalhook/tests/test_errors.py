"""Messages are one bounded line that can be shown, whatever they are made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalhook.errors import MAX_MESSAGE, NotReady, UnknownJob, one_line


@given(st.text(max_size=2 * MAX_MESSAGE))
def test_a_message_is_one_printable_bounded_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= MAX_MESSAGE
    assert line == line.strip()
    assert NotReady(text).message == line


def test_words_stay_as_they_are() -> None:
    assert one_line("two  words\nand\tmore") == "two words and more"


def test_a_long_id_of_the_callers_is_cut() -> None:
    assert len(UnknownJob("x" * 1000).message) < 100
