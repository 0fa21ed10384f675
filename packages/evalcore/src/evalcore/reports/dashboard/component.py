"""One component's part of the dashboard: from its leaderboard and what the library says of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalcore.decoding import convert
from evalcore.formats.versions import version_order
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.reports.dashboard.failures import failures_of
from evalcore.reports.dashboard.gaps import freshness, gaps_of, starts
from evalcore.reports.dashboard.history import changes_of, compared_versions, histories
from evalcore.reports.dashboard.paths import component_page
from evalcore.reports.dashboard.rankings import component_rankings, ranking_view
from evalcore.reports.dashboard.site import (
    ComponentView,
    History,
    HistoryPoint,
    ModelInComponent,
    RankingRow,
    RankingView,
    VersionView,
)
from evalcore.reports.ranking import Cache
from evalcore.runs.leaderboard import Leaderboard, known_records
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import first_run_id, newest_scoring
from evalcore.structs import Frozen, JsonValue


class ModelDigest(Frozen, frozen=True):
    """A model at one component."""

    provider: str
    figures: ModelInComponent


class ComponentDigest(Frozen, frozen=True):
    """All that the dashboard needs of one component: a function of its leaderboard and of the facts."""

    view: ComponentView
    models: dict[str, ModelDigest]
    """Those with a run there, and those of models.yaml."""
    newest_run_at: str | None
    replies: int


def component_digest(
    component: ComponentFacts,
    leaderboard: Leaderboard | None,
    library: LibraryFacts,
    cache: Cache,
    *,
    leaderboard_problem: str | None = None,
) -> ComponentDigest:
    """Work out a component's part. Without a leaderboard it has no run, or its file is damaged."""
    records = [] if leaderboard is None else [_encodable(record) for record in known_records(leaderboard)]
    found = component_rankings(records, cache)
    ranked = tuple(ranking_view(ranking, component, library) for ranking in found)
    compared = compared_versions(records, cache)
    history = histories(records, compared, component, library, cache)
    counted = newest_scoring(records)
    view = ComponentView(
        slug=component.slug,
        page=component_page(component.slug),
        name=component.name,
        description=component.description,
        category=component.category,
        version=component.version,
        source=library.file(f"components/{component.slug}"),
        problem=component.problem,
        leaderboard_problem=leaderboard_problem,
        foreign_runs=0 if leaderboard is None else len(leaderboard.runs) - len(records),
        runs=len({first_run_id(record) for record in records}),
        policy_path=component.policy_path,
        versions=_versions(component, counted),
        rankings=ranked,
        changes=changes_of(compared),
        history=history,
        failures=failures_of(found[0]) if found else None,
        reports=component.reports,
        # Of a damaged leaderboard nobody knows what has been evaluated.
        gaps=() if leaderboard_problem is not None else gaps_of(component, counted, library),
        start=starts(component.slug, library),
    )
    return ComponentDigest(
        view=view,
        models=_models(component, counted, view, library) if leaderboard_problem is None else {},
        newest_run_at=max((record.finished_at for record in records), default=None),
        replies=sum(record.calls.ok + record.calls.parse_error for record in _first_scorings(records)),
    )


def _encodable(record: RunRecord) -> RunRecord:
    """Replace halves of surrogate pairs, which JSON can spell and no page can hold."""
    try:
        msgspec.json.encode(record)
    except UnicodeEncodeError:
        return convert(_mended(msgspec.to_builtins(record)), RunRecord)
    return record


def _mended(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        # Through UTF-16, where two halves side by side are the character that they were meant to be.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {str(_mended(key)): _mended(item) for key, item in value.items()}
    return value


def _first_scorings(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Return one record of each run, however often it was scored."""
    # Reversed, so that of several scorings the first one stays.
    return list({first_run_id(record): record for record in reversed(records)}.values())


def _versions(component: ComponentFacts, records: Sequence[RunRecord]) -> tuple[VersionView, ...]:
    by_version: dict[str, list[RunRecord]] = {}
    for record in records:
        by_version.setdefault(record.component_version, []).append(record)
    if component.version is not None:
        by_version.setdefault(component.version, [])
    ordered = sorted(by_version, key=version_order, reverse=True)
    return tuple(_version(version, by_version[version], component) for version in ordered)


def _version(version: str, records: Sequence[RunRecord], component: ComponentFacts) -> VersionView:
    ended = [record.finished_at for record in records]
    return VersionView(
        component_version=version,
        is_current=version == component.version,
        runs=len({first_run_id(record) for record in records}),
        complete_models=len({record.model for record in records if record.status == "complete"}),
        partial_runs=len({first_run_id(record) for record in records if record.status != "complete"}),
        first_at=min(ended, default=None),
        last_at=max(ended, default=None),
    )


def _models(
    component: ComponentFacts, records: Sequence[RunRecord], view: ComponentView, library: LibraryFacts
) -> dict[str, ModelDigest]:
    configured = {model.id: model for model in library.models}
    by_model: dict[str, list[RunRecord]] = {model: [] for model in configured}
    for record in records:
        by_model.setdefault(record.model, []).append(record)
    histories_of = {history.model: history for history in view.history}
    found = {}
    for model, of_model in sorted(by_model.items()):
        # A model that models.yaml no longer has is shown with what its last run says.
        known = configured.get(model)
        provider = known.provider if known is not None else of_model[-1].provider
        facts = known or ModelFacts(model, provider)
        found[model] = ModelDigest(
            provider=provider,
            figures=_model(component, facts, of_model, view.rankings, histories_of.get(model), library),
        )
    return found


def _model(
    component: ComponentFacts,
    model: ModelFacts,
    records: Sequence[RunRecord],
    ranked: Sequence[RankingView],
    history: History | None,
    library: LibraryFacts,
) -> ModelInComponent:
    complete = [record for record in records if record.status == "complete"]
    validated = max(
        complete,
        key=lambda record: (
            # The newest version, and of it what was asked with the present text, says most of the component
            # as it is.
            version_order(record.component_version),
            record.prompt_sha256 == component.prompt_sha256,
            record.finished_at,
        ),
        default=None,
    )
    state, sentence = freshness(component, validated, has_partial=bool(records))
    point = _newest_point(history, validated)
    ranking, row = _row_of(model.id, validated, ranked)
    return ModelInComponent(
        component=component.slug,
        component_page=component_page(component.slug),
        component_version=component.version,
        validated_at=None if validated is None else validated.component_version,
        freshness=state,
        sentence=sentence,
        ranking_id=None if ranking is None else ranking.id,
        rank=None if row is None else row.rank,
        of=0 if ranking is None else sum(one.rank is not None for one in ranking.rows),
        accuracy=row.accuracy if row is not None else None if point is None else point.accuracy,
        ci95=row.ci95 if row is not None else None if point is None else point.ci95,
        reproducibility=(
            row.reproducibility if row is not None else None if point is None else point.reproducibility
        ),
        cost_usd_per_1000_replies=None if row is None else row.cost_usd_per_1000_replies,
        latency_p50_ms=None if row is None else row.latency_p50_ms,
        drifting=(row.drifting if row is not None else point is not None and point.drifting),
        verdict=None if point is None else point.verdict,
        finished_at=None if validated is None else validated.finished_at,
        starts=starts(component.slug, library, model),
    )


def _newest_point(history: History | None, validated: RunRecord | None) -> HistoryPoint | None:
    """Return the point that the newest complete run is of."""
    if history is None or validated is None:
        return None
    return next(
        (point for point in history.points if any(run.run_id == validated.run_id for run in point.runs)),
        None,
    )


def _row_of(
    model: str, validated: RunRecord | None, ranked: Sequence[RankingView]
) -> tuple[RankingView | None, RankingRow | None]:
    """Return the ranking, and in it the row, that the newest complete run counts in."""
    for ranking in ranked:
        for row in ranking.rows:
            if validated is not None and row.model == model and validated.run_id in row.run_ids:
                return ranking, row
    return None, None
