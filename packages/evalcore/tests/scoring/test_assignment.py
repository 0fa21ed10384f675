"""Lists are matched by the highest sum of averages, ties by the highest total, in any order."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.assignment import UNIT, Pair, best_matching, match_elements

RIGHT = Pair(UNIT, 1, exact=True)


@st.composite
def matrices(draw: st.DrawFn, highest: int = 10**30) -> list[list[int]]:
    width = draw(st.integers(1, 5))
    weights = st.one_of(st.integers(0, 3), st.integers(-highest, highest))
    return draw(st.lists(st.lists(weights, min_size=width, max_size=width), min_size=1, max_size=5))


def weight_of(weights: list[list[int]], matching: tuple[tuple[int, int], ...]) -> int:
    return sum(weights[row][column] for row, column in matching)


def highest_weight(weights: list[list[int]]) -> int:
    if len(weights) > len(weights[0]):
        weights = [list(column) for column in zip(*weights, strict=True)]
    columns = range(len(weights[0]))
    return max(
        sum(row[column] for row, column in zip(weights, chosen, strict=True))
        for chosen in permutations(columns, len(weights))
    )


@given(matrices())
def test_the_matching_is_the_best_of_all(weights: list[list[int]]) -> None:
    assert weight_of(weights, best_matching(weights)) == highest_weight(weights)


@given(matrices())
def test_all_of_the_shorter_side_is_matched_once(weights: list[list[int]]) -> None:
    matching = best_matching(weights)
    rows, columns = zip(*matching, strict=True)
    assert len(matching) == min(len(weights), len(weights[0]))
    assert len(set(rows)) == len(set(columns)) == len(matching)
    assert list(rows) == sorted(rows)


@given(matrices(), st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_does_not_change_the_weight(weights: list[list[int]], random) -> None:
    shuffled = random.sample(weights, len(weights))
    columns = random.sample(range(len(weights[0])), len(weights[0]))
    shuffled = [[row[column] for column in columns] for row in shuffled]
    assert weight_of(shuffled, best_matching(shuffled)) == weight_of(weights, best_matching(weights))


def test_a_large_list_with_nothing_but_ties_is_matched() -> None:
    weights = [[(row * column) % 3 for column in range(60)] for row in range(50)]
    assert len(best_matching(weights)) == 50


def test_empty_lists_have_nothing_to_match() -> None:
    assert match_elements([], [], [1, 1]) == ()
    assert match_elements([[], []], [1, 1], []) == ()


def test_the_sum_of_averages_goes_before_the_total() -> None:
    half_of_many = Pair(5 * UNIT, 10, exact=False)
    pairs = [[half_of_many, RIGHT]]
    assert match_elements(pairs, [10], [10, 1]) == ((0, 1),)


def test_equal_sums_are_decided_by_the_higher_total() -> None:
    few, many = Pair(UNIT, 2, exact=False), Pair(2 * UNIT, 4, exact=False)
    assert match_elements([[few, many]], [2], [2, 4]) == ((0, 1),)
    assert match_elements([[many, few]], [2], [4, 2]) == ((0, 0),)


def test_equal_totals_are_decided_by_the_fewest_leaves() -> None:
    """An element left out counts in full: of two that fit as ill, the larger one is matched."""
    wrong = Pair(0, 3, exact=False)
    assert match_elements([[wrong, wrong]], [3], [1, 3]) == ((0, 1),)
    assert match_elements([[wrong, wrong]], [3], [3, 1]) == ((0, 0),)


def test_an_equal_pair_is_preferred_to_one_that_only_looks_alike() -> None:
    alike = Pair(UNIT, 1, exact=False)
    assert match_elements([[alike, RIGHT]], [1], [1, 1]) == ((0, 1),)
    assert match_elements([[RIGHT, alike]], [1], [1, 1]) == ((0, 0),)
