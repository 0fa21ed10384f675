"""A version's models against the version before: what came of it, and how GitHub's pages say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from evalcore.compare.pool import pools, pools_by_one_policy
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
from evalcore.formats.markdown_text import CELL, REASON, escape_markdown
from evalcore.formats.percent import around, percent
from evalcore.runs.record import RunRecord

NONE: Final = "-"
"""What stands in a cell without a figure."""
MOST_VERDICTS: Final = 20
MOST_FIELDS: Final = 3
_ORDER: Final = ("regression", "improvement", "no evidence", "cannot alarm")
"""Of the verdicts: what needs a reader first."""


def compare_with(
    previous: str, version: str, earlier: Sequence[RunRecord], records: Sequence[RunRecord]
) -> dict[str, Outcome]:
    """Compare the models that have a complete run in `records` with the previous version, by model.

    All complete runs of a version that were asked and scored alike count together, earlier ones too.
    A model that the previous version has no complete run of is left out.
    """
    old = [pool for pool in pools(earlier) if pool.version == previous]
    # A partial run is never ranked, and so says nothing of a change.
    models = {record.model for record in records if record.status == "complete"} & {
        pool.model for pool in old
    }
    # All complete runs, not the newest alone: running again until it looks good must change nothing.
    new = [pool for pool in pools([*earlier, *records]) if pool.version == version]
    before, after = pools_by_one_policy(
        [pool for pool in old if pool.model in models], [pool for pool in new if pool.model in models]
    )
    outcomes = compare_pools(before, after)
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
    shown = ordered[:MOST_VERDICTS]
    lines = [f"- {escape_markdown(outcome.model, CELL)}: {_verdict_line(outcome)}" for outcome in shown]
    if len(ordered) > MOST_VERDICTS:
        lines.append(f"- and {len(ordered) - MOST_VERDICTS} more")
    return "\n".join([f"Compared with version {escape_markdown(previous, CELL)}:", "", *lines])


def share(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """A share in per cent, with its 95 % interval where there is one."""
    return NONE if value is None else f"{percent(value)}{around(interval)}"


def _place(outcome: Outcome) -> tuple[int, str]:
    verdict = outcome.verdict if isinstance(outcome, Comparison) else ""
    return _ORDER.index(verdict) if verdict in _ORDER else len(_ORDER), outcome.model


def _verdict_line(outcome: Outcome) -> str:
    if isinstance(outcome, NotComparable):
        return f"not comparable, {escape_markdown(outcome.reason, REASON)}"
    figures = f"{_side(outcome.before)} to {_side(outcome.after)}"
    return "; ".join(
        [f"{outcome.verdict}, {figures}", *reasons(outcome), what_counts(outcome), *_moved(outcome)]
    )


def _side(side: Side) -> str:
    return share(side.mean, side.ci95)


def _moved(outcome: Comparison) -> Iterator[str]:
    if outcome.fields:
        yield f"moved most: {', '.join(map(_field, outcome.fields[:MOST_FIELDS]))}"


def _field(change: FieldChange) -> str:
    shown = escape_markdown(change.field, CELL)
    return f"{shown} {percent(change.before)} to {percent(change.after)}"
