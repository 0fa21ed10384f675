"""The typed tree score: how right an answer is, each leaf compared by what it is.

The structure is that of ANLS*: objects over the union of their keys, lists by the best assignment,
every part without a partner counted against the answer. The score is the matched weight over the weight
of all leaves.

*Best* is meant for the score as a whole: of all ways to assign the elements of all lists, the one that
gives the highest score is taken. ANLS* itself assigns each list by the highest sum of the pairs' averages;
then an invented leaf can turn an assignment to another element and so **raise** the score, as it does for
`anls_star`. Here it never can: no assignment gains by it. Nor can the order of elements or ties decide.
The maximum of a ratio is found by Dinkelbach's method (1967, Management Science 13): with a bar set to the
best ratio found, each list is assigned by the sum of (matched weight - bar x weight), which is exact list
by list; the result is the next bar, until it rises no more, most often in two or three rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import NamedTuple

from evalcore.scoring.assignment import UNIT, Matching, best_matching, is_lopsided
from evalcore.scoring.leaves import LeafComparison
from evalcore.scoring.parts import PROSE_GRAIN, Items, Leaf, Object, Part
from evalcore.scoring.plain_text import plain_text

# Two lists of 700 elements each, which take some seconds already.
MOST_PAIRS = 500_000
"""The number of pairs of list elements compared in one round; beyond it, only equal elements match."""
MOST_ROUNDS = 12
"""A bound on the work; the method converges superlinearly, and two or three rounds are common."""
FIRST_BAR = UNIT * 3 // 4
"""A guess at the score: any first bar leads to the same result, a near one in fewer rounds.

Above the best ratio, the first round gives a ratio at or below it, and the bar rises from there.
"""


class Fit(NamedTuple):
    """How well two parts fit. Open prose (see `parts`) is counted by itself, since it has no weight yet."""

    total: int
    """Matched weight, in units of 1 / (GRAIN x UNIT) leaf, without open prose."""
    weight: int
    """The weight of the union of both parts' leaves, in units of 1 / GRAIN leaf, without open prose."""
    prose_total: int
    """The sum of the open prose leaves' similarities, in units of 1 / UNIT."""
    prose: int
    """The number of open prose leaves in the union."""


class TypedComparison:
    """Compares two answers, whose parts one Placer made."""

    def __init__(self, leaves: LeafComparison, most_pairs: int = MOST_PAIRS) -> None:
        self._leaves = leaves
        self._most_pairs = most_pairs
        self._likeness: dict[tuple[int, int], int] = {}
        self._flat: dict[tuple[int, int], Fit] = {}
        self._deep: dict[tuple[int, int], Fit] = {}
        self._matchings: dict[tuple[int, int], Matching] = {}
        self._bar = FIRST_BAR
        self._pairs_left = self._most_pairs
        self._had_choice = False

    def score(self, left: Part | None, right: Part | None) -> float:
        """Return the matched weight over all weight, in [0, 1]; 1 where neither holds a leaf."""
        # One Placer makes one object of equal values, so identity is equality, and costs nothing.
        if left is None or right is None or left is right:
            one = left or right
            return float(left is right or one is None or not one.closed_weight)
        total, weight = self._round(left, right)
        if self._had_choice:
            for _ in range(MOST_ROUNDS):
                # Rounded down to a whole number of 1 / UNIT: like the sums it is the same on every machine.
                bar = total // weight if weight else UNIT
                if bar == self._bar:
                    break
                self._bar = bar
                again, weighed = self._round(left, right)
                # Compared by cross-multiplication: as floats two equal ratios might seem to differ, and
                # never end.
                if not weighed or again * weight <= total * weighed:
                    break
                total, weight = again, weighed
        return total / (weight * UNIT) if weight else 1.0

    def likeness(self, left: Leaf, right: Leaf) -> int:
        """Return how like two leaves are, in units of 1 / UNIT."""
        if left is right:
            return UNIT
        key = left.number, right.number
        known = self._likeness.get(key)
        if known is None:
            share = self._leaves.compare(left.field.rule, left.reading, right.reading)
            # Whole numbers from here on: sums of floats would depend on the order of elements.
            known = self._likeness[key] = int(share * UNIT)
        return known

    def matching(self, left: Items, right: Items) -> Matching:
        """Return which elements of two lists, compared before, belong together."""
        if left is right:
            return tuple((at, at) for at in range(len(left.items)))
        return self._matchings[left.number, right.number]

    def _round(self, left: Part, right: Part) -> tuple[int, int]:
        self._deep.clear()
        self._matchings.clear()
        self._pairs_left = self._most_pairs
        fit = close_prose(self.fit(left, right))
        return fit.total, fit.weight

    def fit(self, left: Part, right: Part) -> Fit:
        """Compare two parts at one place."""
        if left is right:
            return Fit(left.weight * UNIT, left.weight, left.prose * UNIT, left.prose)
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            likeness = self.likeness(left, right)
            return Fit(left.weight * likeness, left.weight, likeness if left.prose else 0, left.prose)
        key = left.number, right.number
        # Where either holds no list nothing is assigned, so that the fit is the same for every bar and is
        # not forgotten between rounds.
        known = (self._flat if left.is_flat or right.is_flat else self._deep).get(key)
        if known is None:
            known = self._compare(left, right)
            (self._flat if left.is_flat or right.is_flat else self._deep)[key] = known
        return known

    def _compare(self, left: Part, right: Part) -> Fit:
        if isinstance(left, Object) and isinstance(right, Object):
            return self._objects(left.fields, right.fields)
        if isinstance(left, Items) and isinstance(right, Items):
            return self._items(left, right)
        # Parts of different kinds have nothing to compare: the larger one is wrong.
        return Fit(0, max(left.weight, right.weight), 0, max(left.prose, right.prose))

    def _objects(self, left: dict[str, Part], right: dict[str, Part]) -> Fit:
        total = weight = prose_total = prose = 0
        for name, part in left.items():
            other = right.get(name)
            if other is None:
                weight += part.weight
                prose += part.prose
            elif part is other:
                total += part.weight * UNIT
                weight += part.weight
                prose_total += part.prose * UNIT
                prose += part.prose
            # As `fit` does, without its call: half of all time was spent in calling it for leaves.
            elif isinstance(part, Leaf) and isinstance(other, Leaf):
                likeness = self.likeness(part, other)
                total += part.weight * likeness
                weight += part.weight
                if part.prose:
                    prose_total += likeness
                    prose += 1
            else:
                fit = self.fit(part, other)
                total += fit.total
                weight += fit.weight
                prose_total += fit.prose_total
                prose += fit.prose
        for name, part in right.items():
            if name not in left:
                weight += part.weight
                prose += part.prose
        return close_prose(Fit(total, weight, prose_total, prose)) if prose else Fit(total, weight, 0, 0)

    def _items(self, left: Items, right: Items) -> Fit:
        matching = self._match(left, right)
        self._matchings[left.number, right.number] = matching
        pairs = [(left.items[row], right.items[column]) for row, column in matching]
        fits = list(starmap(self.fit, pairs))
        saved = sum(one.weight + other.weight for one, other in pairs)
        saved_prose = sum(one.prose + other.prose for one, other in pairs)
        return Fit(
            total=sum(fit.total for fit in fits),
            # A pair that is matched counts once, by its fit, in the place of both its elements.
            weight=left.weight + right.weight - saved + sum(fit.weight for fit in fits),
            prose_total=sum(fit.prose_total for fit in fits),
            prose=left.prose + right.prose - saved_prose + sum(fit.prose for fit in fits),
        )

    def _match(self, left: Items, right: Items) -> Matching:
        rule = left.field.lists
        rows, columns = range(len(left.items)), range(len(right.items))
        if rule.ordered:
            return self._in_order(left.items, right.items)
        if rule.align_by:
            return self._by_keys(left.items, right.items, rule.align_by)
        return self._best(left.items, right.items, rows, columns)

    def _best(
        self, left: Sequence[Part], right: Sequence[Part], rows: Sequence[int], columns: Sequence[int]
    ) -> Matching:
        if not rows or not columns:
            return ()
        # Nothing to choose: without a choice one round is enough.
        if len(rows) == len(columns) == 1:
            return ((rows[0], columns[0]),)
        self._had_choice = True
        if not self._take(len(rows), len(columns)):
            return _equal(left, right, rows, columns)
        others = [right[column] for column in columns]
        gains = [self._gains(left[row], others) for row in rows]
        return tuple((rows[at], columns[to]) for at, to in best_matching(gains))

    def _gains(self, part: Part, others: Iterable[Part]) -> list[int]:
        """What is gained by matching a part with each of others, over leaving both unmatched."""
        bar = self._bar
        prose_bar = bar * PROSE_GRAIN
        gains = []
        for other in others:
            total, weight, prose_total, prose = self.fit(part, other)
            # What the pair matches, and the weight it saves by being counted once, priced at the bar.
            gain = total + bar * (part.weight + other.weight - weight)
            if prose:
                gain += PROSE_GRAIN * prose_total + prose_bar * (part.prose + other.prose - prose)
            gains.append(gain)
        return gains

    def _by_keys(self, left: Sequence[Part], right: Sequence[Part], names: Sequence[str]) -> Matching:
        """Match elements by the first name whose value both have alike; the others have no partner."""
        matched: list[tuple[int, int]] = []
        rows, columns = list(range(len(left))), list(range(len(right)))
        for at, name in enumerate(names):
            is_last = at == len(names) - 1
            groups, others = _grouped(left, rows, name), _grouped(right, columns, name)
            for key, members in sorted(groups.items()):
                # An element without the key may still be matched by the next one; by the last, all without
                # any are alike.
                if key or is_last:
                    matched.extend(self._best(left, right, members, others.get(key, [])))
            taken, used = {row for row, _ in matched}, {column for _, column in matched}
            rows = [row for row in rows if row not in taken]
            columns = [column for column in columns if column not in used]
        return tuple(sorted(matched))

    def _in_order(self, left: Sequence[Part], right: Sequence[Part]) -> Matching:
        """Match elements so that both sides keep their order (Needleman & Wunsch 1970)."""
        self._had_choice = True
        if not self._take(len(left), len(right)):
            return tuple(
                (at, at) for at, (one, other) in enumerate(zip(left, right, strict=False)) if one is other
            )
        gains = [self._gains(part, right) for part in left]
        best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
        for row in range(len(left) - 1, -1, -1):
            for column in range(len(right) - 1, -1, -1):
                with_both = gains[row][column] + best[row + 1][column + 1]
                best[row][column] = max(with_both, best[row + 1][column], best[row][column + 1])
        matched, row, column = [], 0, 0
        while row < len(left) and column < len(right):
            # Pairs are preferred where leaving out is as good, so that ties fall the same way on every
            # machine.
            if best[row][column] == gains[row][column] + best[row + 1][column + 1]:
                matched.append((row, column))
                row, column = row + 1, column + 1
            elif best[row][column] == best[row + 1][column]:
                row += 1
            else:
                column += 1
        return tuple(matched)

    def _take(self, expected: int, answered: int) -> bool:
        pairs = expected * answered
        # A budget over all lists of a comparison: many lists of lists would each be bearable, and all
        # together not.
        if pairs > self._pairs_left or is_lopsided(expected, answered):
            return False
        self._pairs_left -= pairs
        return True


def close_prose(fit: Fit) -> Fit:
    """Return the fit with its open prose closed: the mean similarity of it all counts once."""
    if not fit.prose:
        return fit
    shared = PROSE_GRAIN * fit.prose_total // fit.prose
    return Fit(fit.total + shared, fit.weight + PROSE_GRAIN, 0, 0)


def _grouped(parts: Sequence[Part], rows: Iterable[int], name: str) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row in rows:
        part = parts[row]
        field = part.fields.get(name) if isinstance(part, Object) else None
        text = field.value if isinstance(field, Leaf) and isinstance(field.value, str) else None
        # A key that differs in capitals or blanks alone is meant to be the same key.
        key = plain_text(text) if text is not None else field.key if field is not None else ""
        groups.setdefault(key, []).append(row)
    return groups


def _equal(
    left: Sequence[Part], right: Sequence[Part], rows: Sequence[int], columns: Sequence[int]
) -> Matching:
    places: dict[int, list[int]] = {}
    for column in columns:
        places.setdefault(right[column].number, []).append(column)
    return tuple((row, places[left[row].number].pop()) for row in rows if places.get(left[row].number))
