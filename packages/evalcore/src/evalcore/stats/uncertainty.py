"""How far the figures of a run may be from those of endless replicates, or of other cases.

The Bayesian bootstrap stratified by case (Rubin 1981), with two amendments: beside n replies of
weight 1 stands a bounded pseudo-observation of small weight, at the worst value for the lower limit and
at the best for the upper one, since replies that all agree would give an interval of no width else;
and the spread within a case is the unbiased one, since few replies would seem too much alike else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import mul
from typing import TypeAlias

from evalcore.stats.draws import Draw, DrawSource, MeanStratum, ShareStratum
from evalcore.stats.numbers import mean, percentile
from evalcore.stats.weights import Stratum, StratumWeights, WeightSource, gaps_of
from evalcore.structs import Frozen

Interval: TypeAlias = tuple[float, float]

DRAWS = 1000
"""Their 2.5 % point lies within 0.09 standard deviations of the interval of endless draws."""
# With 0.5, as first prescribed, the lower limit of a run that is always right lay a little too high: a true
# rate just below it was missed too often.
ACCURACY_MASS = 0.6
REPRODUCIBILITY_MASS = 1.0
"""The pseudo-observation's weight over all cases; one case has its share (why so: docs/calibration.md)."""
LOW, HIGH = 2.5, 97.5
PAIR = 2
FOUR = 4
"""Replies to a case that two pairs without a common one take."""
FEW_REPLICATES = 5
"""With fewer the interval of reproducibility is rough, and said to be."""
MANY_CASES = 20
"""From here on the spread between cases says something of cases that are not there."""


def accuracy_interval(
    scores: Sequence[Sequence[float]], source: DrawSource, draws: int = DRAWS
) -> Interval | None:
    """Return the 95 % interval of the mean over these cases, given the scores of each one's replies.

    Each case has one reply at least; None where there is no case. The order of replies plays no part.
    A case's only reply says nothing of how its replies vary: such cases are taken together, as one
    stratum, so that their interval also holds what the cases differ by.
    """
    if not scores:
        return None
    draws = _affordable(draws, sum(map(len, scores)))
    lows, highs = [0.0] * draws, [0.0] * draws
    # Sorted, since draws go by place: else the order of replies would reach the limits.
    strata = [(_stretched(sorted(case)), 1) for case in scores if len(case) > 1]
    if singles := sorted(case[0] for case in scores if len(case) == 1):
        strata.append((_stretched(singles), len(singles)))
    drawn = source(
        [
            # Each stratum has its share of the one pseudo-observation: with a whole one for each case the
            # limits would stay as far apart however many cases there are.
            MeanStratum(len(values), ACCURACY_MASS * weight / len(scores), values[0] < values[-1])
            for values, weight in strata
        ],
        draws,
    )
    for (values, weight), of_stratum in zip(strata, drawn, strict=True):
        _add_means(values, weight, of_stratum, lows, highs)
    middle = mean(mean(sorted(case)) or 0.0 for case in scores)
    return _limits(lows, highs, len(scores), middle or 0.0)


def share_interval(
    right: Sequence[Sequence[bool]], source: DrawSource, draws: int = DRAWS
) -> Interval | None:
    """Return what `accuracy_interval` does of replies that are right or wrong, by other draws and sooner.

    Of n replies with c right ones the weight of these is Beta(c, n - c), which takes as many numbers as there
    are of the rarer kind; n are sorted otherwise.
    """
    if not right:
        return None
    draws = _affordable(draws, sum(map(len, right)))
    lows, highs = [0.0] * draws, [0.0] * draws
    strata = [(sum(case), len(case), 1) for case in right if len(case) > 1]
    if singles := [case[0] for case in right if len(case) == 1]:
        strata.append((sum(singles), len(singles), len(singles)))
    drawn = source(
        [
            # Of the rarer kind, which takes fewer factors.
            ShareStratum(parts, min(count, parts - count), ACCURACY_MASS * weight / len(right))
            for count, parts, weight in strata
        ],
        draws,
    )
    for (count, parts, weight), of_stratum in zip(strata, drawn, strict=True):
        _add_shares(count, parts, weight, of_stratum, lows, highs)
    return _limits(lows, highs, len(right), math.fsum(sum(case) / len(case) for case in right) / len(right))


def all_right_rates(right: Sequence[Sequence[bool]], replies: int) -> list[float] | None:
    """Return each case's chance that so many of its replies are all right, given which are.

    C(c, k) / C(n, k) for c right ones of n, the unbiased estimate (pass^k; Yao et al. 2024,
    arXiv 2406.12045). None where there is no case, or one has fewer replies.
    """
    if not right or any(len(case) < replies for case in right):
        return None
    return [math.comb(sum(case), replies) / math.comb(len(case), replies) for case in right]


def all_right_interval(
    right: Sequence[Sequence[bool]], replies: int, source: DrawSource, draws: int = DRAWS
) -> Interval | None:
    """Return the 95 % interval of the mean over cases of that chance; None where there is none.

    Of as many replies as there are, each case shows only once whether all are right, as a case's only
    reply does: all cases are one stratum.
    """
    rates = all_right_rates(right, replies)
    # A bootstrap of each case's share to the power of `replies` was tried first: it covered 40 to 70 %.
    return None if rates is None else accuracy_interval([[rate] for rate in rates], source, draws)


def reproducibility_interval(
    pairs: Sequence[Pairs], weights: WeightSource, draws: int = DRAWS
) -> Interval | None:
    """Return the 95 % interval of the mean agreement over these cases. None of nothing.

    A case's only pair says nothing of how its pairs vary, as a case's only reply does of accuracy: such
    cases are taken together, as one stratum.
    """
    if not pairs:
        return None
    draws = _affordable(draws, sum(sum(case.counts) + len(case.counts) ** 2 // 4 for case in pairs))
    lows, highs = [0.0] * draws, [0.0] * draws
    several = [case for case in pairs if sum(case.counts) > PAIR]
    # Each on its own they drew nothing but the pseudo-observation: 28 cases of two replies were covered 87.5
    # % of the time.
    single = sorted(case.value for case in pairs if sum(case.counts) == PAIR)
    strata = _strata_of_pairs([sum(case.counts) for case in several], len(single))
    drawn = iter(weights(strata, draws))
    for case in several:
        _add_agreement(case, next(drawn), lows, highs)
    for of_single in drawn:
        _add_single_pairs(single, of_single, lows, highs)
    middle = math.fsum(case.value for case in pairs)
    variance = math.fsum((low - middle) ** 2 for low in lows) / draws
    # Weights on replies vary less than pairs do where there are few of them.
    # Without it 28 cases with 15 % unparsable replies were covered 84 % (three replies) and 86 % (five).
    wanting = math.sqrt(max(1.0, _variance_of_agreement(pairs) / variance)) if variance > 0.0 else 1.0
    lows = [middle + wanting * (low - middle) for low in lows]
    highs = [middle + wanting * (high - middle) for high in highs]
    return _limits(lows, highs, len(pairs), middle / len(pairs))


def draw_ahead(cases: int, replies: int, weights: WeightSource, draws: int = DRAWS) -> None:
    """Make the draws of `reproducibility_interval` before the replies are there; the source keeps them.

    They are the ones it needs if all replies come and each case's fall into few groups; else it draws anew.
    """
    several, single = ([replies] * cases, 0) if replies > PAIR else ([], cases)
    weights(_strata_of_pairs(several, single), _affordable(draws, cases * replies))


def interval_of_like_cases(means: Sequence[float], source: DrawSource, draws: int = DRAWS) -> Interval | None:
    """Return a 95 % interval for the mean over cases like these; None below 20 of them.

    The cases' means are the replies of one stratum. Rough, since the cases were picked by hand.
    """
    return accuracy_interval([means], source, draws) if len(means) >= MANY_CASES else None


def may_still_differ(identical: int) -> float:
    """Return the share of further replies that may differ (95 %) after this many identical ones.

    The largest share p for which (1 - p)^n is still 0.05; about 3 / n (the "rule of three",
    Hanley & Lippman-Hand 1983, JAMA 249).
    """
    return 1.0 - math.pow(0.05, 1.0 / identical)


def _add_means(
    values: Sequence[float], weight: int, drawn: Iterable[Draw], lows: list[float], highs: list[float]
) -> None:
    """Add the draws of a stratum that stands for `weight` cases."""
    # A third of the time of a ranking is spent here: what `_mean_drawn` does, without its call.
    rises = [(at - 1, rise) for at, rise in _rises(values)]
    top = values[-1]
    for draw, (cut, extra) in enumerate(drawn):
        inner = top
        for at, rise in rises:
            inner -= cut[at] * rise
        # The pseudo-observation takes its part, and the replies share the rest as they would without it. At 0
        # it adds nothing, at 1 its part.
        inner *= 1.0 - extra
        lows[draw] += weight * inner
        highs[draw] += weight * (inner + extra)


def _add_shares(
    count: int, parts: int, weight: int, drawn: Iterable[Draw], lows: list[float], highs: list[float]
) -> None:
    """Add the draws of a stratum of right and wrong replies that stands for `weight` cases."""
    share, stretch, are_mostly_right = count / parts, _stretch(parts), 2 * count >= parts
    for draw, ((part,), extra) in enumerate(drawn):
        among = part if are_mostly_right else 1.0 - part
        inner = (1.0 - extra) * (share + stretch * (among - share))
        lows[draw] += weight * inner
        highs[draw] += weight * (inner + extra)


def _add_agreement(pairs: Pairs, drawn: StratumWeights, lows: list[float], highs: list[float]) -> None:
    """Add one case's draws, worked out by what is lost against full agreement, where most terms are 0."""
    ends = [sum(pairs.counts[:at]) for at in range(len(pairs.counts) + 1)]
    rows = [(at, [1.0 - a for a in row[:-1]]) for at, row in enumerate(pairs.agreement)]
    rows = [(at, row) for at, row in rows if any(row)]
    # Only replies that could not be parsed disagree with their like.
    own = [(at, 1.0 - row[-1]) for at, row in enumerate(pairs.agreement) if row[-1] < 1.0]
    stretch, middle = _stretch(drawn.parts), 1.0 - pairs.value
    for draw, (among, extra) in enumerate(zip(drawn.among, drawn.extra, strict=True)):
        lost = 0.0
        if rows or own:
            cut = drawn.cuts_of(draw)
            weight = [cut[b] - cut[a] for a, b in pairwise(ends)]
            for at, row in rows:
                lost += 2.0 * weight[at] * math.fsum(map(mul, row, weight))
            for at, loss in own:
                gaps = gaps_of(cut)[ends[at] : ends[at + 1]]
                lost += loss * (weight[at] ** 2 - math.fsum(map(mul, gaps, gaps)))
        lost = middle + stretch * (lost / among - middle) if among > 0.0 else middle
        # Ordered pairs without self-pairs: those of replies, and each reply with the pseudo-observation.
        # Both kinds of pairs over the replies' part of the weight, which cancels.
        between = among * (1.0 - extra)
        part = 2.0 * extra / (between + 2.0 * extra) if extra else 0.0
        inner = (1.0 - lost) * (1.0 - part)
        lows[draw] += inner
        highs[draw] += inner + part


def _strata_of_pairs(several: Sequence[int], single: int) -> tuple[Stratum, ...]:
    """Return the strata: a case each of those with so many replies, then all with a single pair as one."""
    share = REPRODUCIBILITY_MASS / (len(several) + single)
    strata = [Stratum(replies, share) for replies in several]
    return tuple([*strata, Stratum(single, share * single)] if single else strata)


def _add_single_pairs(
    values: Sequence[float], drawn: StratumWeights, lows: list[float], highs: list[float]
) -> None:
    """Add the draws of the cases with one pair each."""
    count, values = len(values), _stretched(values)
    rises = _rises(values)
    for draw, extra in enumerate(drawn.extra):
        inner = (1.0 - extra) * _mean_drawn(values[-1], rises, drawn.cuts_of(draw))
        lows[draw] += count * inner
        highs[draw] += count * (inner + extra)


def _rises(values: Sequence[float]) -> list[tuple[int, float]]:
    """Return where sorted values change, and by how much: only the cuts there are needed."""
    return [(at, b - a) for at, (a, b) in enumerate(pairwise(values), start=1) if b > a]


def _mean_drawn(top: float, rises: Sequence[tuple[int, float]], cut: Sequence[float]) -> float:
    """Return the weighted mean of sorted values, given the greatest and where they rise."""
    for at, rise in rises:
        top -= cut[at] * rise
    return top


def _variance_of_agreement(pairs: Sequence[Pairs]) -> float:
    """Estimate the variance of the sum over cases of their mean agreement (a U-statistic, Hoeffding 1948).

    From four replies on a case gives it unbiased: its square less the mean product of two pairs without a
    common reply. Fewer replies hold no such pairs; theirs is at most 2 / n of the variance of one pair, for
    which all such cases' pairs are taken together.
    """
    known = [case for case in pairs if sum(case.counts) >= FOUR]
    own = math.fsum(case.value**2 - case.disjoint_product for case in known)
    few = [case for case in pairs if sum(case.counts) < FOUR]
    if not few:
        return own
    middle = math.fsum(case.value for case in few) / len(few)
    of_a_pair = math.fsum(case.square - middle**2 for case in few)
    return own + math.fsum(2 / sum(case.counts) for case in few) * of_a_pair / len(few)


def _stretched(values: Sequence[float]) -> list[float]:
    """Return the values drawn apart about their mean, as far as the bootstrap will draw them together."""
    middle = mean(values) or 0.0
    stretch = _stretch(len(values))
    return [middle + stretch * (value - middle) for value in values]


def _stretch(replies: int) -> float:
    """Return the factor that makes the bootstrap's variance the usual unbiased one of a mean.

    With weights Dirichlet(1, ..., 1) it is (n - 1) / (n + 1) of that; over ten cases of five replies
    each this alone leaves 89 % of 95 (docs/calibration.md).
    """
    return math.sqrt((replies + 1) / (replies - 1)) if replies > 1 else 1.0


def _limits(lows: Sequence[float], highs: Sequence[float], cases: int, middle: float) -> Interval:
    low = (percentile(lows, LOW) or 0.0) / cases
    high = (percentile(highs, HIGH) or 0.0) / cases
    # Rounding may carry a sum past its bounds by the last digit.
    return max(0.0, min(low, middle)), min(1.0, max(high, middle))


def _affordable(draws: int, work: int) -> int:
    """Return how many draws to make, given the steps that one takes: fewer in very large runs."""
    # With all draws of every run, scoring cost as much processor time as calling did.
    bearable = 500
    return draws if work <= bearable else max(draws // 4, draws * bearable // work)


class Pairs(Frozen, frozen=True):
    """How far each two replies of a case agree; replies with one and the same value are one group."""

    counts: tuple[int, ...]
    """How many replies each group has: two in all, at least."""
    agreement: tuple[tuple[float, ...], ...]
    """Row i: group i with the groups 0 .. i; the last is two replies of the group itself."""

    @property
    def value(self) -> float:
        """The mean over all pairs of replies."""
        return self._mean_of(lambda value: value)

    @property
    def square(self) -> float:
        """The mean square of a pair's agreement."""
        return self._mean_of(lambda value: value * value)

    @property
    def disjoint_product(self) -> float:
        """The mean product of two pairs without a common reply; of four replies and more."""
        replies = sum(self.counts)
        whole = math.comb(replies, 2)
        # Of each reply: its agreements with all others.
        rows = [
            math.fsum(
                count * self.agreement[max(at, other)][min(at, other)]
                for other, count in enumerate(self.counts)
            )
            - self.agreement[at][at]
            for at in range(len(self.counts))
        ]
        shared = math.fsum(count * row * row for count, row in zip(self.counts, rows, strict=True))
        total = (self.value * whole) ** 2 - shared + self.square * whole
        return total / (whole * math.comb(replies - 2, 2))

    def _mean_of(self, figure: Callable[[float], float]) -> float:
        rows = enumerate(zip(self.counts, self.agreement, strict=True))
        terms = (
            figure(value) * (count * self.counts[other] if other < at else math.comb(count, 2))
            for at, (count, row) in rows
            for other, value in enumerate(row)
        )
        return math.fsum(terms) / math.comb(sum(self.counts), 2)
