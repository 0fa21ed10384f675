"""The exact distribution of a permutation test's statistic: all ways to deal labels within strata.

Per stratum the values are put on a grid of whole levels, and the sums of every choice of so many of
them are counted by generating functions (the shift algorithm of Streitberg & Roehmel 1986, Statistical
Software Newsletter 12; Pagano & Tritchler 1983, JASA 78). A polynomial with whole coefficients is one
whole number (Kronecker's substitution), whose shifts and products Python computes at machine speed. The
sums of the strata, on a common coarser grid, are added by multiplying their polynomials.

A permutation test holds for any statistic, so the grid costs no validity, only a little sharpness. No
random number is drawn: the same scores give the same p, however small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from evalcore.stats.levels import TIE, Levels
from evalcore.stats.packing import WORD, packed, unpacked

SHARPNESS, SHARPER = 40.0, 150.0
"""The statistic's standard deviation is SHARPNESS + SHARPER / strata times that of the grid's rounding."""
FEW = 20_000
"""So many deals are enumerated one by one, without a grid."""
WORK = 800_000_000
"""Bytes that plain counting moves in about a fifth of a second; beyond that the limit is normal. Which p are
counted is a part of the method: that `Levels` counts sooner by now changes nothing in it."""
BINS = 2000
"""Up to so many levels over all strata their own common grid is taken, and nothing is rounded."""
# Its multiples, modulo 1, lie evenly spread however many are taken.
_GOLDEN = 0.6180339887498949
_SCALE = 96
"""Bits that counts are cut to where exact ones would grow long; always rounded up."""


class PermutedStratum(NamedTuple):
    """Values of which some are the one side's, all choices of so many being equally likely."""

    values: Sequence[float]
    """Of both sides, those of the one first."""
    chosen: int
    """How many are the one side's."""

    @property
    def deviation(self) -> float:
        """The standard deviation of the sum of a random choice (Hoeffding 1951)."""
        size = len(self.values)
        middle = math.fsum(self.values) / size
        squares = math.fsum((value - middle) ** 2 for value in self.values)
        return math.sqrt(squares / size * self.chosen * (size - self.chosen) / (size - 1))

    @property
    def excess(self) -> float:
        """The sum of the one side's values, less that of a random choice on average."""
        return math.fsum(self.values[: self.chosen]) - self.chosen / len(self.values) * math.fsum(self.values)


def upper_tail(strata: Sequence[PermutedStratum]) -> float:
    """Return the share of all deals whose sum over the strata is as great as the observed one.

    Each stratum has values that differ, by more than TIE. There is one stratum at least.
    """
    # Where the design is small every deal is looked at, so that no grid rounds the few values that p can
    # have.
    if math.prod(math.comb(len(stratum.values), stratum.chosen) for stratum in strata) <= FEW:
        return _enumerated_tail(strata)
    deviation = math.hypot(*(stratum.deviation for stratum in strata))
    fine = [Levels(stratum.values, stratum.chosen) for stratum in strata]
    if sum(levels.work for levels in fine) > WORK:
        # So many replies are near the limit theorem; the grid would cost minutes for digits that decide
        # nothing.
        return _normal_tail(math.fsum(stratum.excess for stratum in strata) / deviation)
    # A rounding that is uniform over a step has a standard deviation of step / sqrt(12); over strata they add
    # up as independent ones do.
    step = deviation * math.sqrt(12 / len(strata)) / (SHARPNESS + SHARPER / len(strata))
    least = min(levels.step for levels in fine)
    sizes = [levels.step / least for levels in fine]
    is_common = all(abs(size - round(size)) < TIE for size in sizes)
    bins = sum(levels.most * round(size) for levels, size in zip(fine, sizes, strict=True))
    if is_common and (least > step or bins < BINS):
        # Their own grids are one already, as of answers that are right or wrong: nothing is rounded.
        step = least
    counts = []
    observed = 0
    for at, levels in enumerate(fine):
        # Offsets spread over [0, 1), so that strata that are alike are not all rounded the same way.
        offset = 0.5 if step == least else at * _GOLDEN % 1.0
        binned, own = levels.binned(step, offset)
        counts.append(binned)
        observed += own
    return _tail_of_sum(counts, observed)


def bernstein_bound(strata: Sequence[PermutedStratum]) -> float:
    """Return what `upper_tail` is at most, without counting; 1 where the observed sum is no excess.

    Bernstein's inequality, which holds for choices without replacement too (Hoeffding 1963, JASA 58).
    """
    apart = math.fsum(stratum.excess for stratum in strata)
    if apart <= 0.0:
        return 1.0
    middles = [math.fsum(stratum.values) / len(stratum.values) for stratum in strata]
    variance = math.fsum(
        stratum.chosen / len(stratum.values) * (value - middle) ** 2
        for stratum, middle in zip(strata, middles, strict=True)
        for value in stratum.values
    )
    farthest = max(max(stratum.values) - middle for stratum, middle in zip(strata, middles, strict=True))
    return math.exp(-(apart**2) / (2 * (variance + farthest * apart / 3)))


def _enumerated_tail(strata: Sequence[PermutedStratum]) -> float:
    sums, observed = [0.0], 0.0
    for stratum in strata:
        # `combinations` gives the first `chosen` values first: that is the observed deal.
        own = list(map(math.fsum, combinations(stratum.values, stratum.chosen)))
        sums = [before + sum_ for before in sums for sum_ in own]
        observed += own[0]
    return sum(sum_ >= observed - TIE for sum_ in sums) / len(sums)


class _Counts(NamedTuple):
    """How many deals have each sum, from `least` on; `total` of all, and `lost` of those not kept."""

    counts: Sequence[int]
    least: int
    total: int
    lost: float


def _tail_of_sum(strata: Sequence[dict[int, int]], observed: int) -> float:
    parts = [_cut(_dense(counts)) for counts in strata]
    while len(parts) > 2:  # noqa: PLR2004 - the last two need no product: a tail is all that is asked
        # Paired like a tree, so that factors stay of like length: long multiplication is fastest then.
        paired = [_product(*parts[at : at + 2]) for at in range(0, len(parts) - 1, 2)]
        parts = paired + parts[2 * len(paired) :]
    if len(parts) == 1:
        parts.append(_Counts([1], 0, 1, 0.0))
    left, right = parts
    # tails[i]: deals of the right part with index i or greater.
    tails = [0]
    for count in reversed(right.counts):
        tails.append(tails[-1] + count)
    tails.reverse()
    size, needed = len(right.counts), observed - left.least - right.least
    as_far = sum(
        count * tails[min(max(needed - at, 0), size)] for at, count in enumerate(left.counts) if count
    )
    return min(1.0, as_far / (left.total * right.total) + left.lost + right.lost)


def _dense(counts: dict[int, int]) -> _Counts:
    least, most = min(counts), max(counts)
    return _Counts([counts.get(at, 0) for at in range(least, most + 1)], least, sum(counts.values()), 0.0)


def _product(left: _Counts, right: _Counts) -> _Counts:
    bits = left.total.bit_length() + right.total.bit_length()
    width = -(-bits // WORD) * WORD
    both = _Counts(
        unpacked(packed(left.counts, width) * packed(right.counts, width), width),
        left.least + right.least,
        left.total * right.total,
        left.lost + right.lost,
    )
    return _cut(both)


def _cut(part: _Counts) -> _Counts:
    """Cut counts to a bearable length, rounding up, and leave out ends that no figure shows."""
    excess = part.total.bit_length() - _SCALE
    if excess <= 0:
        return part
    # 2^-60 of all deals is far below the nine digits that are stored; what is left out is added to p again.
    negligible = part.total >> 60
    low, high, lost = 0, len(part.counts), 0
    while lost + part.counts[low] < negligible:
        lost += part.counts[low]
        low += 1
    while lost + part.counts[high - 1] < negligible:
        lost += part.counts[high - 1]
        high -= 1
    # Rounded up: a p that is a little too great raises no false alarm.
    counts = [-(-count >> excess) for count in part.counts[low:high]]
    return _Counts(counts, part.least + low, part.total >> excess, part.lost + lost / part.total)


def _normal_tail(deviations: float) -> float:
    return math.erfc(deviations / math.sqrt(2)) / 2
