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
import struct
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

FINEST, LEVELS = 128, 640
"""A stratum's values get LEVELS / (how many are chosen) levels between its least and greatest, at most
FINEST and COARSEST at least."""
COARSEST = 48
SHARPNESS, SHARPER = 40.0, 150.0
"""The statistic's standard deviation is SHARPNESS + SHARPER / strata times that of the grid's rounding."""
FEW_VALUES = 8
"""So many different scores of a stratum are looked at for a step that all of them are multiples of."""
FEW = 20_000
"""So many deals are enumerated one by one, without a grid."""
TIE = 1e-8
"""Sums nearer than this are equal: scores are stored with 9 significant digits."""
WORK = 800_000_000
"""Bytes moved, about a fifth of a second; where counting would take more, the limit is normal."""
BINS = 2000
"""Up to so many levels over all strata their own common grid is taken, and nothing is rounded."""
# Its multiples, modulo 1, lie evenly spread however many are taken.
_GOLDEN = 0.6180339887498949
# Fields of whole words, or of half a word, are unpacked by `struct` at machine speed.
_WORD = 64
_STRUCT_CODES = {32: "I", 64: "Q"}
"""Of whole numbers of so many bits."""
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
    fine = [_Levels(stratum) for stratum in strata]
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


class _Levels:
    """A stratum on its own grid."""

    def __init__(self, stratum: PermutedStratum) -> None:
        values, self.count = stratum.values, stratum.chosen
        least, span = min(values), max(values) - min(values)
        number = max(COARSEST, min(FINEST, LEVELS // self.count))
        number = _common_steps({(value - least) / span for value in values}, number) or number
        self.step = span / number
        self.most = self.count * number
        levels = [round((value - least) / self.step) for value in values]
        self.observed = sum(levels[: self.count])
        # The commonest level needs no polynomial: how many of it are chosen follows from the rest. Of
        # answers that are mostly right this is most of the work.
        self.mode = max(sorted(set(levels)), key=levels.count)
        self.others = [level for level in levels if level != self.mode]
        self.alike = len(levels) - len(self.others)
        # A coefficient counts choices, so none can outgrow the number of all choices and spill into its
        # neighbour.
        bits = math.comb(len(levels), self.count).bit_length()
        self.width = _WORD // 2 if bits <= _WORD // 2 else -(-bits // _WORD) * _WORD
        chosen = min(self.count, len(self.others))
        self.work = len(self.others) * chosen * self.count * number * self.width // 32

    def sums(self) -> Sequence[int]:
        """Count the choices by their sum of levels, from 0 on."""
        width, others, count = self.width, self.others, self.count
        most = min(count, len(others))
        ways = [1] + [0] * most
        for at, level in enumerate(others, 1):
            shift = level * width
            # Downwards, so that each value is chosen once at most.
            for chosen in range(min(at, most), 0, -1):
                ways[chosen] += ways[chosen - 1] << shift
        # The rest of a choice is of those alike, in any of so many ways.
        packed = 0
        for chosen in range(max(0, count - self.alike), most + 1):
            rest = count - chosen
            packed += (ways[chosen] * math.comb(self.alike, rest)) << (rest * self.mode * width)
        return _unpacked(packed, width)

    def binned(self, step: float, offset: float) -> tuple[dict[int, int], int]:
        """Count the choices by their bin of the common grid; and the observed choice's bin."""
        ratio = self.step / step
        counts: dict[int, int] = {}
        for level, ways in enumerate(self.sums()):
            if ways:
                at = int(level * ratio + offset)
                counts[at] = counts.get(at, 0) + ways
        return counts, int(self.observed * ratio + offset)


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
    width = -(-bits // _WORD) * _WORD
    packed = _packed(left.counts, width) * _packed(right.counts, width)
    both = _Counts(
        _unpacked(packed, width),
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


def _packed(counts: Sequence[int], width: int) -> int:
    code, size = _STRUCT_CODES.get(width), width // 8
    if code is not None:
        return int.from_bytes(struct.pack(f"<{len(counts)}{code}", *counts), "little")
    return int.from_bytes(b"".join([count.to_bytes(size, "little") for count in counts]), "little")


def _unpacked(packed: int, width: int) -> Sequence[int]:
    code, size = _STRUCT_CODES.get(width), width // 8
    count = -(-packed.bit_length() // width)
    data = packed.to_bytes(count * size, "little")
    if code is not None:
        # At machine speed, where the machine has words of this width: half of a ranking's time was here.
        return struct.unpack(f"<{count}{code}", data)
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]


def _normal_tail(deviations: float) -> float:
    return math.erfc(deviations / math.sqrt(2)) / 2
