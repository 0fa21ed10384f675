"""What R replicates of C cases could show, told before money is spent."""

from __future__ import annotations

import math
from collections.abc import Iterable

from evalcore.compare.permutation import can_alarm
from evalcore.record import RunRecord
from evalcore.uncertainty import t_quantile

DEFAULT_MARGIN = 0.02
DEFAULT_SPREAD = 0.15
"""The standard deviation of one reply's score within a case, where nothing is known of it."""
POWER = 0.8
_POWER_Z = 0.8416212335729143
"""The normal quantile of POWER."""


def spread_of(scores: Iterable[Iterable[float]]) -> float:
    """Return the standard deviation of a reply's score within its case, pooled over cases.

    The default counts as one more reply, so that a few replies that happen to agree do not promise
    that everything can be shown.
    """
    squares, freedom = [DEFAULT_SPREAD**2], 1
    for case in scores:
        values = sorted(case)
        if len(values) > 1:
            middle = math.fsum(values) / len(values)
            squares.extend((value - middle) ** 2 for value in values)
            freedom += len(values) - 1
    return math.sqrt(math.fsum(squares) / freedom)


def spread_of_records(records: Iterable[RunRecord]) -> float:
    """Return the spread within cases over past runs; the stated default where there are none."""
    return spread_of(
        [score for score in result.scores if score is not None]
        for record in records
        for result in record.case_results
    )


def smallest_change(
    cases: int, replicates: int, spread: float = DEFAULT_SPREAD, margin: float = DEFAULT_MARGIN
) -> float | None:
    """Return the change of mean accuracy that would be found four times in five; None where none would.

    The usual formula for two means (Cohen 1988, section 2.4), beyond the margin: t at 0.025 plus t at
    0.8, times the standard error of the difference of two means over C cases of R replicates.
    """
    if not can_alarm([replicates] * cases):
        return None
    # With one reply each, what the cases differ by is all there is to go by.
    freedom = max(2 * cases * (replicates - 1), cases - 1)
    quantiles = t_quantile(freedom) + t_quantile(freedom, _POWER_Z)
    change = margin + quantiles * spread * math.sqrt(2 / (cases * replicates))
    return change if change < 1 else None
