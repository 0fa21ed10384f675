"""Foreign text on the terminal: it moves no cursor, turns no text around, and stays on its line."""

from __future__ import annotations

import re

import pytest

from evalcli.terminal.text import MAX_SHOWN, shown
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
