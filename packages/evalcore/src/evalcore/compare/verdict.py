"""Two sets of runs, model by model: regression, improvement, no evidence, or too few replies to show any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from evalcore.compare.pool import (
    Pool,
    changed_conditions,
    changed_server,
    why_models_not_comparable,
    why_not_comparable,
)
from evalcore.formats.counts import counted
from evalcore.stats.draws import draws_of_seed
from evalcore.stats.levels import TIE
from evalcore.stats.numbers import mean
from evalcore.stats.permutation import ALPHA, adjusted, can_alarm, fall_p
from evalcore.stats.power import DEFAULT_MARGIN, Spread, smallest_change, spread_of
from evalcore.stats.uncertainty import Interval, accuracy_interval
from evalcore.structs import Frozen

Verdict = Literal["regression", "improvement", "no evidence", "cannot alarm"]
MOST_MOVED = 5
"""Fields that are named."""
LEAST_SHOWN = 0.0001
"""A smaller p is said to be below it."""


class Side(Frozen, frozen=True):
    """One of the two sets, over the cases that both have."""

    version: str
    run_ids: tuple[str, ...]
    """All runs that count, the oldest first."""
    mean: float
    ci95: Interval | None
    """For these cases, as in a record: the same one where the set is a single run."""
    replies: int
    """Of all cases; each of them counts."""
    replicates: int
    """The replies of a case, of that with the fewest."""
    drifting: bool
    """Whether the scores of one of the runs trend with time, so that its interval is too narrow."""


class FieldChange(Frozen, frozen=True):
    """The mean accuracy of one field on both sides."""

    field: str
    before: float
    after: float


class Comparison(Frozen, frozen=True):
    """What two sets of runs of one model say of each other."""

    model: str
    before: Side
    after: Side
    verdict: Verdict
    margin: float
    cases: int
    """How many cases both have, with equal input and expected answer."""
    cases_left_out: int
    """How many only one of them has."""
    replicates: int
    """The replies of a case, of the side and the case with the fewest."""
    p_regression: float
    p_improvement: float
    """Adjusted for the number of models."""
    models: int
    """How many are tested at once: those whose replies could show a change at all."""
    smallest_change: float | None
    """The change that would have been found four times in five; None where none would."""
    server_changed: tuple[str, ...]
    """What the gateway says differently of the model: version, quantization, context_length, backends."""
    also_changed: tuple[str, ...]
    """What else was not asked in the same way: schema, params, structured_output, provider."""
    fields: tuple[FieldChange, ...]
    """Those that moved most; none where the two do not have the same cases."""

    @property
    def change(self) -> float:
        """The mean accuracy after, less that before."""
        return self.after.mean - self.before.mean


class NotComparable(Frozen, frozen=True):
    """Two sets that say nothing of each other, and why."""

    model: str
    reason: str


Outcome: TypeAlias = Comparison | NotComparable


def compare_pools(
    before: Sequence[Pool],
    after: Sequence[Pool],
    margin: float = DEFAULT_MARGIN,
    *,
    verdicts_only: bool = False,
) -> list[Outcome]:
    """Compare model by model, at most one pool of each on a side; sorted by model.

    False alarms are held over all models together, those that could alarm at all. With `verdicts_only` what
    no verdict rests on, and takes most of the time, is left out: the intervals of both sides are None, and
    the p of what is neither regression nor improvement may be 1.
    """
    old, new = {pool.model: pool for pool in before}, {pool.model: pool for pool in after}
    found = [
        _outcome(model, old.get(model), new.get(model), margin, verdicts_only=verdicts_only)
        for model in sorted(old | new)
    ]
    return _judge(found)


def compare_models(pairs: Mapping[str, tuple[Pool, Pool]], margin: float = DEFAULT_MARGIN) -> list[Outcome]:
    """Compare two models, case by case, each pair under the name of what both were asked: a version.

    The first of a pair is `before`: a regression is that the second one is worse. False alarms are held
    over all pairs together.
    """
    return _judge([_two_models(name, *pair, margin) for name, pair in pairs.items()])


def _judge(found: Sequence[_Measured | NotComparable]) -> list[Outcome]:
    # What could not alarm whatever came is no test: counted, it would only weaken the others.
    tested = [one for one in found if isinstance(one, _Measured) and can_alarm(one.sizes)]
    # Falls and rises apart: each is one side of 2.5 %, so that both together err in at most 5 %.
    falls = adjusted([one.comparison.p_regression for one in tested])
    rises = adjusted([one.comparison.p_improvement for one in tested])
    judged: dict[str, Outcome] = {
        one.comparison.model: _judged(one, fall, rise, len(tested))
        for one, fall, rise in zip(tested, falls, rises, strict=True)
    }
    return [
        judged.get(one.comparison.model, one.comparison) if isinstance(one, _Measured) else one
        for one in found
    ]


def compare_two(before: Pool, after: Pool, margin: float = DEFAULT_MARGIN) -> Outcome:
    """Compare two pools, whatever their models: two models are not comparable, in words."""
    reason = why_not_comparable(before, after)
    if reason is not None:
        return NotComparable(model=before.model, reason=reason)
    (outcome,) = compare_pools([before], [after], margin)
    return outcome


def what_counts(outcome: Comparison) -> str:
    """Say what the comparison rests on."""
    before, after = outcome.before, outcome.after
    runs = f"{counted(len(before.run_ids), 'run')} against {len(after.run_ids)}"
    left_out = f", {counted(outcome.cases_left_out, 'case')} left out" if outcome.cases_left_out else ""
    return f"{runs}, {counted(outcome.cases, 'case')} x {replies_used(outcome)}{left_out}"


def replies_used(outcome: Comparison) -> str:
    """Say how many replies of a case each side has, all of which are used."""
    before, after = outcome.before.replicates, outcome.after.replicates
    return replies(before) if before == after else f"{replies(before)} against {after}, all used"


def replies(count: int) -> str:
    """Count replies in words."""
    return counted(count, "reply", "replies")


def reasons(outcome: Comparison) -> Iterable[str]:
    """Yield what a reader must know to weigh the verdict."""
    among = f" of one model among {outcome.models}" if outcome.models > 1 else ""
    if outcome.verdict == "cannot alarm":
        yield f"too few replies to show any change{among}"
    elif outcome.verdict == "no evidence":
        least = outcome.smallest_change
        yield (
            f"a change of {least:.3f}{among} would be found four times in five"
            if least is not None
            else f"no change{among} would be found four times in five"
        )
    else:
        p = outcome.p_regression if outcome.verdict == "regression" else outcome.p_improvement
        shown = f"= {p:.4f}" if p >= LEAST_SHOWN else f"< {LEAST_SHOWN:.4f}"
        yield f"p {shown} beyond a margin of {outcome.margin:g}"
    if outcome.replicates == 1 and outcome.verdict != "cannot alarm":
        yield "one reply of each case on a side: only what many cases share can be shown"
    sides = {"before": outcome.before, "after": outcome.after}
    drifting = [name for name, side in sides.items() if side.drifting]
    if drifting:
        yield f"drifting {' and '.join(drifting)}: scores trend with time, so that intervals are too narrow"
    if outcome.server_changed:
        yield f"server changed ({', '.join(outcome.server_changed)})"
    if outcome.also_changed:
        yield f"also changed: {', '.join(outcome.also_changed)}"


class _Measured(NamedTuple):
    """A comparison whose p-values are not adjusted yet, and what its verdict depends on besides."""

    comparison: Comparison
    sizes: Sequence[tuple[int, int]]
    """The replies of each case on either side."""
    spread: Spread


def _outcome(
    model: str, before: Pool | None, after: Pool | None, margin: float, *, verdicts_only: bool
) -> _Measured | NotComparable:
    if before is None or after is None:
        side = "before" if before is None else "after"
        return NotComparable(model=model, reason=f"there is no complete run {side}")
    reason = why_not_comparable(before, after)
    if reason is not None:
        return NotComparable(model=model, reason=reason)
    return _measured(before, after, margin, verdicts_only=verdicts_only)


def _two_models(name: str, one: Pool, other: Pool, margin: float) -> _Measured | NotComparable:
    reason = why_models_not_comparable(one, other)
    if reason is not None:
        return NotComparable(model=name, reason=reason)
    measured = _measured(one, other, margin)
    # Two models are served by two servers: that these differ says nothing.
    return measured._replace(
        comparison=msgspec.structs.replace(measured.comparison, model=name, server_changed=())
    )


def _measured(before: Pool, after: Pool, margin: float, *, verdicts_only: bool = False) -> _Measured:
    """Compare two pools; until it is judged, the verdict is that of a design that can show nothing."""
    old, new = before.scores(), after.scores()
    shared = sorted(old.keys() & new.keys())
    olds, news = [old[key] for key in shared], [new[key] for key in shared]
    sides = (
        _side(before, shared, olds, with_interval=not verdicts_only),
        _side(after, shared, news, with_interval=not verdicts_only),
    )
    # To count the deals of what shows nothing takes most of the time of a dashboard, which says no p of it.
    needed_below = ALPHA if verdicts_only else 1.0
    comparison = Comparison(
        model=before.model,
        before=sides[0],
        after=sides[1],
        verdict="cannot alarm",
        margin=margin,
        cases=len(shared),
        cases_left_out=len(old.keys() ^ new.keys()),
        replicates=min(side.replicates for side in sides),
        p_regression=fall_p(olds, news, margin, needed_below=needed_below),
        p_improvement=fall_p(news, olds, margin, needed_below=needed_below),
        models=1,
        smallest_change=None,
        server_changed=changed_server(before, after),
        also_changed=changed_conditions(before, after),
        # Over other cases a field moves because these are other cases.
        fields=_moved(before, after) if _are_of_one_set_of_cases(before, after) else (),
    )
    # Whether a design can alarm depends on the numbers of replies alone: it is known before any score is.
    sizes = [(len(one), len(other)) for one, other in zip(olds, news, strict=True)]
    return _Measured(comparison, sizes, spread_of([*olds, *news]))


def _are_of_one_set_of_cases(before: Pool, after: Pool) -> bool:
    return len({record.cases_sha256 for pool in (before, after) for record in pool.records}) == 1


def _judged(measured: _Measured, fall: float, rise: float, models: int) -> Comparison:
    """Give the verdict; where nothing is shown, a design that could not show one model's change says so."""
    one = measured.comparison
    verdict: Verdict = "cannot alarm"
    if fall <= ALPHA:
        verdict = "regression"
    elif rise <= ALPHA:
        verdict = "improvement"
    # "No evidence" would claim that a change was looked for and not seen.
    elif can_alarm(measured.sizes, models):
        verdict = "no evidence"
    return msgspec.structs.replace(
        one,
        verdict=verdict,
        p_regression=fall,
        p_improvement=rise,
        models=models,
        smallest_change=smallest_change(one.cases, one.replicates, measured.spread, one.margin, models),
    )


def _side(
    pool: Pool, shared: Collection[tuple[str, int]], scores: Sequence[Sequence[float]], *, with_interval: bool
) -> Side:
    return Side(
        version=pool.version,
        run_ids=tuple(record.run_id for record in pool.records),
        mean=mean(mean(case) or 0.0 for case in scores) or 0.0,
        ci95=_interval(pool, shared) if with_interval else None,
        replies=sum(map(len, scores)),
        replicates=min(map(len, scores)),
        drifting=any(record.drifting for record in pool.records),
    )


def _interval(pool: Pool, shared: Collection[tuple[str, int]]) -> Interval | None:
    own = {key: case for key, case in pool.scores().items() if key in shared}
    # A single run has its interval in its record, and the same figure must stand everywhere: worked out again
    # it would be another one where cases are published under other names, and so in another order.
    stored = pool.newest.accuracy.ci95 if len(pool.records) == 1 and len(own) == len(pool.scores()) else None
    return stored or accuracy_interval(
        list(own.values()), draws_of_seed("accuracy", pool.newest.cases_sha256)
    )


def _moved(before: Pool, after: Pool) -> tuple[FieldChange, ...]:
    old, new = before.by_field, after.by_field
    changes = [
        FieldChange(field=field, before=old[field], after=new[field])
        for field in sorted(old.keys() & new.keys())
        if abs(old[field] - new[field]) > TIE
    ]
    return tuple(sorted(changes, key=lambda one: -abs(one.after - one.before))[:MOST_MOVED])
