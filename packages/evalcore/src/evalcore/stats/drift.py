"""Did the scores of a run trend with time while it was under way?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalcore.stats.levels import TIE
from evalcore.stats.sampling import Uniform, deal

# Every run is tested: at 5 % one sound run in twenty would be flagged.
LEVEL = 0.01
# With the observed order they are 1,000, of which ten are the level.
PERMUTATIONS = 999
_PLAIN = 2.0
"""A trend below so many standard deviations is none, by any number of permutations."""


def drifts(cases: Sequence[Sequence[float]], uniform: Uniform) -> bool:
    """Whether scores trend with time: per case those of its replies, the earliest first.

    A two-sided permutation test of the order within each case, at 1 %: the statistic is the sum over
    cases of each reply's score times its place about the middle. Replies that only resemble the one
    before show no trend.
    """
    # A case whose scores are all alike has no order.
    varied = [case for case in cases if max(case) - min(case) > TIE]
    observed = abs(math.fsum(map(_trend, varied)))
    deviation = math.sqrt(math.fsum(map(_variance, varied)))
    # Most runs end here: 999 permutations of every run would cost more than all its other figures.
    if observed <= _PLAIN * deviation:
        return False
    orders = [list(case) for case in varied]
    # The observed order is one of all orders: p is never 0 (Phipson & Smyth 2010).
    as_far = 1
    for _ in range(PERMUTATIONS):
        trend = math.fsum(_trend(deal(order, len(order), uniform)) for order in orders)
        as_far += abs(trend) >= observed - TIE
        # It can become no smaller any more.
        if as_far > LEVEL * (PERMUTATIONS + 1):
            return False
    return True


def _trend(scores: Sequence[float]) -> float:
    middle = (len(scores) - 1) / 2
    return math.fsum((at - middle) * score for at, score in enumerate(scores))


def _variance(scores: Sequence[float]) -> float:
    """Return the variance of the trend over all orders."""
    size = len(scores)
    middle = math.fsum(scores) / size
    places = size * (size * size - 1) / 12
    return places * math.fsum((score - middle) ** 2 for score in scores) / (size - 1)
