"""A run's summary -> its charts: consistency heat map, field agreement, completion tokens, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalcore.formats.percent import percent
from evalcore.reports.charts.bars import Bar, Line, bar_chart, histogram
from evalcore.reports.charts.heat import Cell, heat_chart
from evalcore.reports.charts.svg import Ink
from evalcore.reports.run_report.report_page import CHART_TITLES
from evalcore.reports.run_report.summary import WHOLE, Summary
from evalcore.reports.run_report.tally import CaseTally, RunTally

MOST_BARS: Final = 40
MOST_CASES: Final = 40
MOST_COLUMNS: Final = 30
"""Fields of the heat map, those that differ in most cases."""
GOOD: Final = 0.85
"""Share of cases from which on a field's answers count as consistent."""
POOR: Final = 0.60
DIFFERENT_SHARES: Final = {1: 1.0, 2: 0.65}
"""The heat map's colour for one and for two different values; three and more are as dark as it gets."""


def charts_of(summary: Summary, tally: RunTally) -> dict[str, str]:
    """Draw the charts of which there is something to show: SVG texts by name."""
    drawn = {
        "completion_tokens": _tokens(summary, tally.completion_tokens),
        "consistency_heatmap": _heat_map(summary, tally.cases),
        "field_agreement": _agreement(summary),
        "coverage": _coverage(summary),
    }
    return {name: text for name, text in drawn.items() if text}


def _tokens(summary: Summary, tokens: Sequence[int]) -> str:
    if not tokens:
        return ""
    cap = summary.headline.completion_tokens.cap
    lines = [] if cap is None else [Line(f"cap ({cap})", cap, "bad"), Line("80 % of cap", 0.8 * cap, "wait")]
    most = max(tokens)
    against = f", the cap is {cap}" if cap is not None else ""
    return histogram(
        tokens,
        title=CHART_TITLES["completion_tokens"],
        description=f"{len(tokens)} replies of {min(tokens)} to {most} tokens{against}.",
        axis="completion tokens per reply",
        counted=f"replies (of {len(tokens)})",
        lines=lines,
    )


def _heat_map(summary: Summary, cases: Sequence[CaseTally]) -> str:
    named = {case.name: case for case in cases if case.name is not None and case.distinct}
    rows = [named[row.doc] for row in summary.consistency.doc_rollup[:MOST_CASES] if row.doc in named]
    fields = [row.field for row in summary.consistency.field_rollup if row.n_full < row.n_docs]
    columns = fields[:MOST_COLUMNS]
    if not rows or not columns:
        return ""
    # In summaries the whole answer has a name; in tallies its path is empty.
    paths = ["" if column == WHOLE else column for column in columns]
    rows.sort(key=lambda case: case.name or "")
    return heat_chart(
        [(case.name or "", [_cell(case.distinct.get(path)) for path in paths]) for case in rows],
        columns,
        title=CHART_TITLES["consistency_heatmap"],
        description=(
            f"{len(rows)} cases by the {len(columns)} fields that differ in most of them; light is one "
            "value in all answers, dark is three and more."
        ),
        cell_width=24.0,
        # In REPORT.md it is a picture, which shows no tips.
        has_tips=False,
    )


def _cell(distinct: int | None) -> Cell:
    if distinct is None:
        return Cell(None)
    return Cell(DIFFERENT_SHARES.get(distinct, 0.3), str(distinct))


def _agreement(summary: Summary) -> str:
    rows = summary.consistency.field_rollup[:MOST_BARS]
    if not rows:
        return _score_agreement(summary)
    bars = [Bar(row.field, row.n_full / row.n_docs, ink=_ink(row.n_full / row.n_docs)) for row in rows]
    worst = f"{rows[0].field} with {percent(rows[0].pct_full_agreement / 100)}"
    return bar_chart(
        bars,
        title=CHART_TITLES["field_agreement"],
        description=f"{len(bars)} fields, the worst first: {worst}.",
        axis=f"cases in which all {summary.config.n_replicates} replicates agree",
    )


def _score_agreement(summary: Summary) -> str:
    rows = summary.consistency.fields[:MOST_BARS]
    if not rows:
        return ""
    worst = f"{rows[0].field} with {percent(rows[0].agreement)}"
    return bar_chart(
        [Bar(row.field, row.agreement, ink=_ink(row.agreement)) for row in rows],
        title=CHART_TITLES["field_agreement"],
        description=f"{len(rows)} fields, the worst first: {worst}.",
        axis="agreement of two replies to one case",
    )


def _ink(share: float) -> Ink:
    return "series-2" if share >= GOOD else "series-1" if share >= POOR else "bad"


def _coverage(summary: Summary) -> str:
    found = summary.coverage
    lists = [Bar(f"[] {row.field}", row.n_non_empty / row.n_total, ink="series-2") for row in found.arrays]
    scalars = [Bar(row.field, row.n_non_null / row.n_total) for row in found.scalars]
    bars = [*lists[: MOST_BARS // 2], *scalars[:MOST_BARS]]
    if not bars:
        return ""
    return bar_chart(
        bars,
        title=CHART_TITLES["coverage"],
        description=f"{len(lists)} lists ([]) and {len(scalars)} other fields, the least filled first.",
        axis="of the objects that could have it (fields: non-null, lists: non-empty)",
    )
