"""Answers of a stated quality: the expected answer with some of its leaves wrong. Pure, from seeds alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from evalcore.structs import JsonValue
from evalsim.mindrouter.answers import Expected

NEAR_MISS = 0.5
"""The part of wrong strings that are nearly right."""


class _Leaves:
    """Decides leaf after leaf; a leaf's place in the order is its identity."""

    def __init__(self, quality: float, noise: float, case_seed: str, call_seed: str) -> None:
        self._quality = quality
        self._noise = noise
        self._case = Random(case_seed)
        self._call = Random(call_seed)

    def pick(self, value: JsonValue) -> JsonValue:
        """The value, or a wrong one in its place."""
        # Both are drawn for each leaf, used or not, so that one leaf's luck moves no other's.
        case, call = (self._case.random(), self._case.random()), (self._call.random(), self._call.random())
        luck, which = call if self._call.random() < self._noise else case
        return value if luck < self._quality else _wrong(value, which)


def perturbed(
    expected: Expected, *, quality: float, noise: float, case_seed: str, call_seed: str
) -> JsonValue:
    """An answer whose leaves are right with probability `quality`.

    `noise` is the part of the leaves that are decided for each call anew (from `call_seed`); the
    others are decided once for the case (from `case_seed`), so that replicates agree on them.
    """
    leaves = _Leaves(quality, noise, case_seed, call_seed)
    if not expected.is_json:
        return "\n".join(_line(line, leaves.pick) for line in str(expected.value).split("\n"))
    return _tree(expected.value, leaves.pick)


def _tree(value: JsonValue, pick: Callable[[JsonValue], JsonValue]) -> JsonValue:
    if isinstance(value, dict):
        return {name: _tree(inner, pick) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tree(inner, pick) for inner in value]
    return pick(value)


def _line(line: str, pick: Callable[[JsonValue], JsonValue]) -> str:
    """A line of Markdown; headings and empty lines hold the answer together and stay."""
    if not line.strip() or line.startswith("#"):
        return line
    return str(pick(line))


def _wrong(value: JsonValue, which: float) -> JsonValue:
    """Another value of the same kind; `which` in [0, 1) chooses among the possible ones."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        # Never the value itself: a leaf that is to be wrong must not be right by chance.
        return value + 1 + int(which * 9)
    if isinstance(value, float):
        return round(value * (1.1 + which) + 1.0, 4)
    if isinstance(value, str):
        return _wrong_text(value, which)
    return "unknown"


def _wrong_text(text: str, which: float) -> str:
    words = text.split(" ")
    if which >= NEAR_MISS or len(words) < 2:  # noqa: PLR2004 - one word has no neighbour to drop
        return ("not stated", "see the attached document", "various")[int(which * 30) % 3]
    words.pop(int(which * 1000) % len(words))
    return " ".join(words)
