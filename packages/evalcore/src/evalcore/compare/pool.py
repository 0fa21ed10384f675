"""Which records count together, and over which cases two sets of them may be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from evalcore.formats.strict_json import fingerprint
from evalcore.runs.plan import Server
from evalcore.runs.record import CaseResult, RunRecord
from evalcore.runs.rescoring import newest_scoring
from evalcore.stats.numbers import mean_by_field
from evalcore.stats.power import Spread, spread_of
from evalcore.structs import Frozen, JsonObject

CaseKey: TypeAlias = tuple[str, int]
"""What a case is known by: its sha256, and its number among equal ones."""


class Pool(Frozen, frozen=True):
    """Complete records that are replicates of each other; one at least, the oldest first."""

    records: tuple[RunRecord, ...]

    @property
    def newest(self) -> RunRecord:
        """The record that finished last."""
        return self.records[-1]

    @property
    def model(self) -> str:
        """The model that all of them called."""
        return self.newest.model

    @property
    def version(self) -> str:
        """The component's version in all of them."""
        return self.newest.component_version

    @property
    def by_field(self) -> dict[str, float]:
        """The mean accuracy of each field, over the records."""
        return mean_by_field(record.accuracy.by_field for record in self.records)

    @property
    def server(self) -> Server:
        """What the server says of the model, in the newest run in which it says so."""
        stated = {
            name: value
            for record in self.records
            for name in Server.__struct_fields__
            if (value := getattr(record.server, name)) is not None
        }
        return Server(**stated)

    def scores(self) -> dict[CaseKey, list[float]]:
        """Return the sorted scores of all replies that came, by case."""
        pooled: dict[CaseKey, list[float]] = defaultdict(list)
        for key, result in self.results():
            pooled[key] += [score for score in result.scores if score is not None]
        # Sorted: the order in which records are read must not reach a sum's last digit, nor an interval's
        # draws.
        return {key: sorted(scores) for key, scores in pooled.items() if scores}

    def rightness(self) -> dict[CaseKey, list[bool]]:
        """Return whether each reply is right throughout, by case, where the records say so."""
        pooled: dict[CaseKey, list[bool]] = defaultdict(list)
        for key, result in self.results():
            pooled[key] += [exact for exact in result.exact or () if exact is not None]
        return {key: sorted(rightness) for key, rightness in pooled.items() if rightness}

    def results(self) -> Iterator[tuple[CaseKey, CaseResult]]:
        """Yield each run's figures of each case."""
        for record in self.records:
            seen: dict[str, int] = defaultdict(int)
            # By name, so that equal cases get the same numbers in every run, whatever order they were read
            # in.
            for result in sorted(record.case_results, key=lambda result: result.case):
                yield (result.sha256, seen[result.sha256]), result
                seen[result.sha256] += 1


def pools(records: Iterable[RunRecord], *, of_any_cases: bool = False) -> list[Pool]:
    """Group records by what they were asked and how they were scored; partial ones count nowhere.

    All runs of one version with equal prompt, schema, cases, params (but the seed), structured output,
    policy and scoring are one pool, so that running again until it looks good only adds to the same
    figure. A server that says it has another version or quantization makes another pool; so do other
    cases, unless a pool may be `of_any_cases`, for those that its runs share.
    """
    groups: dict[bytes, list[RunRecord]] = defaultdict(list)
    for record in newest_scoring(records):
        # A partial run lacks the replies that were hardest to get: its figure is not that of the others.
        if record.status == "complete":
            groups[_identity(record, of_any_cases=of_any_cases)].append(record)
    found = [
        Pool(records=tuple(sorted(members, key=lambda record: (record.finished_at, record.run_id))))
        for group in groups.values()
        for members in _by_server(group)
    ]
    # Scored again, by a policy that came later, after as first scored.
    return sorted(
        found,
        key=lambda pool: (
            pool.model,
            pool.newest.finished_at,
            pool.newest.rescored_from is not None,
            pool.newest.run_id,
        ),
    )


def pools_of_version(records: Iterable[RunRecord], version: str) -> list[Pool]:
    """Return one pool for each model: of this version, and of its pools the one that was run last."""
    # They come oldest first, so the last of a model stays.
    last = {pool.model: pool for pool in pools(records) if pool.version == version}
    return list(last.values())


def pools_by_one_policy(before: Sequence[Pool], after: Sequence[Pool]) -> tuple[list[Pool], list[Pool]]:
    """Return of all pools of two versions one of each model on a side, by one policy where that can be.

    Runs that were scored again by another policy are in a pool for each; of several choices the last counts.
    """
    old, new = {pool.model: pool for pool in before}, {pool.model: pool for pool in after}
    places = [(at, one, to, other) for at, one in enumerate(before) for to, other in enumerate(after)]
    # Each pair that shares a policy replaces those before it: the one of the latest runs comes last.
    for _, one, _, other in sorted(places, key=lambda place: (place[2], place[0])):
        if one.model == other.model and one.newest.policy_sha256 == other.newest.policy_sha256:
            old[one.model], new[one.model] = one, other
    return list(old.values()), list(new.values())


def pools_of_models(
    records: Iterable[RunRecord], one: str, other: str, version: str
) -> tuple[Pool, Pool] | None:
    """Return a pool of each of two models at a version; None where one of them has no complete run.

    Of several, those that may be compared, and of these the ones that were run last. They are compared over
    the cases that both have, so runs count together that differ in their cases alone.
    """
    # With runs of one set of cases alone, a case that was mended would leave out all that was run before, and
    # the ranking over the cases in common would say something else.
    of_version = [pool for pool in pools(records, of_any_cases=True) if pool.version == version]
    pairs = [
        (left, right)
        for left in of_version
        for right in of_version
        if (left.model, right.model) == (one, other)
    ]
    newest_last = sorted(
        pairs,
        key=lambda pair: (
            why_models_not_comparable(*pair) is None,
            sorted(pool.newest.finished_at for pool in pair),
        ),
    )
    return newest_last[-1] if newest_last else None


def pools_of_run(records: Iterable[RunRecord], run_id: str) -> list[Pool]:
    """Return the pools that a run counts in, under any of its ids: one for each policy it was scored by.

    The latest comes last; none where the run is partial or not there.
    """
    known = list(records)
    named = {
        name
        for record in known
        if run_id in {record.run_id, record.rescored_from}
        for name in (record.run_id, record.rescored_from)
        if name is not None
    }
    return [
        pool
        for pool in pools(known)
        if any(record.run_id in named or record.rescored_from in named for record in pool.records)
    ]


def why_not_comparable(before: Pool, after: Pool) -> str | None:
    """Return in words why two pools may not be compared; None where they may."""
    if before.model != after.model:
        return f"two models: {before.model} and {after.model} (`evalcli compare --models` compares two)"
    return _why_not_scored_alike(before, after)


def why_models_not_comparable(one: Pool, other: Pool) -> str | None:
    """Return in words why two models' pools may not be compared; None where they may."""
    if one.newest.prompt_sha256 != other.newest.prompt_sha256:
        return "asked with two texts of the prompt under one version: evaluate one of them again"
    return _why_not_scored_alike(one, other)


def _why_not_scored_alike(before: Pool, after: Pool) -> str | None:
    old, new = before.newest, after.newest
    # Two versions of the rules give one reply two figures: their difference is not of the prompt.
    if old.scoring_version != new.scoring_version:
        return (
            f"scored by two versions of the rules ({old.scoring_version} and {new.scoring_version}): "
            "rescore the older one"
        )
    if old.policy_sha256 != new.policy_sha256:
        return (
            "scored by two policies (scoring.yaml differs): `evalcli leaderboard rescore SKILL"
            " --policy current` scores what is kept by one"
        )
    if not before.scores().keys() & after.scores().keys():
        return "no case has the same input and expected answer in both"
    return None


def changed_conditions(before: Pool, after: Pool) -> tuple[str, ...]:
    """Name what was asked differently, besides the prompt: schema, params, structured output, provider."""
    old, new = before.newest, after.newest
    differs = {
        "schema": old.schema_sha256 != new.schema_sha256,
        "params": fingerprint(params_but_seed(old)) != fingerprint(params_but_seed(new)),
        "structured_output": old.structured_output != new.structured_output,
        "provider": old.provider != new.provider,
    }
    return tuple(name for name, is_so in differs.items() if is_so)


def changed_server(before: Pool, after: Pool) -> tuple[str, ...]:
    """Name what the gateway says of the model that is not the same in all runs of both pools."""
    servers = [record.server for record in (*before.records, *after.records)]
    names: Sequence[str] = servers[0].__struct_fields__
    return tuple(name for name in names if len({getattr(server, name) for server in servers}) > 1)


def _identity(record: RunRecord, *, of_any_cases: bool) -> bytes:
    return fingerprint(
        [
            record.model,
            record.provider,
            record.component_version,
            record.prompt_sha256,
            record.schema_sha256,
            record.policy_sha256,
            # Different cases are of different difficulty.
            None if of_any_cases else record.cases_sha256,
            params_but_seed(record),
            record.structured_output,
            record.scoring_version,
        ]
    )


def params_but_seed(record: RunRecord) -> JsonObject:
    """Return what a model was called with, without the seed: another seed is another replicate."""
    return {name: value for name, value in record.params.items() if name != "seed"}


_Stated: TypeAlias = tuple[str | None, str | None]


def _by_server(records: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """Split records by what the server says of its version and quantization.

    A server that is silent on one of them counts with those that agree in the other, where these are all
    alike; where they are not, it stands apart.
    """
    groups: dict[_Stated, list[RunRecord]] = defaultdict(list)
    for record in records:
        groups[record.server.version, record.server.quantization].append(record)
    stated = set(groups)
    # Those that say least join first, so that a chain of silences ends in one pool.
    for silent in sorted(stated, key=lambda one: (-one.count(None), str(one))):
        fuller = [one for one in groups if one != silent and _says_more(one, silent)]
        # Where two fuller statements contradict each other nobody can tell which of them the silent one is.
        fullest = [one for one in fuller if not any(_says_more(other, one) for other in fuller)]
        if len(fullest) == 1:
            groups[fullest[0]] += groups.pop(silent)
    return list(groups.values())


def _says_more(one: _Stated, other: _Stated) -> bool:
    return one != other and all(b is None or a == b for a, b in zip(one, other, strict=True))


def spread_of_records(records: Iterable[RunRecord]) -> Spread:
    """Return the spread over past runs; the stated default where there are none."""
    return spread_of(
        [score for score in result.scores if score is not None]
        for record in records
        for result in record.case_results
    )
