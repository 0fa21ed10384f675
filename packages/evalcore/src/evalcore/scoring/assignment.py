"""The optimal assignment of the elements of two lists, exact and indifferent to their order.

ANLS* matches lists by the highest sum of the pairs' averages (sum of similarities / number of leaves).
That leaves ties, which the reference implementation decides by the order of the elements. Here they are
decided by the pairs alone, in this order:

1. the highest sum of averages, every element of the shorter list being matched;
2. the highest total of similarities;
3. the fewest leaves in all, matched and unmatched, so that of equal totals the higher score wins.

The averages are those of the reference, in double precision; see below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Weights = Sequence[Sequence[int]]
Matching = tuple[tuple[int, int], ...]
"""Pairs (row, column), by row."""

UNIT = 2**53
"""The similarity of equal leaves as an integer: any double between 1/2 and 1 is a whole number of these."""
COST_UNIT = 2**64


class Cell(NamedTuple):
    """How well one element of the left list and one of the right fit."""

    total: int
    """The sum of the leaves' similarities, in units of 1 / UNIT."""
    leaves: int
    exact: bool
    """Whether the two are equal (as the reference decides it)."""
    saved: int
    """Leaves that the list counts fewer when the two are matched than when neither is."""


def match_elements(cells: Sequence[Sequence[Cell]]) -> Matching:
    """Match the elements of two lists, given how well each of the one fits each of the other."""
    if not cells or not cells[0]:
        return ()
    return best_matching(_packed_weights(cells))


def _packed_weights(cells: Sequence[Sequence[Cell]]) -> list[list[int]]:
    averages = [[_average(cell) for cell in row] for row in cells]
    highest = max(map(max, averages))
    pairs = min(len(cells), len(cells[0]))
    saved = [cell.saved for row in cells for cell in row]
    lowest = min(saved)
    # Each rank is shifted beyond the largest sum that the lower ranks can reach.
    per_total = pairs * (max(saved) - lowest) + 1
    per_cost = (pairs * max(cell.total for row in cells for cell in row) + 1) * per_total
    return [
        [
            cell.total * per_total + cell.saved - lowest - int((highest - average) * COST_UNIT) * per_cost
            for cell, average in zip(row, row_averages, strict=True)
        ]
        for row, row_averages in zip(cells, averages, strict=True)
    ]


def _average(cell: Cell) -> float:
    average = cell.total / UNIT / cell.leaves if cell.leaves else 1.0
    return math.nextafter(average, math.inf) if cell.exact else average


def best_matching(weights: Weights) -> Matching:
    """Return a matching of the highest total weight that matches all of the shorter side.

    Rows must be of equal length. Shortest augmenting paths (Jonker & Volgenant 1987) after a greedy
    start: O(n^2 m) at worst, close to O(n m) where most rows have a column of their own.
    """
    if len(weights) <= len(weights[0]):
        columns = _match_rows(weights)
        return tuple(enumerate(columns))
    columns = _match_rows(list(zip(*weights, strict=True)))
    return tuple(sorted((column, row) for row, column in enumerate(columns)))


def _match_rows(weights: Weights) -> list[int]:
    """Return the column of each row, for at most as many rows as columns."""
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
