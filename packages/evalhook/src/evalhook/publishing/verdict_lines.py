"""How a job's models fare against the previous version: a verdict for each, and what to weigh it by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from evalcore.compare.pool import pools_of_version
from evalcore.compare.verdict import (
    Comparison,
    FieldChange,
    NotComparable,
    Outcome,
    Side,
    compare_pools,
    reasons,
    what_counts,
)
from evalcore.record import RunRecord
from evalhook.publishing.foreign_text import CELL, REASON, escape_markdown

MOST_TOLD: Final = 20
MOST_FIELDS: Final = 3
NONE: Final = "-"
_ORDER: Final = ("regression", "improvement", "no evidence", "cannot alarm")


def compare_with(
    previous: str, version: str, earlier: Sequence[RunRecord], records: Sequence[RunRecord]
) -> dict[str, Outcome]:
    """Compare the models that have a complete run in `records` with the previous version, by model.

    All complete runs of a version that were asked and scored alike count together, earlier ones too.
    A model that the previous version has no complete run of is left out.
    """
    before = {pool.model: pool for pool in pools_of_version(earlier, previous)}
    models = {record.model for record in records if record.status == "complete"} & before.keys()
    after = [pool for pool in pools_of_version([*earlier, *records], version) if pool.model in models]
    outcomes = compare_pools([before[model] for model in sorted(models)], after)
    return {outcome.model: outcome for outcome in outcomes}


def verdict_cell(outcome: Outcome | None) -> str:
    """Say a verdict in a table's cell, with the change in points."""
    if outcome is None:
        return NONE
    if isinstance(outcome, NotComparable):
        return "not comparable"
    said = f"**{outcome.verdict}**" if outcome.verdict in {"regression", "improvement"} else outcome.verdict
    return f"{said} ({100 * outcome.change:+.1f})"


def verdict_list(outcomes: Mapping[str, Outcome], previous: str) -> str:
    """Say of each model what its verdict rests on, regressions first."""
    if not outcomes:
        return ""
    ordered = sorted(outcomes.values(), key=_place)
    lines = [f"- {escape_markdown(outcome.model, CELL)}: {_told(outcome)}" for outcome in ordered[:MOST_TOLD]]
    if len(ordered) > MOST_TOLD:
        lines.append(f"- and {len(ordered) - MOST_TOLD} more")
    return "\n".join([f"Compared with version {escape_markdown(previous, CELL)}:", "", *lines])


def percent(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """A share in per cent, with its 95 % interval where there is one."""
    if value is None:
        return NONE
    around = "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    return f"{100 * value:.1f} %{around}"


def _place(outcome: Outcome) -> tuple[int, str]:
    verdict = outcome.verdict if isinstance(outcome, Comparison) else ""
    return _ORDER.index(verdict) if verdict in _ORDER else len(_ORDER), outcome.model


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, NotComparable):
        return f"not comparable, {escape_markdown(outcome.reason, REASON)}"
    figures = f"{_side(outcome.before)} to {_side(outcome.after)}"
    return "; ".join(
        [f"{outcome.verdict}, {figures}", *reasons(outcome), what_counts(outcome), *_moved(outcome)]
    )


def _side(side: Side) -> str:
    return percent(side.mean, side.ci95)


def _moved(outcome: Comparison) -> Iterator[str]:
    if outcome.fields:
        yield f"moved most: {', '.join(map(_field, outcome.fields[:MOST_FIELDS]))}"


def _field(change: FieldChange) -> str:
    shown = escape_markdown(change.field, CELL)
    return f"{shown} {100 * change.before:.1f} to {100 * change.after:.1f} %"
