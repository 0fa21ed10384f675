"""The similarities of two answers' leaves, summed: by field, for the prose, for precision and for recall.

The field paths are the expected answer's. At each counts, once per leaf of either side: its similarity; 0
where it has no partner. An invented leaf counts at its own path if the expected answer has that path,
else at the nearest enclosing one it has (the items invented in a list that should be empty count at the
list), else nowhere: the score has counted it, and no expected field was harmed. A field that is expected
to be empty and is, is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from evalcore.scoring.assignment import UNIT
from evalcore.scoring.parts import PROSE_GRAIN, Items, Leaf, Object, Part
from evalcore.scoring.rules.field_rules import Field
from evalcore.scoring.typed_tree import TypedComparison
from evalcore.structs import JsonValue


class _Prose:
    """The prose leaves that share one weight."""

    __slots__ = ("answered", "expected", "total")

    def __init__(self) -> None:
        self.total = self.expected = self.answered = 0


class Tally:
    """Walks two compared answers along the assignment that was found, and counts.

    `known` are the paths of the fields to count by, in the order of the results.
    """

    def __init__(self, comparison: TypedComparison, known: AbstractSet[str]) -> None:
        self._comparison = comparison
        self._known = known
        self._totals: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._answered: dict[str, int] = {}
        self._both: dict[str, int] = {}
        self._matched_of_expected = self._matched_of_answered = 0
        self._prose_total = self._prose_count = 0
        self._lengths: dict[str, list[float]] = {}
        self._checked = self._wrong = self._prose_expected = 0
        self.lacking: list[str] = []
        """The paths that are required and not answered."""

    def walk(self, expected: Part | None, answered: Part | None) -> None:
        """Count all leaves of both sides."""
        prose = _Prose()
        if expected is not None and answered is not None:
            self._pair(expected, answered, prose)
        elif expected is not None:
            self._missed(expected, prose)
        elif answered is not None:
            self._invented(answered, prose)
        self._close(prose)
        # Of each side alone, prose closed: what precision and recall are shares of.
        self._weights = (
            0 if expected is None else expected.closed_weight,
            0 if answered is None else answered.closed_weight,
        )

    @property
    def recall(self) -> float:
        """Matched weight over the expected answer's; 1 where nothing is expected."""
        weight = self._weights[0]
        return self._matched_of_expected / (weight * UNIT) if weight else 1.0

    @property
    def precision(self) -> float:
        """Matched weight over the given answer's; 1 where nothing is answered, since nothing is invented."""
        weight = self._weights[1]
        return self._matched_of_answered / (weight * UNIT) if weight else 1.0

    @property
    def prose(self) -> float | None:
        """The mean over all prose leaves; None where there are none."""
        return self._prose_total / (UNIT * self._prose_count) if self._prose_count else None

    @property
    def exact(self) -> bool | None:
        """Whether every leaf but prose is right, none missed and none invented.

        None where the expected answer is prose alone. That is a case's own: if it depended on the answer
        too, a case would count its wrong answers and leave its right ones out.
        """
        is_prose = bool(self._prose_expected) and not self._checked
        return None if is_prose else not self._wrong and not self.lacking

    def by_field(self) -> dict[str, float]:
        """Return the mean of each field, of both sides' leaves."""
        return self._means(self._both, 1.0)

    def precision_by_field(self) -> dict[str, float]:
        """Return per field how much of what was answered is right; fields without an answer are left out."""
        return self._means(self._answered, None)

    def recall_by_field(self) -> dict[str, float]:
        """Return per field how much of what was expected was given; fields expected empty are left out."""
        return self._means(self._expected, None)

    def lengths_of(self, lists: AbstractSet[str]) -> dict[str, float]:
        """Return per list, as `len(path)`, how far the lengths agree: the shorter over the longer."""
        return {
            f"len({name})": math.fsum(values) / len(values)
            for name, values in sorted(self._lengths.items())
            if name in lists
        }

    def _means(self, counts: Mapping[str, int], otherwise: float | None) -> dict[str, float]:
        means: dict[str, float] = {}
        for path in self._known:
            count = counts.get(path)
            if count:
                means[path] = self._totals.get(path, 0) / (UNIT * count)
            elif otherwise is not None:
                means[path] = otherwise
        return means

    def _pair(self, left: Part, right: Part, prose: _Prose) -> None:
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            self._leaf(left, self._comparison.likeness(left, right), prose)
        elif isinstance(left, Object) and isinstance(right, Object):
            inner = _Prose()
            for name, part in left.fields.items():
                other = right.fields.get(name)
                if other is None:
                    self._missed(part, inner)
                else:
                    self._pair(part, other, inner)
            for name, part in right.fields.items():
                if name not in left.fields:
                    self._invented(part, inner)
            self._close(inner)
        elif isinstance(left, Items) and isinstance(right, Items):
            self._items(left, right, prose)
        else:
            # One place, answered by another kind of value: it counts once, as missed. What was answered
            # there lowers the precision only.
            self._missed(left, prose)
            self._invented(right, prose, is_counted=False)

    def _items(self, left: Items, right: Items, prose: _Prose) -> None:
        matching = self._comparison.matching(left, right)
        lengths = sorted((len(left.items), len(right.items)))
        self._lengths.setdefault(left.field.name, []).append(lengths[0] / lengths[1])
        for row, column in matching:
            self._pair(left.items[row], right.items[column], prose)
        rows, columns = {row for row, _ in matching}, {column for _, column in matching}
        for row, part in enumerate(left.items):
            if row not in rows:
                self._missed(part, prose)
        for column, part in enumerate(right.items):
            if column not in columns:
                self._invented(part, prose)

    def _leaf(self, leaf: Leaf, likeness: int, prose: _Prose) -> None:
        rule, path = leaf.field.rule, leaf.field.name
        # Open prose, whose weight is shared; what is prose and weighs by itself (wording) counts as any leaf.
        if leaf.prose:
            prose.total += likeness
            prose.expected += 1
            prose.answered += 1
        else:
            self._matched_of_expected += leaf.weight * likeness
            self._matched_of_answered += leaf.weight * likeness
        if rule.is_prose:
            self._prose_total += likeness
            self._prose_count += 1
            self._prose_expected += 1
        elif rule.weight:
            self._checked += 1
            self._wrong += likeness < UNIT
        if path in self._known:
            self._totals[path] = self._totals.get(path, 0) + likeness
            for counts in (self._both, self._expected, self._answered):
                counts[path] = counts.get(path, 0) + 1

    def _missed(self, part: Part, prose: _Prose) -> None:
        if part.field.required:
            self.lacking.append(part.field.name)
        inner = _Prose() if isinstance(part, Object) else prose
        for child in children(part):
            # `inner` is never closed: of an object without a partner no prose is matched.
            self._missed(child, inner)
        if isinstance(part, Items):
            # a list that only one side has: the lengths agree in nothing
            self._lengths.setdefault(part.field.name, []).append(0.0)
        if isinstance(part, Leaf):
            prose.expected += part.prose
            self._prose_count += part.field.rule.is_prose
            self._prose_expected += part.field.rule.is_prose
            self._checked += _is_checked(part)
            self._wrong += _is_checked(part)
            self._count(part, self._both, self._expected)

    def _invented(self, part: Part, prose: _Prose, *, is_counted: bool = True) -> None:
        inner = _Prose() if isinstance(part, Object) else prose
        for child in children(part):
            self._invented(child, inner, is_counted=is_counted)
        if isinstance(part, Items) and is_counted:
            self._lengths.setdefault(part.field.name, []).append(0.0)
        if isinstance(part, Leaf):
            prose.answered += part.prose
            self._prose_count += part.field.rule.is_prose and is_counted
            self._wrong += _is_checked(part)
            if is_counted:
                self._count(part, self._both, self._answered)
            else:
                self._count(part, self._answered)

    def _count(self, leaf: Leaf, *tables: dict[str, int]) -> None:
        path = nearest_known(leaf.field.name, self._known)
        if path and leaf.field.rule.weight:
            for counts in tables:
                counts[path] = counts.get(path, 0) + 1

    def _close(self, prose: _Prose) -> None:
        # In whole numbers, as all weights here: a sum of floats would depend on the order of the fields.
        if prose.expected:
            self._matched_of_expected += PROSE_GRAIN * prose.total // prose.expected
        if prose.answered:
            self._matched_of_answered += PROSE_GRAIN * prose.total // prose.answered


def _is_checked(leaf: Leaf) -> bool:
    """Whether a leaf must be right for the answer to be right throughout."""
    return bool(leaf.field.rule.weight) and not leaf.field.rule.is_prose


def children(part: Part) -> Iterator[Part]:
    """Yield the parts that a part is made of."""
    if isinstance(part, Object):
        yield from part.fields.values()
    elif isinstance(part, Items):
        yield from part.items


def nearest_known(path: str, known: AbstractSet[str]) -> str:
    """Return the path, or the nearest around it that is known; "" where none is."""
    while path and path not in known:
        # "a.b[]" -> "a.b" -> "a" -> "", the root. A name may itself end in a bracket that was never opened.
        opened = path.rfind("[") if path.endswith("]") else -1
        path = path[:opened] if opened >= 0 else path.rpartition(".")[0]
    return path


def field_paths(value: JsonValue, field: Field) -> Iterator[str]:
    """Yield the path of every leaf that weighs, of every null and of every empty list or object."""
    if isinstance(value, list) and value:
        for item in value:
            yield from field_paths(item, field.item())
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            yield from field_paths(item, field.field(name))
    elif field.rule.weight:
        yield field.name
