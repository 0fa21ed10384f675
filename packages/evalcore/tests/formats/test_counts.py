from __future__ import annotations

import pytest

from evalcore.formats.counts import counted, first_few


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 replies"), (1, "1 reply"), (2, "2 replies"), (1000, "1000 replies")]
)
def test_one_is_one_and_none_are_many(count: int, said: str) -> None:
    assert counted(count, "reply", "replies") == said


def test_most_words_take_an_s() -> None:
    assert counted(1, "local case") == "1 local case"
    assert counted(2, "local case") == "2 local cases"


@pytest.mark.parametrize(
    ("names", "said"),
    [("", ""), ("a", "a"), ("ab", "a, b"), ("abc", "a, b and 1 more"), ("abcde", "a, b and 3 more")],
)
def test_the_first_are_named_and_the_others_counted(names: str, said: str) -> None:
    assert first_few(names, 2) == said
    assert first_few(iter(names), 2) == said
