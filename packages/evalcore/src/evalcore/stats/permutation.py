"""Do two means differ? Exact permutation tests stratified by case, and what many at once come to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalcore.stats.dealing import PermutedStratum, bernstein_bound, upper_tail
from evalcore.stats.levels import TIE
from evalcore.stats.student import t_tail

ALPHA = 0.025
"""One side's share of false alarms; both sides together have 5 %."""
# By exchanging labels alone, few replies that vary much beside many that do not raised false alarms of 15 to
# 27 %.
UNEQUAL = 1.5
"""Where one side has more than so many times the other's replies of a case, Welch's test must agree."""

# Measured of 3 to 10 cases x 25 to 50 replies: exact p are 0.1 to 1.7 times the normal limit's.
LENIENCY = 8.0
"""An exact p lies within this factor of the normal limit's wherever that decides."""
MANY_REPLIES = 20
"""From so many replies of each case on both sides, far tails are near the normal limit's, too."""

_FARTHEST = 1e-12

Cases = Sequence[Sequence[float]]
"""Per case the scores of its replies, one at least."""


def fall_p(before: Cases, after: Cases, margin: float = 0.0, *, needed_below: float = 1.0) -> float:
    """Return the one-sided p of "the mean over cases has not fallen by more than the margin".

    The later scores are lifted by the margin, so that under a fall of just the margin both sides have
    one mean; p is the share of all ways to exchange labels within each case whose fall is as great, ties
    included. Every reply counts. Where the two sides have equally many replies, the test of two means
    holds even where they spread differently; where not, the p of Welch's test is taken if it is greater.
    Where the fall is within the margin, p is 1; so it is of many replies where, by the normal limit and
    generously, it is not `needed_below`: that spares the count.
    """
    lifted = [[score + margin for score in case] for case in after]
    # Also spares the exact count of every pair of models that did not fall at all.
    if _fall(before, lifted) <= TIE:
        return 1.0
    strata = _strata(before, lifted)
    if not strata or (_are_many(strata) and _normal_p(strata) > LENIENCY * needed_below):
        return 1.0
    p = upper_tail(strata)
    return max(p, _welch_p(before, lifted)) if _is_unequal(before, lifted) else p


class Difference:
    """Two means over the same cases, and whether they differ: two-sided, any difference."""

    def __init__(self, first: Cases, second: Cases) -> None:
        self._first, self._second = first, second
        fall = _fall(first, second)
        self.sign = 0 if abs(fall) <= TIE else 1 if fall > 0.0 else -1
        """1 where the first mean is the higher one, -1 where the second is, 0 where they are equal."""
        self._strata = _strata(*((first, second) if fall > 0.0 else (second, first))) if self.sign else []
        self.deviations = 0.0
        """How many standard deviations of a random deal the means are apart."""
        if self._strata:
            apart = math.fsum(stratum.excess for stratum in self._strata)
            self.deviations = apart / math.hypot(*(stratum.deviation for stratum in self._strata))

    def may_be_shown(self, level: float) -> bool:
        """Whether p may be as low as a level, by the normal limit, generously."""
        return bool(self._strata) and math.erfc(self.deviations / math.sqrt(2)) <= LENIENCY * level

    def p(self, settled: float = 0.0) -> float:
        """Return twice the smaller one-sided p of "both have one mean".

        Where a bound on it is below `settled`, that bound.
        """
        if not self._strata:
            return 1.0
        p = min(2 * bernstein_bound(self._strata), self._bound_of_many()) if settled else 1.0
        if p > settled:
            p = 2 * upper_tail(self._strata)
        if _is_unequal(self._first, self._second):
            sides = (self._first, self._second) if self.sign > 0 else (self._second, self._first)
            p = max(p, 2 * _welch_p(*sides))
        return min(1.0, p)

    def _bound_of_many(self) -> float:
        """Return what p is at most by the normal limit, generously; 1 of few replies, and of unequal pools.

        Counting what is so far out takes most of the time of a ranking of pooled runs, and decides nothing.
        """
        # Of 20 replies with a rare zero against three times as many the deals lie askew: p was up to 2.4
        # times this bound.
        if not _are_many(self._strata) or _is_unequal(self._first, self._second):
            return 1.0
        # So far out nobody knows how near it is; and it need not be.
        return max(_FARTHEST, LENIENCY * math.erfc(self.deviations / math.sqrt(2)))


def smallest_p(sizes: Sequence[tuple[int, int]]) -> float:
    """Return the least p that a design can give: one in all ways to deal the labels.

    `sizes` are the replies of each case on either side.
    """
    ways = math.prod(math.comb(one + other, one) for one, other in sizes)
    # Beyond this the quotient is no float any more, and below every level.
    return 1 / ways if ways < 1 << 1000 else 0.0


def can_alarm(sizes: Sequence[tuple[int, int]], tests: int = 1) -> bool:
    """Whether the design could show a change of one model where so many are tested."""
    return smallest_p(sizes) <= ALPHA / tests


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of several tests adjusted for their number (Benjamini & Hochberg 1995)."""
    count = len(p_values)
    order = sorted(range(count), key=lambda at: p_values[at])
    result = [1.0] * count
    least = 1.0
    for rank in range(count, 0, -1):
        at = order[rank - 1]
        # Rounding may bring p * n / n below p.
        least = min(least, max(p_values[at], p_values[at] * count / rank))
        result[at] = least
    return result


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that no true hypothesis at all is likely rejected (Holm 1979)."""
    count = len(p_values)
    result = [1.0] * count
    most = 0.0
    for rank, at in enumerate(sorted(range(count), key=lambda at: p_values[at])):
        # A later p is never below an earlier one, or a worse result would count for more.
        most = max(most, min(1.0, p_values[at] * (count - rank)))
        result[at] = most
    return result


def _are_many(strata: Sequence[PermutedStratum]) -> bool:
    fewest = min(min(stratum.chosen, len(stratum.values) - stratum.chosen) for stratum in strata)
    return fewest >= MANY_REPLIES


def _normal_p(strata: Sequence[PermutedStratum]) -> float:
    """Return the one-sided p in the normal limit."""
    deviation = math.hypot(*(stratum.deviation for stratum in strata))
    return math.erfc(math.fsum(stratum.excess for stratum in strata) / deviation / math.sqrt(2)) / 2


def _is_unequal(before: Cases, after: Cases) -> bool:
    sizes = ((len(old), len(new)) for old, new in zip(before, after, strict=True))
    return any(max(pair) > UNEQUAL * min(pair) for pair in sizes)


def _fall(before: Cases, after: Cases) -> float:
    means = (
        math.fsum(old) / len(old) - math.fsum(new) / len(new) for old, new in zip(before, after, strict=True)
    )
    return math.fsum(means)


def _strata(before: Cases, after: Cases) -> list[PermutedStratum]:
    """Write the fall as a sum over the smaller side's replies of each case."""
    strata = []
    for old, new in zip(before, after, strict=True):
        weight = 1 / len(old) + 1 / len(new)
        # A case of equal scores on both sides adds the same to every deal.
        if max(*old, *new) - min(*old, *new) <= TIE:
            continue
        if len(old) <= len(new):
            values = [*sorted(old), *sorted(new)]
        else:
            # Of whichever side is smaller: fewer are chosen then, so that there is less to count.
            values, weight = [*sorted(new), *sorted(old)], -weight
        strata.append(PermutedStratum([weight * value for value in values], min(len(old), len(new))))
    return strata


def _welch_p(before: Cases, after: Cases) -> float:
    """Return the one-sided p of Welch's t test of the two means over cases (Biometrika 1947).

    A side with one reply of each case is taken to spread as the other does.
    """
    terms = [_spread(old, new) for old, new in zip(before, after, strict=True)]
    # Also the other way round: Welch adds the variances of both means.
    terms += [_spread(new, old) for old, new in zip(before, after, strict=True)]
    variance = math.fsum(term for term, _ in terms)
    if variance <= 0.0:
        return 0.0
    freedom = variance**2 / math.fsum(term**2 / free for term, free in terms if free)
    return t_tail(_fall(before, after) / math.sqrt(variance), freedom)


def _spread(scores: Sequence[float], others: Sequence[float]) -> tuple[float, int]:
    """Return the variance of a case's mean, and its degrees of freedom."""
    seen = scores if len(scores) > 1 else others
    middle = math.fsum(seen) / len(seen)
    freedom = len(seen) - 1
    if not freedom:
        return 0.0, 0
    return math.fsum((score - middle) ** 2 for score in seen) / freedom / len(scores), freedom
