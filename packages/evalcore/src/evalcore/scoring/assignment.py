"""The optimal assignment of the elements of two lists, exact and indifferent to their order.

ANLS* matches lists by the highest sum of the pairs' averages (sum of similarities / number of leaves).
That leaves ties, which the reference implementation decides by the order of the elements. Here they are
decided by the pairs alone, in this order:

1. the highest sum of averages, every element of the shorter list being matched;
2. the highest total of similarities;
3. the fewest leaves in all, matched and unmatched, so that of equal totals the higher score wins.

The ranks are packed into one integer weight; an optimum of the sum of weights has one value of each,
whatever the order of rows and columns, and integers leave nothing to the rounding of a long sum.

The averages themselves are taken in double precision as the reference takes them, with its nudge by one
unit in the last place for pairs that are equal. This and the ranks were settled by search: in 27,000
random trees (up to 400 shuffles of both sides wherever the values differed) there was no counterexample,
neither where the reference gives one value however the lists are shuffled, nor, where it gives several,
to ours being the highest of them. Exact rationals instead of doubles gave 2 in 6,100 lists of objects
(1/3 against (2/3)/2, a tie on paper, is decided by the double's last digit in every order); rationals
without the nudge 3 in 4,300. The highest ratio of total to leaves, in place of (2, 3), is no better, and
not independent of order, since parts of equal ratio weigh differently further up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

Weights = Sequence[Sequence[int]]
Matching = tuple[tuple[int, int], ...]
"""The (row, column) of each matched pair, by row."""

UNIT = 2**53
"""The similarity of equal leaves as an integer: any double between 1/2 and 1 is a whole number of these."""
COST_UNIT = 2**64
"""What an average is below the highest one, as an integer, is in units of 1 / COST_UNIT."""
FEW_PAIRS = 20_000
"""Of the elements of two lists: so many are always compared."""
LOPSIDED = 5
"""A longer answer than this many times the expected one is not worth more."""


class Pair(NamedTuple):
    """How well an expected part and an answered one fit."""

    total: int
    """The sum of the leaves' similarities, in units of 1 / UNIT."""
    leaves: int
    exact: bool
    """Whether the two are equal, as the reference decides it."""


def is_lopsided(expected: int, answered: int) -> bool:
    """Whether a list is so much longer than the expected one that its elements match if they are equal."""
    return answered > LOPSIDED * expected and expected * answered > FEW_PAIRS


def match_elements(
    pairs: Sequence[Sequence[Pair]], left_sizes: Sequence[int], right_sizes: Sequence[int]
) -> Matching:
    """Match the elements of two lists, given how well each of the one fits each of the other.

    The sizes are the elements' own numbers of leaves: they count in full where an element is not matched.
    """
    if not left_sizes or not right_sizes:
        return ()
    distinct = set(chain.from_iterable(pairs))
    if len(distinct) == len(set(left_sizes)) == len(set(right_sizes)) == 1:
        # Nothing to choose between: most often, lists of which nothing fits.
        return tuple((at, at) for at in range(min(len(left_sizes), len(right_sizes))))
    weight_of = _packed_weights(distinct, left_sizes, right_sizes)
    # Leaves saved by matching: those of both elements, less those of the pair.
    return best_matching(
        [
            [weight_of[pair] + left + right for pair, right in zip(row, right_sizes, strict=True)]
            for row, left in zip(pairs, left_sizes, strict=True)
        ]
    )


def _packed_weights(
    pairs: Iterable[Pair], left_sizes: Sequence[int], right_sizes: Sequence[int]
) -> dict[Pair, int]:
    averages = {pair: _average(pair) for pair in pairs}
    highest = max(averages.values())
    count = min(len(left_sizes), len(right_sizes))
    # Each rank is shifted beyond the largest difference that the lower ranks' sums can make.
    most_leaves = max(pair.leaves for pair in averages) + max(left_sizes) + max(right_sizes)
    per_total = count * most_leaves + 1
    per_cost = (count * max(pair.total for pair in averages) + 1) * per_total
    return {
        pair: pair.total * per_total - pair.leaves - int((highest - average) * COST_UNIT) * per_cost
        for pair, average in averages.items()
    }


def _average(pair: Pair) -> float:
    average = pair.total / UNIT / pair.leaves if pair.leaves else 1.0
    return math.nextafter(average, math.inf) if pair.exact else average


def best_matching(weights: Weights) -> Matching:
    """Return a matching of the highest total weight that matches all of the shorter side.

    Rows must be of equal length. Shortest augmenting paths (Jonker & Volgenant 1987) after a greedy
    start: O(n^2 m) at worst, close to O(n m) where most rows have a column of their own.
    """
    # The algorithm matches every row, so rows are the shorter side.
    if len(weights) <= len(weights[0]):
        columns = _match_rows(weights)
        return tuple(enumerate(columns))
    columns = _match_rows(list(zip(*weights, strict=True)))
    return tuple(sorted((column, row) for row, column in enumerate(columns)))


def _match_rows(weights: Weights) -> list[int]:
    """Return the column of each row, for at most as many rows as columns."""
    # No reduced cost is negative with these, and a row whose best column is free costs nothing.
    prices = [max(row) for row in weights]
    column_of = [-1] * len(weights)
    row_of = [-1] * len(weights[0])
    free = [row for row in range(len(weights)) if not _take_best(row, weights, prices, column_of, row_of)]
    discounts = [0] * len(row_of)
    for row in free:
        _augment(row, weights, prices, discounts, column_of, row_of)
    return column_of


def _take_best(
    row: int, weights: Weights, prices: list[int], column_of: list[int], row_of: list[int]
) -> bool:
    best = prices[row]
    for column, weight in enumerate(weights[row]):
        if weight == best and row_of[column] < 0:
            column_of[row] = column
            row_of[column] = row
            return True
    return False


def _augment(
    start: int,
    weights: Weights,
    prices: list[int],
    discounts: list[int],
    column_of: list[int],
    row_of: list[int],
) -> None:
    """Match one more row along the cheapest alternating path (Dijkstra over reduced costs).

    A reduced cost is price[row] + discount[column] - weight, never negative and 0 on matched pairs.
    """
    row, reached = start, 0
    base = prices[row]
    distance = [base + discount - weight for discount, weight in zip(discounts, weights[row], strict=True)]
    previous = [row] * len(distance)
    open_columns = list(range(len(distance)))
    scanned: list[tuple[int, int]] = []
    while True:
        column = min(open_columns, key=distance.__getitem__)
        reached = distance[column]
        if row_of[column] >= 0:
            # Of columns equally near one that is free ends the search: with many ties, most of it.
            column = next((at for at in open_columns if distance[at] == reached and row_of[at] < 0), column)
        if row_of[column] < 0:
            break
        open_columns.remove(column)
        row = row_of[column]
        scanned.append((row, column))
        base = reached + prices[row]
        line = weights[row]
        for other in open_columns:
            through = base + discounts[other] - line[other]
            if through < distance[other]:
                distance[other] = through
                previous[other] = row
    # Prices and discounts move so that matched pairs cost nothing again: the next search depends on it.
    prices[start] -= reached
    for row, taken in scanned:
        shift = reached - distance[taken]
        prices[row] -= shift
        discounts[taken] += shift
    while True:
        row = previous[column]
        row_of[column] = row
        column_of[row], column = column, column_of[row]
        if row == start:
            return
