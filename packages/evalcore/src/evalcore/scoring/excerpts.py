"""Two long texts cut to where they differ: both from a little before the first word that differs."""

from __future__ import annotations


def excerpts(one: str, other: str, longest: int) -> tuple[str, str]:
    """Cut two texts to at most `longest` characters each; `…` stands where something was left out.

    Two that are equal are cut at their end.
    """
    if max(len(one), len(other)) <= longest:
        return one, other
    if one == other:
        return _cut(one, 0, longest), _cut(other, 0, longest)
    pairs = enumerate(zip(one, other, strict=False))
    same = next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
    # Whole words are what a reader compares; a third of the room before the difference says where it is.
    word = one.rfind(" ", 0, same) + 1
    if word < same - longest // 3:  # one word of endless length
        word = same
    before = word - longest // 3
    start = max(0, one.rfind(" ", 0, before) + 1 or before) if before > 0 else 0
    return _cut(one, start, longest), _cut(other, start, longest)


def _cut(text: str, start: int, longest: int) -> str:
    begin = "…" if start else ""
    room = longest - len(begin)
    rest = text[start:]
    return f"{begin}{rest}" if len(rest) <= room else f"{begin}{rest[: room - 1]}…"
