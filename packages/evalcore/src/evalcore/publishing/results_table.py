"""The tables of a pull request with results: one that everybody reads, one folded away with the details."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from evalcore.compare.verdict import Comparison, Outcome
from evalcore.formats.markdown_text import CELL, escape_markdown
from evalcore.publishing.verdicts import NONE, share, verdict_cell
from evalcore.reports.ranking import RankedPool
from evalcore.runs.record import RunRecord

MOST_MODELS: Final = 100
HEADINGS: Final = (
    "#", "Model", "Accuracy", "Runs", "Change", "Reproducibility", "Schema-valid", "Calls failed", "Cost",
    "Status",
)  # fmt: skip
DETAIL_HEADINGS: Final = (
    "Model", "Accuracy before", "Reproducibility before", "Calls", "Cut off", "Latency p50", "p95",
)  # fmt: skip
_OF_TEXT: Final = frozenset({"Model", "Change", "Status"})
_MAY_BE_EMPTY: Final = frozenset(
    {
        "Change",
        "Schema-valid",
        "Cost",
        "Status",
        "Runs",
        "Accuracy before",
        "Reproducibility before",
        "Cut off",
    }
)
"""Columns that are left out where no row says anything in them."""
_COMPLETE: Final = "complete"
FREE: Final = "0 USD"
_SAYS_NOTHING: Final = frozenset({NONE, "0", FREE, _COMPLETE})


class ResultRow(NamedTuple):
    """One run of a job, and what it stands beside."""

    record: RunRecord
    pool: RankedPool | None
    """The runs that it counts with; None where they are not ranked."""
    before: RankedPool | None
    """Those of its model at the version before."""
    outcome: Outcome | None

    @property
    def runs(self) -> int:
        """How many runs the figures are of."""
        return 1 if self.pool is None else len(self.pool.records)


def sorted_rows(
    records: Sequence[RunRecord],
    shown: Mapping[str, RankedPool],
    before: Mapping[str, RankedPool],
    outcomes: Mapping[str, Outcome],
) -> list[ResultRow]:
    """Put runs in the order of their ranks; `shown` is by run id, `before` and `outcomes` are by model."""
    rows = [
        ResultRow(one, shown.get(one.run_id), before.get(one.model), outcomes.get(one.model))
        for one in records
    ]
    return sorted(rows, key=_order)


def results_table(rows: Sequence[ResultRow]) -> str:
    """The table of a pull request; models beyond the first hundred are counted."""
    more = len(rows) - MOST_MODELS
    said = f"\n\n{more} more models are in the leaderboard." if more > 0 else ""
    return _table(HEADINGS, [_cells(row) for row in rows[:MOST_MODELS]]) + said


def details_table(rows: Sequence[ResultRow]) -> str:
    """What else is known of the same runs."""
    return _table(DETAIL_HEADINGS, [_detail_cells(row) for row in rows[:MOST_MODELS]])


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    left = [
        at
        for at, heading in enumerate(headings)
        if heading not in _MAY_BE_EMPTY or any(row[at] not in _SAYS_NOTHING for row in rows)
    ]
    ruler = ["---" if heading in _OF_TEXT else "--:" for heading in headings]
    return "\n".join(f"| {' | '.join(cells[at] for at in left)} |" for cells in (headings, ruler, *rows))


def _order(row: ResultRow) -> tuple[float, float, str, str]:
    best = math.inf if row.pool is None or row.pool.rank is None else row.pool.rank.best
    accuracy = row.record.accuracy.mean if row.pool is None else row.pool.accuracy
    return best, -(accuracy or 0.0), row.record.model, row.record.run_id


def _cells(row: ResultRow) -> tuple[str, ...]:
    record, pool = row.record, row.pool
    accuracy, ci95 = record.accuracy.mean, record.accuracy.ci95
    agreement, around = record.reproducibility.mean, record.reproducibility.ci95
    if pool is not None:
        accuracy, ci95 = pool.accuracy, pool.ci95
    if pool is not None and row.runs > 1:
        # Pairs of replies are within one run: of several runs together no interval is known.
        agreement, around = pool.reproducibility, None
    return (
        NONE if pool is None or pool.rank is None else pool.rank.text,
        escape_markdown(record.model, CELL),
        share(accuracy, ci95),
        NONE if pool is None or row.runs == 1 else f"{row.runs} ({pool.replies} replies)",
        verdict_cell(row.outcome if record.status == "complete" else None),
        share(agreement, around),
        share(record.schema_valid_rate),
        _failed(record),
        _cost(record.cost_usd),
        _COMPLETE if record.status == "complete" else "**partial**, not ranked",
    )


def _cost(usd: float | None) -> str:
    if usd is None:
        return NONE
    return f"{usd:.4f} USD" if usd else FREE


def _failed(record: RunRecord) -> str:
    calls = record.calls
    kinds = [(calls.api_error, "without reply"), (calls.parse_error, "unparsable")]
    named = [(count, kind) for count, kind in kinds if count]
    failed = f"{calls.api_error + calls.parse_error} of {calls.total}"
    if len(named) == 1:
        return f"{failed} {named[0][1]}"
    return f"{failed}: {', '.join(f'{count} {kind}' for count, kind in named)}" if named else failed


def _detail_cells(row: ResultRow) -> tuple[str, ...]:
    record, before = row.record, row.before
    earlier = before.accuracy if before else None
    if isinstance(row.outcome, Comparison):
        # All runs of that version together, over the cases that both have: what the change is from.
        earlier = row.outcome.before.mean
    latency = record.latency_ms
    return (
        escape_markdown(record.model, CELL),
        share(earlier),
        share(before.reproducibility if before else None),
        f"{record.calls.ok} of {record.calls.total} ok",
        str(record.calls.truncated),
        _seconds(latency.p50),
        _seconds(latency.p95),
    )


def _seconds(milliseconds: float | None) -> str:
    return NONE if milliseconds is None else f"{milliseconds / 1000:.1f} s"
