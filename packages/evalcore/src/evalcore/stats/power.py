"""What R replicates of C cases could show, worked out before money is spent."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable

from evalcore.stats.permutation import ALPHA, can_alarm
from evalcore.stats.student import t_quantile
from evalcore.structs import Frozen

# Servers drift: without a margin any new build of the gateway would raise an alarm.
DEFAULT_MARGIN = 0.02
"""Of mean accuracy: a smaller change is of no interest where nobody says otherwise."""
POWER = 0.8
"""The change that is named would be found four times in five."""
_STEP = 0.001
"""As fine as a change is shown."""


class Spread(Frozen, frozen=True):
    """How a model's scores lie within a case; the defaults stand where nothing is known."""

    mean: float = 0.9
    deviation: float = 0.15
    """The standard deviation of one reply's score about its case's mean."""
    replies: int = 0
    """How many replies it was seen in."""

    def variance(self, mean: float) -> float:
        """Return the variance that is to be expected at another mean.

        It goes as mean x (1 - mean), as for answers that are right or wrong (quasi-binomial,
        Wedderburn 1974), since a model that errs more often also varies more.
        """
        own, square = self.mean * (1 - self.mean), self.deviation**2
        # No spread within [0, 1] exceeds that of right-or-wrong answers.
        share = min(1.0, square / own) if own > 0 else 1.0
        return share * mean * (1 - mean)


def spread_of(scores: Iterable[Iterable[float]]) -> Spread:
    """Return the spread of scores within their cases, given the scores of each case's replies.

    The default deviation counts as one more reply, so that a few that happen to agree do not promise
    that everything can be shown.
    """
    cases = [sorted(case) for case in scores]
    # A case whose calls all failed says nothing of the spread.
    cases = [case for case in cases if case]
    if not cases:
        return Spread()
    means = [math.fsum(case) / len(case) for case in cases]
    squares = [(score - mean) ** 2 for case, mean in zip(cases, means, strict=True) for score in case]
    freedom = sum(len(case) - 1 for case in cases)
    return Spread(
        mean=math.fsum(means) / len(means),
        deviation=math.sqrt(math.fsum([*squares, Spread().deviation ** 2]) / (freedom + 1)),
        replies=len(squares),
    )


def smallest_change(
    cases: int,
    replicates: int,
    spread: Spread | None = None,
    margin: float = DEFAULT_MARGIN,
    models: int = 1,
) -> float | None:
    """Return the fall of one model's mean accuracy that would be found four times in five.

    `models` are tested at once, and only this one falls. None where no fall would be found.

    The least d with d >= margin + (t at 1 - level + t at 0.8) x the standard error of the difference of
    two means over C cases of R replicates (Cohen 1988, section 2.4), the later mean being d lower; the
    level is 0.025 over the number of models.
    """
    # However large a fall, a design with too few deals cannot reach the level that many models leave.
    if not can_alarm([(replicates, replicates)] * cases, models):
        return None
    seen = spread or Spread()
    # With one reply each, what the cases differ by is all there is to go by.
    freedom = max(2 * cases * (replicates - 1), cases - 1)
    quantiles = t_quantile(freedom, ALPHA / models) + t_quantile(freedom, 1 - POWER)
    before = seen.variance(seen.mean)
    # In steps rather than solved: the variance itself depends on the mean after the fall.
    for step in range(math.ceil(margin / _STEP), math.floor(seen.mean / _STEP) + 1):
        change = step * _STEP
        error = math.sqrt((before + seen.variance(seen.mean - change)) / (cases * replicates))
        if change >= margin + quantiles * error:
            return change
    return None


def least_replicates(
    cases: int, spread: Spread | None = None, models: int = 1, most: int = 100
) -> int | None:
    """Return the fewest replicates of so many cases that would show any fall; None where `most` would not.

    `models` are tested at once, as in `smallest_change`.
    """
    # In order: a design that shows a fall shows it with more replicates, too.
    least = 1 + bisect.bisect_left(
        range(1, most + 1),
        True,
        key=lambda count: smallest_change(cases, count, spread, models=models) is not None,
    )
    return least if least <= most else None
