"""Rankings for other programs and pages: CSV, and Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evalcli.leaderboards.present_policy import PolicyHash
from evalcli.reports.ranking import heading
from evalcli.terminal.text import figure, interval
from evalcore.formats.markdown_text import CELL, escape_markdown
from evalcore.formats.spreadsheet import CellValue, csv_table
from evalcore.reports.ranking import RankedPool, Ranking
from evalcore.reports.sentences import pool_labels, ranking_sentence
from evalcore.runs.record import RunRecord

COLUMNS: Final = (
    "component", "component_version", "scoring_version", "prompt_sha256", "schema_sha256", "policy_sha256",
    "cases_sha256", "cases", "rank_best", "rank_worst", "model", "provider", "accuracy",
    "ci95_low", "ci95_high", "reproducibility", "runs", "replies", "status", "run_id", "finished_at",
)  # fmt: skip


def rankings_csv(ranked: Sequence[tuple[str, Sequence[Ranking]]], *, every_run: bool) -> str:
    """Write all rankings as one table; with `every_run` a row for each run follows that of its pool."""
    return csv_table(COLUMNS, _csv_rows(ranked, every_run=every_run))


def _csv_rows(
    ranked: Sequence[tuple[str, Sequence[Ranking]]], *, every_run: bool
) -> Iterator[tuple[CellValue, ...]]:
    for component, found in ranked:
        for ranking in found:
            head = (
                component, ranking.component_version, ranking.scoring_version, ranking.prompt_sha256,
                ranking.schema_sha256, ranking.policy_sha256, ranking.cases_sha256, ranking.cases,
            )  # fmt: skip
            for row in ranking.rows:
                yield (*head, *_pool(row), "", "")
                for record in row.records if every_run else ():
                    yield (*head, *_run(record))


def rankings_markdown(
    component: str, found: Sequence[Ranking], present: PolicyHash | None = None, *, every_run: bool
) -> str:
    """Write a component's rankings: for each a heading, the sentence that it comes to, and a table.

    `present` is the component's policy now, where that is known.
    """
    return "\n".join(
        line
        for ranking in found
        for line in _table(heading(component, ranking, found, present), ranking, every_run=every_run)
    )


def _table(title: str, ranking: Ranking, *, every_run: bool) -> Iterator[str]:
    headings = ["#", "Model", "Accuracy", "95 % CI", "Reproducibility", "Runs", "Replies", "Status"]
    headings += ["Run", "Date"] if every_run else []
    # Longer than a cell: a heading names digits of hashes besides, which tell two rankings apart.
    yield f"### {escape_markdown(title, 4 * CELL)}"
    yield ""
    yield ranking_sentence(ranking, lambda name: escape_markdown(name, CELL), shares="fraction")
    yield ""
    yield f"| {' | '.join(headings)} |"
    yield f"| {' | '.join('---' for _ in headings)} |"
    for label, row in zip(pool_labels(ranking), ranking.rows, strict=True):
        cells = [
            "-" if row.rank is None else row.rank.text,
            escape_markdown(label, 2 * CELL),
            figure(row.accuracy),
            interval(row.ci95),
            figure(row.reproducibility),
            str(len(row.records)),
            str(row.replies),
            row.status,
        ]
        yield f"| {' | '.join([*cells, *(['', ''] if every_run else [])])} |"
        for record in row.records if every_run else ():
            agreement = figure(record.reproducibility.mean)
            rest = [figure(record.accuracy.mean), "", agreement, "", "", record.status]
            run = [escape_markdown(record.run_id, CELL), record.finished_at[:10]]
            yield f"| {' | '.join(['', escape_markdown(record.model, CELL), *rest, *run])} |"
    yield ""


def _pool(row: RankedPool) -> tuple[CellValue, ...]:
    rank, interval = row.rank, row.ci95
    return (
        "" if rank is None else rank.best,
        "" if rank is None else rank.worst,
        row.model,
        row.provider,
        row.accuracy,
        "" if interval is None else interval[0],
        "" if interval is None else interval[1],
        row.reproducibility,
        len(row.records),
        row.replies,
        row.status,
    )


def _run(record: RunRecord) -> tuple[CellValue, ...]:
    low, high = record.accuracy.ci95 or ("", "")
    replies = sum(score is not None for result in record.case_results for score in result.scores)
    figures = (record.accuracy.mean, low, high, record.reproducibility.mean)
    return (
        "", "", record.model, record.provider, *figures, 1, replies, record.status, record.run_id,
        record.finished_at,
    )  # fmt: skip
