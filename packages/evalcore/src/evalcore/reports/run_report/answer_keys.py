"""One answer, looked at by its keys alone: which are there, which are not, which nobody has declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from evalcore.reports.run_report.declared import DEEPEST, Declared
from evalcore.structs import JsonObject, JsonScalar, JsonValue

LONGEST_KEY: Final = 100
"""Characters of an undeclared key; those that are alike so far are one."""
MOST_UNDECLARED: Final = 200
"""Different undeclared keys of one answer that are told apart."""
MOST_PAIRED: Final = 40
"""Undeclared and missing keys of one object that are held against each other."""
MOST_PAIRS: Final = 5_000
"""Of one answer."""


class TooLarge(Exception):
    """An answer holds more values than are looked at."""


class AnswerKeys:
    """What one answer holds at the places that are declared."""

    __slots__ = ("_left", "_pairs_left", "instead", "lengths", "missing", "objects", "scalars", "undeclared",
                 "values")  # fmt: skip

    def __init__(self, answer: JsonValue, root: Declared, most: int) -> None:
        """Look at an answer of at most `most` values; raises TooLarge."""
        self.scalars: dict[str, list[JsonScalar]] = {}
        """The scalars at each path, null included, in the order of the answer."""
        self.lengths: dict[str, list[int]] = {}
        """The lengths of the lists at each path."""
        self.objects: dict[str, list[int]] = {}
        """The number of keys of each object at each path."""
        self.missing: Counter[str] = Counter()
        """How many objects lack a key, by the path of the key."""
        self.undeclared: Counter[tuple[str, str]] = Counter()
        """How many objects at a path have a key that is not declared there."""
        self.instead: Counter[tuple[str, str, str]] = Counter()
        """The same by each declared key that such an object lacks: the two may be one under two names."""
        self._left = most
        self._pairs_left = MOST_PAIRS
        self._look(answer, root)
        self.values = most - self._left
        """How many values were looked at."""

    def populated(self) -> Iterator[tuple[str, int]]:
        """Yield for each path how often there is something: no null, and no empty list or object."""
        for path, scalars in self.scalars.items():
            yield path, len(scalars) - scalars.count(None)
        for found in (self.lengths, self.objects):
            for path, sizes in found.items():
                yield path, len(sizes) - sizes.count(0)

    def _look(self, value: JsonValue, place: Declared) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooLarge
        if isinstance(value, dict):
            self._object(value, place)
        elif isinstance(value, list):
            self.lengths.setdefault(place.path, []).append(len(value))
            if place.depth < DEEPEST:
                item = place.item()
                for each in value:
                    self._look(each, item)
        else:
            self.scalars.setdefault(place.path, []).append(value)

    def _object(self, value: JsonObject, place: Declared) -> None:
        # Before anything in it is looked at, so that a huge object ends the look at once.
        self._left -= len(value)
        self.objects.setdefault(place.path, []).append(len(value))
        fields, scalars = place.fields, self.scalars
        for name, inner in value.items():
            child = fields.get(name) or (place.field(name) if place.takes_any else None)
            if child is None:
                if len(self.undeclared) < MOST_UNDECLARED:
                    self.undeclared[place.path, name[:LONGEST_KEY]] += 1
            elif isinstance(inner, dict | list):
                self._look(inner, child)
            # A scalar is most of what there is: here, without a further call.
            elif child.path in scalars:
                scalars[child.path].append(inner)
            else:
                scalars[child.path] = [inner]
        if not place.always <= value.keys():
            absent = place.always - value.keys()
            for name in absent:
                self.missing[fields[name].path] += 1
            self._note_instead(value, place, absent)

    def _note_instead(self, value: JsonObject, place: Declared, absent: frozenset[str]) -> None:
        # Where keys are data none stands for another.
        if place.takes_any:
            return
        names = [name for name in value if name not in place.names][:MOST_PAIRED]
        lacking = sorted(absent)[:MOST_PAIRED]
        self._pairs_left -= len(names) * len(lacking)
        if self._pairs_left > 0:
            self.instead.update((place.path, name[:LONGEST_KEY], lack) for name in names for lack in lacking)
