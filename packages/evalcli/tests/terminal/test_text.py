"""Foreign text on the terminal: it moves no cursor, turns no text around, and stays on its line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.terminal.text import MAX_SHOWN, broken, shown
from evalsim.hostile import HOSTILE

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_shown_starts_nothing_on_a_terminal(text: str) -> None:
    line = shown(text)
    assert UNSEEN.search(line) is None
    assert len(line) <= 10 * MAX_SHOWN
    # What GitHub's runner would obey.
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


def _lines(text: str, width: int) -> list[str]:
    return [text[begin:end] for begin, end in broken(text, width)]


def test_a_line_is_broken_between_words() -> None:
    assert _lines("one two three four", 9) == ["one two", "three", "four"]
    assert _lines("one", 9) == ["one"]
    assert _lines("", 9) == [""]


def test_a_command_in_backticks_and_a_long_path_stay_whole_to_be_copied() -> None:
    said = "mend it; `evalcli check memo --strict`, or see components/memo/leaderboard.json now"
    assert _lines(said, 20) == [
        "mend it;",
        "`evalcli check memo --strict`,",
        "or see",
        "components/memo/leaderboard.json",
        "now",
    ]


@given(st.text(st.sampled_from("ab `界")), st.integers(3, 40))
def test_breaking_a_line_loses_nothing_but_spaces(text: str, width: int) -> None:
    assert "".join(_lines(text, width)).replace(" ", "") == text.replace(" ", "")
