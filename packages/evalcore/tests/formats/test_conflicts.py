from __future__ import annotations

import pytest

from evalcore.formats.conflicts import conflict_sides, holds_conflict

MERGED = b"a\n<<<<<<< HEAD\nb\n||||||| base\nz\n=======\nc\nd\n>>>>>>> theirs\ne\n"


def test_both_sides_of_a_conflict_are_told_apart() -> None:
    assert holds_conflict(MERGED)
    assert conflict_sides(MERGED) == (b"a\nb\ne\n", b"a\nc\nd\ne\n")


@pytest.mark.parametrize(
    "data", [b"", b"a\n=======\nb\n", b"<<<<<<<< x\n", b'{"a": "<<<<<<< HEAD"}', b"<<<<<<< x\n"]
)
def test_other_text_is_no_conflict(data: bytes) -> None:
    assert not holds_conflict(data)


def test_text_without_a_conflict_is_the_same_on_both_sides() -> None:
    assert conflict_sides(b"a\nb") == (b"a\nb", b"a\nb")
