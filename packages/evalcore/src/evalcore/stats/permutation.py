"""Has a mean fallen by more than a margin? A permutation test stratified by case, and many at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalcore.stats.sampling import Uniform, deal

ALPHA = 0.025
"""One side's share of false alarms; both sides together have 5 %."""
PERMUTATIONS = 1999
TIE = 1e-8
"""Sums nearer than this are equal: scores are kept to 9 significant digits."""


def equal_sizes(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], uniform: Uniform
) -> tuple[list[list[float]], list[list[float]]]:
    """Leave each case as many replies on the one side as on the other, those of the larger one by lot.

    With equal numbers the test of two means holds even where the two spread differently.
    """
    olds, news = [], []
    for old, new in zip(before, after, strict=True):
        count = min(len(old), len(new))
        # Both ways round the same replies are left: one lot for the larger side, none for equal ones.
        olds.append(sorted(old) if len(old) == count else deal(sorted(old), count, uniform))
        news.append(sorted(new) if len(new) == count else deal(sorted(new), count, uniform))
    return olds, news


def fall_p(
    before: Sequence[Sequence[float]],
    after: Sequence[Sequence[float]],
    margin: float,
    uniform: Uniform,
    permutations: int = PERMUTATIONS,
) -> float:
    """Return the one-sided p of "the mean over cases has not fallen by more than the margin".

    Per case equally many scores on both sides. The later ones are lifted by the margin, so that under
    a fall of just the margin both sides have one mean; then labels are exchanged within each case.
    p = (b + 1) / (B + 1) (Phipson & Smyth 2010), b the permutations that fall as far, ties included.
    Where the fall is within the margin nothing is drawn: p is 1.
    """
    cases = [
        (sorted([*old, *lifted]), math.fsum(old) / len(old), math.fsum(lifted) / len(old))
        for old, new in zip(before, after, strict=True)
        for lifted in [[score + margin for score in new]]
    ]
    if math.fsum(old - new for _, old, new in cases) <= TIE:
        return 1.0
    # A case of equal scores on both sides adds the same to every permutation.
    cases = [case for case in cases if case[0][0] < case[0][-1]]
    observed = math.fsum(old for _, old, _ in cases) - TIE
    strata = [[score * 2 / len(scores) for score in scores] for scores, _, _ in cases]
    as_far = sum(_permuted(strata, uniform) >= observed for _ in range(permutations))
    return (as_far + 1) / (permutations + 1)


def smallest_p(sizes: Sequence[int]) -> float:
    """Return the least p that a design can give: replies of each case on one side.

    One in all ways to deal the labels, and no less than the permutations that are drawn can tell.
    """
    return max(1 / math.prod(math.comb(2 * size, size) for size in sizes), 1 / (PERMUTATIONS + 1))


def can_alarm(sizes: Sequence[int]) -> bool:
    """Tell whether the design could show any change at all."""
    return smallest_p(sizes) <= ALPHA


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


def _permuted(strata: Sequence[list[float]], uniform: Uniform) -> float:
    return math.fsum([math.fsum(deal(scores, len(scores) // 2, uniform)) for scores in strata])
