"""The dashboard's tables as CSV, for those who take the figures elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from evalcore.formats.spreadsheet import CellValue, csv_table
from evalcore.reports.dashboard.site import (
    Failures,
    HistoryPoint,
    Interval,
    RankingRow,
    RankingView,
    Site,
    VerdictView,
)

Lines: TypeAlias = Iterable[Sequence[CellValue]]


def table(name: str, site: Site) -> bytes:
    """Write the table of that name."""
    columns, lines = TABLES[name]
    return csv_table(columns, lines(site)).encode()


def _components(site: Site) -> Lines:
    for one in site.components:
        best = one.rankings[0] if one.rankings else None
        yield (
            one.slug, one.name, one.category, one.version, one.runs, one.foreign_runs,
            None if best is None else best.component_version, None if best is None else best.cases,
            None if best is None else best.sentence, one.problem, one.leaderboard_problem,
        )  # fmt: skip


def _rankings(site: Site) -> Lines:
    for component in site.components:
        for ranking in component.rankings:
            for row in ranking.rows:
                yield (component.slug, *_ranking(ranking), *_row(row))


def _ranking(ranking: RankingView) -> tuple[CellValue, ...]:
    return (
        ranking.id, ranking.component_version, ranking.scoring_version, ranking.prompt_sha256,
        ranking.schema_sha256, ranking.policy_sha256, ranking.cases_sha256, ranking.cases,
        ranking.are_cases_shared, ranking.all_right_of,
    )  # fmt: skip


def _row(row: RankingRow) -> tuple[CellValue, ...]:
    best, worst = row.rank or (None, None)
    like_best, like_worst = row.rank_like_cases or (None, None)
    return (
        best, worst, like_best, like_worst, row.model, row.label, row.provider, row.status, row.reason,
        row.is_superseded, row.accuracy, *_limits(row.ci95), row.exact_rate, row.all_right_rate,
        row.reproducibility,
        row.by_chance, row.schema_valid_rate, len(row.run_ids), row.replies, row.calls.total, row.calls.ok,
        row.calls.api_error, row.calls.parse_error, row.calls.truncated, row.cost_usd_per_1000_replies,
        row.cost_usd_per_run, row.latency_p50_ms, row.latency_p95_ms, row.prompt_tokens,
        row.completion_tokens, row.drifting, row.hardly_reads_its_input, row.finished_at,
    )  # fmt: skip


def _history(site: Site) -> Lines:
    for component in site.components:
        for history in component.history:
            for point in history.points:
                yield (
                    component.slug, history.model, history.provider, *_point(point),
                    *_verdict(point.verdict), *_verdict(point.since_server_changed),
                )  # fmt: skip


def _point(point: HistoryPoint) -> tuple[CellValue, ...]:
    return (
        point.component_version, point.status, point.scoring_version, point.first_at, point.last_at,
        point.accuracy, *_limits(point.ci95), point.reproducibility, len(point.runs), point.replies,
        " ".join(point.server_changed), " ".join(point.also_changed), point.drifting,
    )  # fmt: skip


def _verdict(verdict: VerdictView | None) -> tuple[CellValue, ...]:
    if verdict is None:
        return (None,) * 5
    return (
        verdict.against_version, verdict.verdict or "not comparable", verdict.change,
        verdict.p, verdict.reason,
    )  # fmt: skip


def _runs(site: Site) -> Lines:
    for component in site.components:
        for history in component.history:
            for point in history.points:
                for run in point.runs:
                    yield (
                        component.slug, history.model, point.component_version, point.status, run.run_id,
                        run.job_id, run.origin, run.finished_at, run.accuracy, *_limits(run.ci95),
                        run.reproducibility, run.drifting, run.is_rescored, run.links.commit,
                        run.links.pull_request, run.links.report,
                    )  # fmt: skip


def _failures(site: Site) -> Iterator[tuple[str, Failures]]:
    for component in site.components:
        if component.failures is not None:
            yield component.slug, component.failures


def _cases(site: Site) -> Lines:
    for slug, failures in _failures(site):
        for line in failures.cases:
            for column, cell in zip(failures.columns, line.cells, strict=True):
                yield (
                    slug, failures.ranking_id, line.case, line.sha256, line.validated_against_version,
                    line.is_stale, line.accuracy, line.noise, column.model, column.label, cell.accuracy,
                    cell.spread, cell.lowest, cell.highest, cell.replies,
                )  # fmt: skip


def _fields(site: Site) -> Lines:
    for slug, failures in _failures(site):
        for line in failures.fields:
            for column, cell in zip(failures.columns, line.cells, strict=True):
                yield (
                    slug, failures.ranking_id, line.field, line.accuracy, column.model, column.label,
                    cell.accuracy, cell.missed, cell.invented, cell.reproducibility,
                )  # fmt: skip


def _models(site: Site) -> Lines:
    for model in site.models:
        for one in model.components:
            best, worst = one.rank or (None, None)
            yield (
                model.id, model.provider, model.is_configured, model.is_local, one.component,
                one.component_version, one.validated_at, one.freshness, best, worst, one.of, one.accuracy,
                *_limits(one.ci95), one.reproducibility, one.cost_usd_per_1000_replies, one.latency_p50_ms,
                one.drifting, one.finished_at,
            )  # fmt: skip


def _never_evaluated(site: Site) -> Lines:
    for gap in site.never_evaluated:
        commands = " ; ".join(start.command for start in gap.starts)
        yield gap.kind, gap.component, gap.component_version, gap.model, gap.sentence, commands


def _reports(site: Site) -> Lines:
    for component in site.components:
        for report in component.reports:
            head = (component.slug, report.name, report.url, report.run_id, report.model)
            for kind, counts in (("missed", report.missed), ("invented", report.invented)):
                for one in counts:
                    yield (*head, kind, one.field, one.count, report.replies)


def _limits(interval: Interval | None) -> tuple[CellValue, CellValue]:
    return (None, None) if interval is None else interval


_VERDICT: Final = ("against_version", "verdict", "change", "p", "reason")
TABLES: Final[dict[str, tuple[Sequence[str], Callable[[Site], Lines]]]] = {
    "components": (
        (
            "component", "name", "category", "version", "runs", "foreign_runs", "ranked_version", "cases",
            "sentence", "problem", "leaderboard_problem",
        ),
        _components,
    ),
    "rankings": (
        (
            "component", "ranking", "component_version", "scoring_version", "prompt_sha256", "schema_sha256",
            "policy_sha256", "cases_sha256", "cases", "are_cases_shared", "all_right_of", "rank_best",
            "rank_worst", "rank_like_cases_best", "rank_like_cases_worst", "model", "label", "provider",
            "status", "reason", "is_superseded", "accuracy", "ci95_low", "ci95_high", "exact_rate",
            "all_right_rate",
            "reproducibility", "by_chance", "schema_valid_rate", "runs", "replies", "calls", "ok",
            "api_error", "parse_error", "truncated", "cost_usd_per_1000_replies", "cost_usd_per_run",
            "latency_p50_ms", "latency_p95_ms", "prompt_tokens", "completion_tokens", "drifting",
            "hardly_reads_its_input", "finished_at",
        ),
        _rankings,
    ),
    "history": (
        (
            "component", "model", "provider", "component_version", "status", "scoring_version", "first_at",
            "last_at", "accuracy", "ci95_low", "ci95_high", "reproducibility", "runs", "replies",
            "server_changed", "also_changed", "drifting", *_VERDICT,
            *(f"since_server_changed_{name}" for name in _VERDICT),
        ),
        _history,
    ),
    "runs": (
        (
            "component", "model", "component_version", "status", "run_id", "job_id", "origin", "finished_at",
            "accuracy", "ci95_low", "ci95_high", "reproducibility", "drifting", "is_rescored", "commit",
            "pull_request", "report",
        ),
        _runs,
    ),
    "cases": (
        (
            "component", "ranking", "case", "sha256", "validated_against_version", "is_stale",
            "case_accuracy", "case_noise", "model", "label", "accuracy", "spread", "lowest", "highest",
            "replies",
        ),
        _cases,
    ),
    "fields": (
        (
            "component", "ranking", "field", "field_accuracy", "model", "label", "accuracy", "missed",
            "invented", "reproducibility",
        ),
        _fields,
    ),
    "models": (
        (
            "model", "provider", "is_configured", "is_local", "component", "component_version",
            "validated_at", "freshness", "rank_best", "rank_worst", "of", "accuracy", "ci95_low", "ci95_high",
            "reproducibility", "cost_usd_per_1000_replies", "latency_p50_ms", "drifting", "finished_at",
        ),
        _models,
    ),
    "never_evaluated": (
        ("kind", "component", "component_version", "model", "sentence", "commands"),
        _never_evaluated,
    ),
    "reports": (
        ("component", "report", "url", "run_id", "model", "kind", "field", "count", "replies"),
        _reports,
    ),
}  # fmt: skip
"""Each table's columns, and what fills them."""
