"""How each model did over versions and time, and what the comparisons between versions say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from evalcore.compare.pool import Pool, changed_conditions, pools, pools_by_one_policy
from evalcore.compare.verdict import Comparison, Outcome, compare_pools, reasons
from evalcore.compare.versions import evaluated_versions, previous_version
from evalcore.decoding import convert
from evalcore.formats.strict_json import fingerprint, sha256_hex
from evalcore.formats.versions import Version, version_order
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.reports.dashboard.paths import model_page
from evalcore.reports.dashboard.rankings import links_of
from evalcore.reports.dashboard.rounding import figure, interval
from evalcore.reports.dashboard.site import (
    History,
    HistoryPoint,
    Interval,
    RunView,
    VerdictView,
    VersionChange,
)
from evalcore.reports.ranking import Cache, Draws, agreement, pool_interval
from evalcore.reports.sentences import change_sentence
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import first_run_id, newest_scoring
from evalcore.stats.numbers import mean
from evalcore.structs import Frozen, JsonValue

METHOD: Final = 1
"""Raised whenever the same records could give other verdicts, so that none cached are taken."""
_STATED: Final = ("version", "quantization", "context_length")
"""What of a server marks a change; its backends come and go with the load."""
MOST_REPLIES: Final = 3_000
"""That the intervals of pools are worked out of, the newest first: they take most of the time. A single run
has its interval in its record."""
_SIGNIFICANT: Final = {"regression", "improvement"}


class ComparedVersions(Frozen, frozen=True):
    """A version against the one before: the sentence, and each model's verdict by the runs it is about."""

    component_version: str
    previous: str
    sentence: str
    verdicts: dict[str, VerdictView]
    """By the newest run of the later side."""


def compared_versions(records: Sequence[RunRecord], cache: Cache) -> list[ComparedVersions]:
    """Compare each version that has a complete run with the one before, as `evalcli compare` does."""
    by_version: dict[str, list[Pool]] = defaultdict(list)
    for pool in pools(records):
        by_version[pool.version].append(pool)
    found = []
    for version in evaluated_versions(records):
        previous = previous_version(records, version)
        if previous is None:
            continue
        old, new = by_version[previous], by_version[version]
        # Others have nothing to be compared with, and would only be listed as such.
        both = {pool.model for pool in old} & {pool.model for pool in new}
        sides = pools_by_one_policy(
            [pool for pool in old if pool.model in both], [pool for pool in new if pool.model in both]
        )
        found.append(_compared(*sides, cache) if both else ComparedVersions(version, previous, "", {}))
    return found


def changes_of(compared: Iterable[ComparedVersions]) -> tuple[VersionChange, ...]:
    """Return the sentences, the newest version first."""
    return tuple(
        VersionChange(one.component_version, one.previous, one.sentence) for one in compared if one.sentence
    )


def histories(
    records: Sequence[RunRecord],
    compared: Iterable[ComparedVersions],
    component: ComponentFacts,
    library: LibraryFacts,
    cache: Cache,
) -> tuple[History, ...]:
    """Return each model's points, by model."""
    verdicts = {run_id: verdict for one in compared for run_id, verdict in one.verdicts.items()}
    by_model: dict[str, list[Pool]] = defaultdict(list)
    # Scored again by a later policy, the same replies would stand there twice, as two points of one time.
    for pool in _not_superseded(pools(records)):
        by_model[pool.model].append(pool)
    for record in newest_scoring(records):
        if record.status != "complete":
            by_model[record.model].append(Pool((record,)))
    by_server = _server_verdicts(by_model, cache)
    intervals = _intervals(by_model, cache)
    found = []
    for model, of_model in sorted(by_model.items()):
        ordered = sorted(of_model, key=_place)
        points = []
        before: Pool | None = None
        for pool in ordered:
            newest = pool.newest
            is_complete = newest.status == "complete"
            points.append(
                HistoryPoint(
                    component_version=pool.version,
                    status=newest.status,
                    scoring_version=newest.scoring_version,
                    first_at=pool.records[0].finished_at,
                    last_at=newest.finished_at,
                    accuracy=figure(_accuracy(pool)),
                    ci95=interval(intervals.get(newest.run_id, newest.accuracy.ci95)),
                    reproducibility=figure(_reproducibility(pool)),
                    replies=sum(record.calls.ok + record.calls.parse_error for record in pool.records),
                    server_changed=_changed_server(before, pool),
                    also_changed=_also_changed(before, pool),
                    drifting=any(record.drifting for record in pool.records),
                    verdict=verdicts.get(newest.run_id) if is_complete else None,
                    since_server_changed=by_server.get(newest.run_id) if is_complete else None,
                    runs=tuple(_run(record, component, library) for record in pool.records),
                )
            )
            # A partial run says too little to be what the next one is seen beside.
            before = pool if is_complete else before
        page, provider = model_page(model), ordered[-1].newest.provider
        found.append(History(model=model, page=page, provider=provider, points=tuple(points)))
    return tuple(found)


def _intervals(by_model: Mapping[str, Sequence[Pool]], cache: Cache) -> dict[str, Interval | None]:
    """Return the intervals of pools of several runs, by their newest run; None of those left out."""
    several = [pool for found in by_model.values() for pool in found if len(pool.records) > 1]
    intervals: dict[str, Interval | None] = {}
    replies = 0
    newest = evaluated_versions(record for pool in several for record in pool.records)[:1]
    draws = {cases: Draws(cases) for cases in {pool.newest.cases_sha256 for pool in several}}
    # The newest first: what is left out is old.
    for pool in sorted(several, key=_place, reverse=True):
        replies += sum(record.cases * record.replicates for record in pool.records)
        # Those of the newest version are in the ranking anyway.
        is_worked_out = replies <= MOST_REPLIES or pool.version in newest
        own = draws[pool.newest.cases_sha256]
        intervals[pool.newest.run_id] = pool_interval(pool, own, cache) if is_worked_out else None
    return intervals


def _compared(old: Sequence[Pool], new: Sequence[Pool], cache: Cache) -> ComparedVersions:
    """Compare two versions' pools, at most one of each model on a side; or find what was said of them."""
    previous, version = old[0].version, new[0].version
    key = _key("versions", [_contents(pool) for pool in (*old, *new)])
    try:
        return convert(cache.get(key), ComparedVersions)
    except msgspec.ValidationError:
        # The exact p of what is no change is on no page, and takes up to a tenth of a second for each model.
        outcomes = compare_pools(old, new, verdicts_only=True)
    before = {pool.model: pool for pool in old}
    after = {pool.model: pool for pool in new}
    found = ComparedVersions(
        component_version=version,
        previous=previous,
        sentence=change_sentence({outcome.model: outcome for outcome in outcomes}, previous),
        verdicts={
            after[outcome.model].newest.run_id: _verdict(outcome, before[outcome.model])
            for outcome in outcomes
        },
    )
    cache[key] = msgspec.to_builtins(found)
    return found


def _server_verdicts(by_model: Mapping[str, Sequence[Pool]], cache: Cache) -> dict[str, VerdictView]:
    """Compare pools of one version that differ in their server alone, each with the one before it."""
    pairs = []
    for found in by_model.values():
        complete = sorted((pool for pool in found if pool.newest.status == "complete"), key=_place)
        pairs += [
            (one, other)
            for one, other in pairwise(complete)
            if one.version == other.version and not _also_changed(one, other) and _changed_server(one, other)
        ]
    return {
        other.newest.run_id: verdict
        for one, other in pairs
        for verdict in _compared([one], [other], cache).verdicts.values()
    }


def _verdict(outcome: Outcome, before: Pool) -> VerdictView:
    run_ids = tuple(record.run_id for record in before.records)
    if not isinstance(outcome, Comparison):
        return VerdictView(
            against_version=before.version,
            against_run_ids=run_ids,
            verdict=None,
            reason=outcome.reason,
            change=None,
            p=None,
            is_significant=False,
        )
    is_significant = outcome.verdict in _SIGNIFICANT
    return VerdictView(
        against_version=before.version,
        against_run_ids=run_ids,
        verdict=outcome.verdict,
        reason="; ".join(reasons(outcome)),
        change=figure(outcome.change),
        p=figure(min(outcome.p_regression, outcome.p_improvement)) if is_significant else None,
        is_significant=is_significant,
    )


def _run(record: RunRecord, component: ComponentFacts, library: LibraryFacts) -> RunView:
    return RunView(
        run_id=record.run_id,
        job_id=record.job_id,
        origin=record.origin,
        finished_at=record.finished_at,
        accuracy=record.accuracy.mean,
        ci95=record.accuracy.ci95,
        reproducibility=record.reproducibility.mean,
        drifting=bool(record.drifting),
        is_rescored=record.rescored_from is not None,
        links=links_of(record, component.reports, library),
    )


def _accuracy(pool: Pool) -> float | None:
    if len(pool.records) == 1:
        return pool.newest.accuracy.mean
    scores = pool.scores()
    return mean(mean(case) or 0.0 for case in scores.values()) if scores else pool.newest.accuracy.mean


def _reproducibility(pool: Pool) -> float | None:
    if len(pool.records) == 1:
        return pool.newest.reproducibility.mean
    return agreement(pool, set(pool.scores()))


def _changed_server(before: Pool | None, after: Pool) -> tuple[str, ...]:
    """Name what both servers say, and say differently: a silent one may be the same."""
    if before is None:
        return ()
    old, new = before.server, after.server
    return tuple(
        name
        for name in _STATED
        if None not in {getattr(old, name), getattr(new, name)} and getattr(old, name) != getattr(new, name)
    )


def _also_changed(before: Pool | None, after: Pool) -> tuple[str, ...]:
    if before is None:
        return ()
    old, new = before.newest, after.newest
    others = {
        "cases": old.cases_sha256 != new.cases_sha256,
        "policy": old.policy_sha256 != new.policy_sha256,
        "scoring": old.scoring_version != new.scoring_version,
    }
    # Between versions it is the prompt that changes, and that goes without saying.
    if before.version == after.version:
        others["prompt"] = old.prompt_sha256 != new.prompt_sha256
    return (*changed_conditions(before, after), *(name for name, is_so in others.items() if is_so))


def _not_superseded(found: Sequence[Pool]) -> list[Pool]:
    """Leave out pools whose every run stands again in a later pool, scored by another policy."""
    kept = []
    for at, pool in enumerate(found):
        runs = {first_run_id(record) for record in pool.records}
        is_again = any(
            later.model == pool.model
            and later.newest.rescored_from is not None
            and runs <= {first_run_id(record) for record in later.records}
            for later in found[at + 1 :]
        )
        if not is_again:
            kept.append(pool)
    return kept


def _place(pool: Pool) -> tuple[tuple[bool, Version, str], str, str]:
    return (version_order(pool.version), pool.newest.finished_at, pool.newest.run_id)


def _contents(pool: Pool) -> JsonValue:
    newest = pool.newest
    return [
        pool.model,
        pool.version,
        newest.provider,
        newest.structured_output,
        newest.params,
        newest.prompt_sha256,
        newest.schema_sha256,
        newest.policy_sha256,
        newest.scoring_version,
        # Not for the verdict, but for what is stored with it: the runs that it names.
        [record.run_id for record in pool.records],
        [msgspec.to_builtins(record.server) for record in pool.records],
        [[list(key), list(scores)] for key, scores in sorted(pool.scores().items())],
    ]


def _key(purpose: str, value: JsonValue) -> str:
    return sha256_hex(fingerprint([METHOD, purpose, value]))
