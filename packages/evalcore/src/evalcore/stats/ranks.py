"""Ranks that hold: of each model the best and the worst that its replies leave open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from evalcore.stats.numbers import mean
from evalcore.stats.permutation import Cases, Difference, holm
from evalcore.structs import Frozen

LEVEL = 0.05
"""The chance that any pair at all is wrongly said to differ."""
MANY_CASES = 10
"""From here on the cases' means say something of cases that are not there."""


class RankRange(Frozen, frozen=True):
    """Which ranks are left open for a model: 1 + those shown better, to all less those shown worse."""

    best: int
    worst: int

    @property
    def text(self) -> str:
        """As it is shown everywhere: `1`, or `1-2` with a dash between the two."""
        return str(self.best) if self.best == self.worst else f"{self.best}\N{EN DASH}{self.worst}"


def rank_ranges(models: Sequence[Cases]) -> list[RankRange]:
    """Return each model's range of ranks by its mean over the cases, the highest first.

    All models have the same cases in the same order. Each pair is tested for any difference, two-sided;
    the p-values are adjusted after Holm, so that with 95 % chance no statement at all is wrong.
    """
    pairs = list(combinations(range(len(models)), 2))
    differences = [Difference(models[one], models[other]) for one, other in pairs]
    better, worse = [0] * len(models), [0] * len(models)
    for at in _shown(differences):
        one, other = pairs[at] if differences[at].sign > 0 else pairs[at][::-1]
        worse[one] += 1
        better[other] += 1
    return [
        RankRange(best=1 + above, worst=len(models) - below)
        for above, below in zip(better, worse, strict=True)
    ]


def _shown(differences: Sequence[Difference]) -> set[int]:
    """Return which differences are shown, after Holm; p is worked out only where it may decide."""
    p_values = [1.0] * len(differences)
    known: set[int] = set()
    shown: set[int] = set()
    # Holm relaxes the level for each pair that is shown, which may bring further pairs into reach.
    while True:
        level = LEVEL / max(1, len(differences) - len(shown))
        for at, difference in enumerate(differences):
            if at not in known and difference.may_be_shown(level):
                # Worked out once: a p does not depend on the level it is held against. What is below the
                # strictest level is shown whatever the others are, so that a bound there is as good as p.
                known.add(at)
                p_values[at] = difference.p(settled=LEVEL / len(differences))
        now = {at for at, p in enumerate(holm(p_values)) if p <= LEVEL}
        # More p-values are known in each round, never fewer, so the shown ones only grow: this ends.
        if len(now) == len(shown):
            return now
        shown = now


def rank_ranges_of_like_cases(models: Sequence[Cases]) -> list[RankRange] | None:
    """Return the ranges for cases like these, by exchanging the two models' means of each case.

    None below MANY_CASES cases. (The exact sign-flip test, Fisher 1935.)
    """
    if not models or len(models[0]) < MANY_CASES:
        return None
    return rank_ranges([case_means(model) for model in models])


def case_means(model: Iterable[Sequence[float]]) -> list[list[float]]:
    """Return each case's mean as its only reply."""
    return [[mean(case) or 0.0] for case in model]
