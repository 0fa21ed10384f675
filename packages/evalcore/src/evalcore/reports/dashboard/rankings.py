"""How the models of a component stand: rankings as the pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from evalcore.compare.versions import evaluated_versions
from evalcore.formats.strict_json import fingerprint, sha256_hex
from evalcore.formats.versions import version_order
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.reports.dashboard.paths import model_page
from evalcore.reports.dashboard.rounding import figure, interval
from evalcore.reports.dashboard.site import CallOutcomes, Links, RankingRow, RankingView, Report
from evalcore.reports.ranking import Cache, RankedPool, Ranking, rankings
from evalcore.reports.ranking_notes import chance_notes, notes_of, rightness_notes
from evalcore.reports.sentences import cost_of_replies, pool_labels, ranking_sentence
from evalcore.runs.record import RunRecord
from evalcore.stats.numbers import mean
from evalcore.stats.ranks import RankRange
from evalcore.structs import JsonValue

_ID_DIGITS: Final = 10


def component_rankings(records: Sequence[RunRecord], cache: Cache) -> list[Ranking]:
    """Rank the newest version that has a complete run; also the one before, where that has more models.

    The history has all versions. Where there is no complete run, the newest version's partial ones stand.
    """
    # Ranks and pooled intervals take nearly all of the time: of five versions, four fifths of it would go
    # into tables that nobody opens.
    shown = _ranked_versions(records)
    return rankings((record for record in records if record.component_version in shown), cache)


def _ranked_versions(records: Sequence[RunRecord]) -> set[str]:
    evaluated = evaluated_versions(records)
    if not evaluated:
        return {max((record.component_version for record in records), key=version_order, default="")}
    newest, *earlier = evaluated
    # While a version is being evaluated, a reader needs the one before.
    is_under_way = bool(earlier) and len(_models(records, newest)) < len(_models(records, earlier[0]))
    return {newest, earlier[0]} if is_under_way else {newest}


def _models(records: Sequence[RunRecord], version: str) -> set[str]:
    return {
        record.model
        for record in records
        if record.component_version == version and record.status == "complete"
    }


def ranking_view(ranking: Ranking, component: ComponentFacts, library: LibraryFacts) -> RankingView:
    """Put a ranking as the pages show it."""
    labels = pool_labels(ranking)
    is_current_policy = ranking.policy_sha256 == component.policy_sha256
    measures = {row.newest.accuracy.measures for row in ranking.rows}
    return RankingView(
        id=ranking_id(ranking),
        component_version=ranking.component_version,
        scoring_version=ranking.scoring_version,
        prompt_sha256=ranking.prompt_sha256,
        schema_sha256=ranking.schema_sha256,
        policy_sha256=ranking.policy_sha256,
        cases_sha256=ranking.cases_sha256,
        cases=ranking.cases,
        are_cases_shared=ranking.are_cases_shared,
        all_right_of=ranking.all_right_of,
        is_current_version=ranking.component_version == component.version,
        is_current_prompt=ranking.prompt_sha256 == component.prompt_sha256,
        # A policy of the data sets wins over the library's: without them nobody knows which one applies.
        is_current_policy=is_current_policy if is_current_policy or library.has_data_sets else None,
        measures="wording" if measures == {"wording"} else "correctness",
        sentence=ranking_sentence(ranking),
        notes=(*notes_of(ranking), *rightness_notes(ranking), *chance_notes(ranking)),
        rows=tuple(
            _row(row, label, component.reports, library, is_superseded=_is_superseded(row, ranking.rows))
            for row, label in zip(ranking.rows, labels, strict=True)
        ),
    )


def ranking_id(ranking: Ranking) -> str:
    """Return what a ranking is called in links: by what it is of, not by its place."""
    # A link keeps its ranking when another one is added before it.
    parts: list[JsonValue] = [
        ranking.component_version,
        ranking.scoring_version,
        ranking.prompt_sha256,
        ranking.schema_sha256,
        ranking.policy_sha256,
        ranking.cases_sha256,
        ranking.are_cases_shared,
    ]
    return f"r{sha256_hex(fingerprint(parts))[:_ID_DIGITS]}"


def links_of(record: RunRecord, reports: Iterable[Report], library: LibraryFacts) -> Links:
    """Return where a run can be looked up."""
    report = next((one for one in reports if one.run_id in {record.run_id, record.rescored_from}), None)
    return Links(
        commit=library.commit_link(record.prompt_commit),
        pull_request=library.pull_request_link(record.job_id, record.origin),
        report=None if report is None else report.url,
        report_path=None if report is None else report.path,
    )


def _is_superseded(row: RankedPool, rows: Sequence[RankedPool]) -> bool:
    """Whether another complete row differs from it in the server alone, and is newer."""
    return any(
        other.status == row.status == "complete"
        and (other.model, other.provider, other.params, other.structured_output)
        == (row.model, row.provider, row.params, row.structured_output)
        and other.newest.finished_at > row.newest.finished_at
        for other in rows
    )


def _row(
    row: RankedPool, label: str, reports: Sequence[Report], library: LibraryFacts, *, is_superseded: bool
) -> RankingRow:
    newest, records = row.newest, row.records
    calls = CallOutcomes(
        **{
            name: sum(getattr(record.calls, name) for record in records)
            for name in CallOutcomes.__struct_fields__
        }
    )
    chance = mean(one for record in records if (one := record.reproducibility.by_chance) is not None)
    valid = mean(one for record in records if (one := record.schema_valid_rate) is not None)
    costs = [record.cost_usd for record in records if record.cost_usd is not None]
    return RankingRow(
        label=label,
        model=row.model,
        page=model_page(row.model),
        provider=row.provider,
        params=row.params,
        structured_output=row.structured_output,
        server=row.server,
        status=row.status,
        reason=newest.reason if row.status == "partial" else None,
        rank=_range(row.rank),
        rank_like_cases=_range(row.like_cases),
        is_superseded=is_superseded,
        is_level_with_best=row.rank is not None and row.rank.best == 1,
        accuracy=figure(row.accuracy),
        ci95=interval(row.ci95),
        exact_rate=figure(row.exact_rate),
        all_right_rate=figure(row.all_right_rate),
        reproducibility=figure(row.reproducibility),
        by_chance=figure(chance),
        schema_valid_rate=figure(valid),
        replies=row.replies,
        calls=calls,
        cost_usd_per_1000_replies=figure(cost_of_replies(row)),
        cost_usd_per_run=figure(mean(costs)) if len(costs) == len(records) else None,
        latency_p50_ms=newest.latency_ms.p50,
        latency_p95_ms=newest.latency_ms.p95,
        prompt_tokens=_tokens_per_reply(records, [record.tokens.prompt for record in records]),
        completion_tokens=_tokens_per_reply(records, [record.tokens.completion for record in records]),
        drifting=any(record.drifting for record in records),
        hardly_reads_its_input=any(record.hardly_reads_its_input for record in records),
        run_ids=tuple(record.run_id for record in records),
        finished_at=newest.finished_at,
        links=links_of(newest, reports, library),
    )


def _tokens_per_reply(records: Sequence[RunRecord], tokens: Sequence[int | None]) -> float | None:
    known = [count for count in tokens if count is not None]
    replies = sum(record.calls.ok + record.calls.parse_error for record in records)
    if len(known) < len(tokens) or not replies:
        return None
    return figure(sum(known) / replies)


def _range(rank: RankRange | None) -> tuple[int, int] | None:
    return None if rank is None else (rank.best, rank.worst)
