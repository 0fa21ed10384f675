"""The choices of a stratum's values are counted as by trying them all."""

import math
from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from evalcore.stats.levels import Levels
from evalcore.stats.packing import packed, unpacked


@given(
    st.lists(st.integers(0, 9) | st.integers(40, 48), min_size=1, max_size=8),
    st.integers(1, 6),
)
def test_choices_are_counted_by_their_sum(others, chosen):
    """Whichever level is left out: the commonest, or one far from all others."""
    values = [0.0, 48.0, *map(float, others)]
    levels = Levels(values, min(chosen, len(values) - 1))
    found = {at: ways for at, ways in enumerate(levels.sums()) if ways}
    # 0 and 48 set the grid, whose lowest level is 0.
    on_grid = [round(value / levels.step) for value in values]
    assert found == Counter(map(sum, combinations(on_grid, levels.count)))


def test_counts_of_any_length_are_whole():
    levels = Levels([at / 99 for at in range(100)], 50)
    assert sum(levels.sums()) == math.comb(100, 50)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=9), st.sampled_from([32, 40, 64, 104, 128]))
def test_what_is_packed_is_unpacked_again(counts, width):
    # The highest ones need no field where they are 0.
    assert [*unpacked(packed(counts, width), width), *[0] * len(counts)][: len(counts)] == counts
