"""Gates for CI: a limit that was not met, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from evalcore.compare.verdict import Comparison, Outcome
from evalcore.formats.counts import first_few
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

MOST_NAMED: Final = 10


class AccuracyGate(Frozen, frozen=True):
    """What every model's run must reach; None where there is no such limit."""

    mean: float | None = None
    lower: float | None = None
    """For the lower limit of the 95 % interval."""

    def unmet(self, records: Sequence[RunRecord]) -> str | None:
        """Say which runs are below a limit; a run without the figure is below it. None where none is."""
        said = [
            *_below("accuracy", self.mean, [(record.model, record.accuracy.mean) for record in records]),
            *_below("lower limit of the accuracy", self.lower, [(r.model, _lower(r)) for r in records]),
        ]
        return f"gate not met: {'; '.join(said)}" if said else None


def unmet_regressions(outcomes: Iterable[Outcome]) -> str | None:
    """Say which comparisons show a regression; None where none does."""
    fallen = [
        f"{outcome.model}, accuracy {outcome.change:+.3f}"
        for outcome in outcomes
        if isinstance(outcome, Comparison) and outcome.verdict == "regression"
    ]
    return f"gate not met: regression of {first_few(fallen, MOST_NAMED)}" if fallen else None


def _lower(record: RunRecord) -> float | None:
    return None if record.accuracy.ci95 is None else record.accuracy.ci95[0]


def _below(what: str, limit: float | None, figures: Sequence[tuple[str, float | None]]) -> list[str]:
    if limit is None:
        return []
    low = [
        f"{model} {'without a figure' if figure is None else _text(figure)}"
        for model, figure in figures
        if figure is None or figure < limit
    ]
    return [f"{what} below {limit:g}: {first_few(low, MOST_NAMED)}"] if low else []


def _text(figure: float) -> str:
    # All the digits that a limit may have: 0.8996 is not to be read as the 0.9 that it is below.
    return f"{figure:.6f}".rstrip("0").rstrip(".")
