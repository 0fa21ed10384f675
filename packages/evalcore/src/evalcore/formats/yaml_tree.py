"""YAML text as a tree whose every node knows its line: for files that people write, and may get wrong.

Only plain data is made of it. Size, depth and what aliases expand to are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from evalcore.errors import InputError
from evalcore.structs import Frozen, JsonValue

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 20_000

Error: TypeAlias = type[InputError]
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {"int": "number", "float": "number", "bool": "truth value"}


class YamlNode(Frozen, frozen=True):
    """A value of the file and where it stands."""

    line: int
    """From 1; of a mapping's entry, its key's."""
    value: str | int | float | bool | list[YamlNode] | dict[str, YamlNode] | None
    text: str | None = None
    """A scalar as it was written: `1.0`, where the value is the number 1."""

    def plain(self) -> JsonValue:
        """Return the value without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def items(self) -> dict[str, YamlNode]:
        """Return a mapping's entries; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}


def read_yaml(text: str, where: str, error: Error, *, first_line: int = 1) -> YamlNode | None:
    """Parse one YAML document; None where there is nothing but comments.

    Raises the given error, naming file and line, for what is not YAML, for duplicate keys and for
    anything over the bounds. `first_line` is the line of the file that the text begins at.
    """
    return _Reader(where, error, first_line).read(text)


class _Reader:
    def __init__(self, where: str, error: Error, first_line: int) -> None:
        self.where = where
        self.error = error
        self.first_line = first_line
        self.nodes = 0
        self.anchors: dict[str, YamlNode] = {}
        # Events, not nodes, are taken of it: ruamel would build a whole file before a bound could be looked
        # at.
        self.yaml = YAML(typ="safe", pure=True)

    def read(self, text: str) -> YamlNode | None:
        if len(text) > MAX_CHARACTERS:
            raise self.error(f"is over {MAX_CHARACTERS:,} characters", where=self.where, hint="shorten it")
        try:
            events: Iterator[Event] = self.yaml.parse(text)
            root, documents = None, 0
            for event in events:
                documents += isinstance(event, DocumentStartEvent)
                if documents > 1:
                    raise self._problem(event, "a second document begins here", "keep one")
                if isinstance(event, NodeEvent):
                    root = self._node(event, events, depth=1)
        except MarkedYAMLError as problem:
            line = problem.problem_mark.line if problem.problem_mark else 0
            raise self._at(line, f"is not YAML: {problem.problem}") from None
        except (YAMLError, ValueError) as problem:
            raise self._at(0, f"is not YAML: {problem}") from None
        return root

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> YamlNode:
        if depth > MAX_DEPTH:
            raise self._problem(event, f"is nested over {MAX_DEPTH} deep", "flatten it")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._count(event)
        if isinstance(event, ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            children = []
            while not isinstance(item := next(events), SequenceEndEvent):
                children.append(self._node(item, events, depth + 1))
            node = YamlNode(line=self._line(event), value=children)
        elif isinstance(event, MappingStartEvent):
            node = YamlNode(line=self._line(event), value=self._mapping(events, depth))
        else:
            raise self._problem(event, "is not YAML", "check it")
        if isinstance(event, NodeEvent) and event.anchor is not None:
            # Only once it is whole: an alias inside of what it names would be a circle.
            self.anchors[event.anchor] = node
        return node

    def _alias(self, event: AliasEvent) -> YamlNode:
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self._problem(event, f"nothing is called &{event.anchor}", "define it first")
        # Counted as often as it is named: ten lines of aliases to aliases are billions of values.
        for _ in _walk(node):
            self._count(event)
        return node

    def _mapping(self, events: Iterator[Event], depth: int) -> dict[str, YamlNode]:
        entries: dict[str, YamlNode] = {}
        merged: dict[str, YamlNode] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if key.text is None:
                raise self._problem(event, "a key that is not a plain word", "write a word")
            if key.text == "<<":
                merged = self._merged(event, value) | merged
                continue
            if key.text in entries:
                raise self._problem(event, f"the key `{key.text}` stands twice", "keep one")
            # An entry stands where its key does, also when its value begins on a later line.
            entries[key.text] = msgspec.structs.replace(value, line=key.line)
        return merged | entries

    def _merged(self, event: Event, value: YamlNode) -> dict[str, YamlNode]:
        sources = value.value if isinstance(value.value, list) else [value]
        merged: dict[str, YamlNode] = {}
        for source in reversed(sources):  # earlier ones win
            if not isinstance(source.value, dict):
                raise self._problem(event, "`<<` takes a mapping", "name an anchored mapping")
            merged |= source.value
        return merged

    def _scalar(self, event: ScalarEvent) -> YamlNode:
        if _SURROGATE.search(event.value):
            raise self._problem(event, "holds half of a surrogate pair", "write the character itself")
        tag = event.tag or self.yaml.resolver.resolve(ScalarNode, event.value, event.implicit)
        plain = ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        line, text = self._line(event), event.value
        kind = str(tag).rpartition(":")[2]
        make = self.yaml.constructor
        try:
            if kind == "int":
                return YamlNode(line=line, value=int(make.construct_yaml_int(plain)), text=text)
            if kind == "float":
                return YamlNode(line=line, value=float(make.construct_yaml_float(plain)), text=text)
            if kind == "bool":
                return YamlNode(line=line, value=bool(make.construct_yaml_bool(plain)), text=text)
        # With a tag of its own any text gets here; ruamel looks into it before it doubts it.
        except (ValueError, OverflowError, LookupError):
            raise self._problem(event, f"is no {_KINDS[kind]} that can be used", "check it") from None
        if kind == "null":
            return YamlNode(line=line, value=None, text=text)
        # Dates and every other tag stay the text that was written.
        return YamlNode(line=line, value=text, text=text)

    def _count(self, event: Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._problem(event, f"holds over {MAX_NODES:,} values, aliases counted", "shorten it")

    def _line(self, event: Event) -> int:
        return int(event.start_mark.line) + self.first_line

    def _problem(self, event: Event, what: str, hint: str) -> InputError:
        return self.error(what, where=f"{self.where}:{self._line(event)}", hint=hint)

    def _at(self, line: int, what: str) -> InputError:
        return self.error(what, where=f"{self.where}:{line + self.first_line}", hint="check its syntax there")


def _walk(node: YamlNode) -> Iterator[YamlNode]:
    left = [node]
    while left:
        node = left.pop()
        yield node
        if isinstance(node.value, list):
            left.extend(node.value)
        elif isinstance(node.value, dict):
            left.extend(node.value.values())
