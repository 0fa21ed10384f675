"""How models stand beside each other: pools of runs, and the ranks that their replies leave open."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from evalcore.compare.pool import CaseKey, Pool, params_but_seed, pools
from evalcore.decoding import convert
from evalcore.formats.strict_json import fingerprint, rounded, sha256_hex
from evalcore.formats.versions import version_order
from evalcore.library.models import StructuredOutput
from evalcore.runs.plan import Server
from evalcore.runs.record import RunRecord, RunStatus
from evalcore.runs.rescoring import newest_scoring
from evalcore.stats.draws import DrawSource, SharedDraws
from evalcore.stats.numbers import mean
from evalcore.stats.permutation import Cases
from evalcore.stats.ranks import RankRange, rank_ranges, rank_ranges_of_like_cases
from evalcore.stats.uncertainty import Interval, accuracy_interval, all_right_rates, share_interval
from evalcore.structs import Frozen, JsonObject, JsonValue

METHOD = 3
"""Raised whenever the same replies could give other ranks or intervals, so that none cached are taken."""

Cache: TypeAlias = MutableMapping[str, JsonValue]
"""What was worked out before, by the SHA-256 of what it was worked out of; the caller stores it."""


class RankedPool(Frozen, frozen=True):
    """One row of a ranking: runs that count together; or one partial run, which is not ranked."""

    model: str
    provider: str
    params: JsonObject
    """Without the seed."""
    structured_output: StructuredOutput
    server: Server
    rank: RankRange | None
    """For these cases: which ranks the replies leave open. None of a partial run."""
    like_cases: RankRange | None
    """The same for cases like these; None below ten cases."""
    accuracy: float | None
    ci95: Interval | None
    exact_rate: float | None
    """The share of replies that are right throughout; None where a record does not say."""
    exact_rate_ci95: Interval | None
    all_right_rate: float | None
    """The chance that `Ranking.all_right_of` replies to a case are all right."""
    all_right_rate_ci95: Interval | None
    reproducibility: float | None
    replies: int
    status: RunStatus
    records: tuple[RunRecord, ...]
    """The runs, the oldest first."""

    @property
    def newest(self) -> RunRecord:
        """The run that ended last."""
        return self.records[-1]


class Ranking(Frozen, frozen=True):
    """Pools of one version with the same cases, policy and scoring, in the order of their ranks."""

    component_version: str
    scoring_version: int
    prompt_sha256: str
    schema_sha256: str | None
    policy_sha256: str | None
    cases_sha256: str
    cases: int
    are_cases_shared: bool
    """Whether this is over the cases that several sets of them have in common."""
    all_right_of: int
    """How many replies to a case must be right for `all_right_rate`: the fewest that any pool has; or 0."""
    rows: tuple[RankedPool, ...]


def rankings(records: Iterable[RunRecord], cache: Cache | None = None) -> list[Ranking]:
    """Rank all there is: one ranking for each version, prompt, schema, policy, scoring and set of cases.

    The newest version comes first, then the ranking of most models, and of several the one that was measured
    or scored again last. Where rankings of a version differ in their cases alone, one more is over the cases
    that all of these share.
    """
    # Of several scorings of a run by one policy the newest counts: the same replies must not rank twice.
    known = newest_scoring(records)
    cache = {} if cache is None else cache
    groups: dict[bytes, list[RunRecord]] = defaultdict(list)
    for record in known:
        groups[fingerprint(_group(record))].append(record)
    by_cases: dict[bytes, list[RunRecord]] = defaultdict(list)
    for members in groups.values():
        # Groups of partial runs alone are left out: they have nothing to be ranked.
        if any(record.status == "complete" for record in members):
            by_cases[fingerprint(_group(members[0])[:-1])] += members
    found = [_ranking(members, None, cache) for members in groups.values()]
    found += [
        _ranking([one for one in members if one.status == "complete"], shared, cache)
        for members in by_cases.values()
        if len({record.cases_sha256 for record in members}) > 1 and (shared := _shared(members))
    ]
    # What was measured by the present prompt, policy and cases stands above what they replaced.
    found.sort(key=_measured_last, reverse=True)
    found.sort(key=_largest_first)
    return sorted(found, key=lambda one: version_order(one.component_version), reverse=True)


def ranking_object(ranking: Ranking) -> JsonObject:
    """Write a ranking as `leaderboard show --json` has it."""
    head: JsonObject = {
        "component_version": ranking.component_version,
        "scoring_version": ranking.scoring_version,
        "prompt_sha256": ranking.prompt_sha256,
        "schema_sha256": ranking.schema_sha256,
        "policy_sha256": ranking.policy_sha256,
        "cases_sha256": ranking.cases_sha256,
    }
    models: list[JsonValue] = [rounded(_row_object(row)) for row in ranking.rows]
    return {**head, "models": models}


def _row_object(row: RankedPool) -> JsonObject:
    return {
        "model": row.model,
        "provider": row.provider,
        "params": row.params,
        "structured_output": row.structured_output,
        "server": msgspec.to_builtins(row.server),
        "rank": None if row.rank is None else [row.rank.best, row.rank.worst],
        "accuracy": row.accuracy,
        "ci95": None if row.ci95 is None else list(row.ci95),
        "reproducibility": row.reproducibility,
        "runs": len(row.records),
        "replies": row.replies,
        "status": row.status,
    }


def _group(record: RunRecord) -> list[JsonValue]:
    return [
        record.component_version,
        record.scoring_version,
        record.prompt_sha256,
        record.schema_sha256,
        record.policy_sha256,
        record.cases_sha256,
    ]


def _largest_first(ranking: Ranking) -> tuple[int, int, bool]:
    return (
        -len({row.model for row in ranking.rows}),
        -ranking.scoring_version,
        not ranking.are_cases_shared,
    )


def _measured_last(ranking: Ranking) -> tuple[str, bool, str, str, str, str]:
    # A record by a later policy ends when its run did: that it was scored again is what makes it the later.
    ended, is_rescored = max(
        (record.finished_at, record.rescored_from is not None)
        for row in ranking.rows
        for record in row.records
    )
    return (
        ended,
        is_rescored,
        ranking.prompt_sha256,
        ranking.cases_sha256,
        ranking.schema_sha256 or "",
        ranking.policy_sha256 or "",
    )


def _shared(members: Sequence[RunRecord]) -> dict[CaseKey, str]:
    """Return the cases that all complete runs have, with the name of each."""
    found = pools(members, of_any_cases=True)
    one_by_one = [dict(Pool(records=(record,)).results()) for pool in found for record in pool.records]
    keys = set.intersection(*(set(results) for results in one_by_one))
    # A case is known by its contents, and two data sets may name it differently.
    return {key: min(results[key].case for results in one_by_one) for key in keys}


def _ranking(members: Sequence[RunRecord], shared: dict[CaseKey, str] | None, cache: Cache) -> Ranking:
    first = members[0]
    found = pools(members, of_any_cases=shared is not None)
    scores = [pool.scores() for pool in found]
    # Only cases that all have replies to: a model must not rank higher for having failed on a hard one.
    every = set.intersection(*map(set, scores)) if scores else set()
    keys = sorted(every if shared is None else every & shared.keys())
    compared = [[one[key] for key in keys] for one in scores]
    cases_sha256 = first.cases_sha256
    if shared is not None:
        # As a plan's hash is made: these cases have one hash, and with it one seed, however they came
        # together.
        lines = sorted(f"{shared[key]}\0{key[0]}\n" for key in keys)
        cases_sha256 = sha256_hex("".join(lines).encode())
    ranks, like_cases = _ranks(compared, cache)
    fewest = min((len(right) for pool in found for right in pool.rightness().values()), default=0)
    over = _Over(keys, shared is not None, fewest, Draws(cases_sha256))
    rows = [
        _row(found[at], ranks[at], like_cases[at], over, cache)
        # Those that take the same draws one after the other: most of the time is spent on these.
        for at in sorted(range(len(found)), key=lambda at: _drawn_for(found[at], scores[at]))
    ]
    rows += [_partial(record) for record in members if record.status != "complete"]
    return Ranking(
        component_version=first.component_version,
        scoring_version=first.scoring_version,
        prompt_sha256=first.prompt_sha256,
        schema_sha256=first.schema_sha256,
        policy_sha256=first.policy_sha256,
        cases_sha256=cases_sha256,
        cases=len(keys) if found else first.cases,
        are_cases_shared=shared is not None,
        all_right_of=fewest,
        rows=tuple(sorted(rows, key=_place)),
    )


def _place(row: RankedPool) -> tuple[float, float, str, str]:
    # Partial runs have no rank and stand last, the better first.
    best = math.inf if row.rank is None else row.rank.best
    return best, -(row.accuracy or 0.0), row.model, row.newest.run_id


def _ranks(compared: Sequence[Cases], cache: Cache) -> tuple[list[RankRange], list[RankRange | None]]:
    """Work out the ranks; in the same order of pools, whatever they are called, they are the same."""
    if not compared or not compared[0]:
        return [RankRange(1, len(compared)) for _ in compared], [None] * len(compared)
    # By the scores alone, not by run ids: what is ranked again under other names is found again.
    key = _key("ranks", [[list(case) for case in model] for model in compared])
    stored = _as_ranks(cache.get(key), len(compared))
    if stored is None:
        like = rank_ranges_of_like_cases(compared)
        own = rank_ranges(compared)
        stored = own, [None] * len(compared) if like is None else list[RankRange | None](like)
        cache[key] = [
            [[one.best, one.worst] for one in own],
            None if like is None else [[one.best, one.worst] for one in like],
        ]
    return stored


_Ranges: TypeAlias = list[tuple[int, int]]


def _as_ranks(value: JsonValue, count: int) -> tuple[list[RankRange], list[RankRange | None]] | None:
    """Read cached ranks; None for anything else, which is then worked out anew."""
    try:
        own, like = convert(value, tuple[_Ranges, _Ranges | None])
    except msgspec.ValidationError:
        return None
    # A cache can be of another program, or damaged: what does not fit is worked out anew.
    if len(own) != count or (like is not None and len(like) != count):
        return None
    ranges = [RankRange(*one) for one in own]
    return ranges, [None] * count if like is None else [RankRange(*one) for one in like]


class _Over(NamedTuple):
    """What the figures of a ranking are over."""

    keys: Sequence[CaseKey]
    """The cases that all of its pools have replies to."""
    are_shared: bool
    all_right_of: int
    draws: Draws


def _drawn_for(pool: Pool, scores: Mapping[CaseKey, Sequence[float]]) -> tuple[list[bool], list[int]]:
    """Return what the draws of a pool's intervals depend on: where scores differ, and how many are right."""
    return [case[0] < case[-1] for case in scores.values()], list(map(sum, pool.rightness().values()))


def _row(pool: Pool, rank: RankRange, like_cases: RankRange | None, over: _Over, cache: Cache) -> RankedPool:
    scores, rightness = pool.scores(), pool.rightness()
    # In the order in which `compare` has them: the same replies have one interval, wherever it is shown.
    keys = over.keys if over.are_shared else list(scores)
    own, right = [scores[key] for key in keys], [rightness[key] for key in keys if key in rightness]
    newest = pool.newest
    # A single run has its intervals in its record, and the same figure must stand everywhere.
    stored = newest.accuracy if len(pool.records) == 1 and not over.are_shared else None
    ci95 = stored.ci95 if stored is not None else None
    right_ci95 = stored.exact_rate_ci95 if stored is not None else None
    # The record's is of all replies that each of its cases has; the ranking's may be of fewer.
    is_of_all = over.all_right_of == min(map(len, right), default=0)
    every_ci95 = stored.all_right_rate_ci95 if stored is not None and is_of_all else None
    every = all_right_rates(right, over.all_right_of) or []
    return RankedPool(
        model=pool.model,
        provider=newest.provider,
        params=params_but_seed(newest),
        structured_output=newest.structured_output,
        server=pool.server,
        rank=rank,
        like_cases=like_cases,
        accuracy=mean(mean(case) or 0.0 for case in own) if own else newest.accuracy.mean,
        ci95=ci95 or _interval(own, "accuracy", over.draws, cache),
        exact_rate=mean(sum(case) / len(case) for case in right),
        exact_rate_ci95=right_ci95
        or _interval(right, "exact", over.draws, cache, lambda source: share_interval(right, source)),
        all_right_rate=mean(every),
        all_right_rate_ci95=every_ci95
        or _interval([[rate] for rate in every], "all right", over.draws, cache),
        reproducibility=agreement(pool, set(keys)),
        replies=sum(map(len, own)),
        status="complete",
        records=pool.records,
    )


def _partial(record: RunRecord) -> RankedPool:
    return RankedPool(
        model=record.model,
        provider=record.provider,
        params=params_but_seed(record),
        structured_output=record.structured_output,
        server=record.server,
        rank=None,
        like_cases=None,
        accuracy=record.accuracy.mean,
        ci95=record.accuracy.ci95,
        exact_rate=record.accuracy.exact_rate,
        exact_rate_ci95=record.accuracy.exact_rate_ci95,
        all_right_rate=None,
        all_right_rate_ci95=None,
        reproducibility=record.reproducibility.mean,
        replies=record.calls.ok + record.calls.parse_error,
        status="partial",
        records=(record,),
    )


class Draws:
    """The draws for intervals over one set of cases: those by which the intervals of records are made."""

    def __init__(self, cases_sha256: str) -> None:
        self.cases_sha256 = cases_sha256
        self._sources: dict[str, SharedDraws] = {}

    def source(self, purpose: str) -> DrawSource:
        """Return those for intervals of one kind."""
        if purpose not in self._sources:
            self._sources[purpose] = SharedDraws(purpose, self.cases_sha256)
        return self._sources[purpose]


def pool_interval(pool: Pool, draws: Draws, cache: Cache) -> Interval | None:
    """Return the interval of a pool over all its cases: a single run's is that of its record.

    The draws are those of its cases.
    """
    own = pool.newest.accuracy.ci95 if len(pool.records) == 1 else None
    return own or _interval(list(pool.scores().values()), "accuracy", draws, cache)


def _interval(
    values: Cases,
    purpose: str,
    draws: Draws,
    cache: Cache,
    method: Callable[[DrawSource], Interval | None] | None = None,
) -> Interval | None:
    """Return the interval of a mean over cases; the purpose is that by which records seed theirs.

    `method` makes it where that is not `accuracy_interval`.
    """
    if not values:
        return None
    kind = "ci95" if purpose == "accuracy" else f"ci95 {purpose}"
    key = _key(kind, [draws.cases_sha256, [list(case) for case in values]])
    try:
        stored: Interval = convert(cache.get(key), Interval)
    except msgspec.ValidationError:
        source = draws.source(purpose)
        found = accuracy_interval(values, source) if method is None else method(source)
        cache[key] = None if found is None else list(found)
        return found
    return stored


def agreement(pool: Pool, keys: set[CaseKey]) -> float | None:
    """Return a pool's reproducibility: the mean over cases of their agreement, over all pairs of one run."""
    by_case: dict[CaseKey, list[tuple[float, int]]] = defaultdict(list)
    for key, result in pool.results():
        came = sum(score is not None for score in result.scores)
        # Pairs across runs were never compared, and their replies may be gone: each run counts by its own
        # pairs.
        if key in keys and result.reproducibility is not None:
            by_case[key].append((result.reproducibility, math.comb(came, 2)))
    return mean(_weighted(found) for found in by_case.values())


def _weighted(found: Sequence[tuple[float, int]]) -> float:
    weight = sum(pairs for _, pairs in found)
    return math.fsum(value * pairs for value, pairs in found) / weight if weight else 0.0


def _key(purpose: str, value: JsonValue) -> str:
    return sha256_hex(fingerprint([METHOD, purpose, value]))
