"""JSON values as shared nodes: equal parts of two answers become one node, compared once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, TypeAlias

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.comparators import LONGEST_TEXT, normalise
from evalcore.structs import JsonScalar, JsonValue

DEEPEST = 64
"""Levels. What is nested deeper is compared as one text, its JSON: replies may be nested without end."""


SHORT = 40
"""Bytes; what is no longer is its own digest."""

_Present: TypeAlias = bool | int | float | str

_digest_of = attrgetter("digest")


class Node:
    """A part of an answer; two nodes of one Interner are the same object if their values are equal.

    `size` is the number of leaves as ANLS* counts them: null and scalars 1, empty containers 0.
    `is_blank` is what the reference takes for "no value": null, "", [] and {}.
    """

    __slots__ = ("_digest", "is_blank", "number", "size")

    def __init__(self, number: int, size: int, *, is_blank: bool) -> None:
        self.number: Final = number
        self.size: Final = size
        self.is_blank: Final = is_blank
        self._digest: bytes | None = None

    @property
    def digest(self) -> bytes:
        """What stands for the value alone, in whatever order its keys and list elements came.

        Worked out when it is asked for: only the elements of lists are sorted by it.
        """
        if self._digest is None:
            self._digest = self._made_digest()
        return self._digest

    def _made_digest(self) -> bytes:
        return b""


class NullNode(Node):
    """Null; also what an absent key is compared as."""

    __slots__ = ()


class LeafNode(Node):
    """A scalar, with the text that it is compared by."""

    __slots__ = ("text", "value")

    def __init__(self, number: int, value: _Present) -> None:
        super().__init__(number, 1, is_blank=value == "")
        self.value: Final = value
        self.text: Final = normalise(_text_of(value))

    def _made_digest(self) -> bytes:
        plain = _encoded(f"{type(self.value).__name__} {_text_of(self.value)}")
        return plain if len(plain) <= SHORT else _digest("leaf", plain)


class ListNode(Node):
    """A list; its items are sorted, so lists that differ in order alone are one node."""

    __slots__ = ("items", "texts")

    def __init__(self, number: int, items: Sequence[Node]) -> None:
        # By value, not by number: numbers go by which answer came first, and with them ties would.
        ordered = tuple(sorted(items, key=_digest_of) if len(items) > 1 else items)
        super().__init__(number, sum(item.size for item in ordered), is_blank=not ordered)
        self.items: Final = ordered
        leaves = [item.text for item in ordered if isinstance(item, LeafNode)]
        is_plain = len(leaves) == len(ordered) and all(len(text) <= LONGEST_TEXT for text in leaves)
        self.texts: Final = leaves if is_plain else None
        """The texts of a list of leaves, none of them too long to be compared."""

    def _made_digest(self) -> bytes:
        return _digest("list", *(item.digest for item in self.items))


class DictNode(Node):
    """An object; its fields are sorted by name."""

    __slots__ = ("fields",)

    def __init__(self, number: int, fields: dict[str, Node]) -> None:
        super().__init__(number, sum(field.size for field in fields.values()), is_blank=not fields)
        self.fields: Final = dict(sorted(fields.items()))

    def _made_digest(self) -> bytes:
        parts = (part for name, field in self.fields.items() for part in (_encoded(name), field.digest))
        return _digest("dict", *parts)


NULL = NullNode(0, 1, is_blank=True)

_Key: TypeAlias = tuple[str, object]


class Interner:
    """Makes the nodes of the answers that are compared with each other.

    Made from another one it knows that one's nodes, and leaves it as it is.
    """

    def __init__(self, known: Interner | None = None) -> None:
        self._nodes: dict[_Key, Node] = known._nodes.copy() if known else {}  # noqa: SLF001 (its own kind)

    def node(self, value: JsonValue, depth: int = 0) -> Node:
        """Return the node of a value."""
        if value is None:
            return NULL
        if isinstance(value, list):
            if depth >= DEEPEST:
                return self._leaf(canonical_text(value))
            return self._list([self.node(item, depth + 1) for item in value])
        if isinstance(value, dict):
            if depth >= DEEPEST:
                return self._leaf(canonical_text(value))
            return self._dict({key: self.node(item, depth + 1) for key, item in value.items()})
        return self._leaf(value)

    def _leaf(self, value: _Present) -> Node:
        # repr distinguishes 1, 1.0 and True, which are equal and hash alike, and finds NaN again.
        key = ("text", value) if isinstance(value, str) else ("scalar", _text_of(value))
        known = self._nodes.get(key)
        if known is not None:
            return known
        leaf = self._nodes[key] = LeafNode(len(self._nodes) + 1, value)
        return leaf

    def _list(self, items: list[Node]) -> Node:
        # By number, not by value: the elements are nodes already, so equal ones have one number.
        key = ("list", tuple(sorted(item.number for item in items)))
        known = self._nodes.get(key)
        if known is None:
            known = self._nodes[key] = ListNode(len(self._nodes) + 1, items)
        return known

    def _dict(self, fields: dict[str, Node]) -> Node:
        # The order of keys is no part of a value.
        key = ("dict", frozenset((name, field.number) for name, field in fields.items()))
        known = self._nodes.get(key)
        if known is None:
            known = self._nodes[key] = DictNode(len(self._nodes) + 1, fields)
        return known


def clipped(value: JsonValue, depth: int = 0) -> JsonValue:
    """Return a value with what is nested too deep as one text, as it is compared."""
    if isinstance(value, list | dict) and depth >= DEEPEST:
        return canonical_text(value)
    if isinstance(value, list):
        return [clipped(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {name: clipped(item, depth + 1) for name, item in value.items()}
    return value


def _text_of(value: JsonScalar) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes in decimal
        return hex(value) if isinstance(value, int) else repr(value)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _digest(kind: str, *parts: bytes) -> bytes:
    # The lengths keep ("ab", "c") and ("a", "bc") apart.
    lengths = ",".join(str(len(part)) for part in parts)
    return hashlib.blake2b(b"".join((f"{kind} {lengths} ".encode(), *parts)), digest_size=16).digest()
