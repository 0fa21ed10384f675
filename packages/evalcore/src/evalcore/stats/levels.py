"""A stratum of a permutation test on a grid of its own: how many choices of its values have each sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from evalcore.stats.packing import WORD, unpacked

FINEST, LEVELS = 128, 640
"""A stratum's values get LEVELS / (how many are chosen) levels between its least and greatest, at most
FINEST and COARSEST at least."""
COARSEST = 48
FEW_VALUES = 8
"""So many different scores of a stratum are looked at for a step that all of them are multiples of."""
TIE = 1e-8
"""Sums nearer than this are equal: scores are stored with 9 significant digits."""
_HANDLING = 20
"""To handle a number at all takes as long as to move so many fields of it."""


class Levels:
    """Values of which so many are chosen, on their own grid; they differ by more than TIE."""

    def __init__(self, values: Sequence[float], chosen: int) -> None:
        self.count = chosen
        least, span = min(values), max(values) - min(values)
        number = max(COARSEST, min(FINEST, LEVELS // chosen))
        number = _common_steps({(value - least) / span for value in values}, number) or number
        self.step = span / number
        self.most = chosen * number
        levels = [round((value - least) / self.step) for value in values]
        self.observed = sum(levels[:chosen])
        self._levels = sorted(levels)
        self._mode = max(sorted(set(levels)), key=levels.count)
        # A coefficient counts choices, so none can outgrow the number of all choices and spill into its
        # neighbour.
        self._bits = math.comb(len(levels), chosen).bit_length()
        others = len(levels) - levels.count(self._mode)
        self.work = others * min(chosen, others) * self.most * _words_width(self._bits) // 32
        """By how much counting takes, before anything is left out of it."""

    def sums(self) -> Sequence[int]:
        """Count the choices by their sum of levels, from 0 on."""
        # One level needs no polynomial: how many of it are chosen follows from the rest.
        alike = self._cheapest_left_out()
        others = [level for level in self._levels if level != alike]
        size, count = len(self._levels) - len(others), self.count
        fewest, most = max(0, count - size), min(count, len(others))
        width = _width(self._bits)
        # Of the sums of so many values the least is left out, that of the first ones: numbers are short then.
        least = [0, *accumulate(others)]
        shifts = [level * width for level in others]
        ways = [1] + [0] * most
        for at, shift in enumerate(shifts):
            # Too few by now come to no choice any more.
            needed = max(0, fewest - (len(others) - at))
            # Downwards, so that each value is chosen once at most.
            for chosen in range(min(at, most - 1), needed - 1, -1):
                ways[chosen + 1] += ways[chosen] << (shift - shifts[chosen])
        total = 0
        for chosen in range(fewest, most + 1):
            # The rest of a choice is of those alike, in any of so many ways.
            rest = count - chosen
            total += (ways[chosen] * math.comb(size, rest)) << ((least[chosen] + rest * alike) * width)
        return unpacked(total, width)

    def binned(self, step: float, offset: float) -> tuple[dict[int, int], int]:
        """Count the choices by their bin of the common grid; and the observed choice's bin."""
        ratio = self.step / step
        counts: dict[int, int] = {}
        for level, ways in enumerate(self.sums()):
            if ways:
                at = int(level * ratio + offset)
                counts[at] = counts.get(at, 0) + ways
        return counts, int(self.observed * ratio + offset)

    def _cheapest_left_out(self) -> int:
        """Return the level without which counting takes least: the commonest, or one far from all others."""
        return min((self._mode, self._levels[0], self._levels[-1]), key=self._cost_without)

    def _cost_without(self, level: int) -> int:
        others = [other for other in self._levels if other != level]
        # The more values the more sums, and the further apart these are the longer the numbers.
        return len(others) * (_HANDLING + others[-1] - others[0])


def _width(bits: int) -> int:
    """Return how wide fields for numbers of so many bits are: words where `struct` knows them, else bytes."""
    return _words_width(bits) if bits <= WORD else -(-bits // 8) * 8


def _words_width(bits: int) -> int:
    return WORD // 2 if bits <= WORD // 2 else -(-bits // WORD) * WORD


def _common_steps(shares: set[float], most: int) -> int | None:
    """Return the least number of equal steps that a few shares of 1 all fall on; None where there is none.

    Right or wrong is one step. So ties stay ties, and right or wrong costs next to nothing to count.
    """
    if len(shares) > FEW_VALUES:
        return None
    # Scores such as 2/3 are no finite binary fractions: the nearest simple fraction is what was meant.
    nearest = [Fraction(share).limit_denominator(most) for share in shares]
    number = math.lcm(*(fraction.denominator for fraction in nearest))
    is_met = all(abs(share - near) < TIE for share, near in zip(shares, nearest, strict=True))
    return number if number <= most and is_met else None
