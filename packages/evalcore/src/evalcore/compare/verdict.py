"""Two sets of runs, model by model: regression, improvement, no evidence, or a design that cannot tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from evalcore.compare.pool import Pool, changed_conditions, changed_server, why_not_comparable
from evalcore.stats.numbers import mean
from evalcore.stats.permutation import ALPHA, TIE, adjusted, can_alarm, equal_sizes, fall_p
from evalcore.stats.power import DEFAULT_MARGIN, smallest_change, spread_of
from evalcore.stats.sampling import seeded_uniform
from evalcore.stats.uncertainty import Interval, accuracy_interval
from evalcore.structs import Frozen

Verdict = Literal["regression", "improvement", "no evidence", "cannot alarm"]
MOST_MOVED = 5


class Side(Frozen, frozen=True):
    """One of the two sets, over the cases that both have."""

    version: str
    run_ids: tuple[str, ...]
    """All runs that count, the oldest first."""
    mean: float
    ci95: Interval | None
    """For these cases, as in a record: the same one where the set is a single run."""
    replies: int


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
    """The replies of a case on each side that the test could use; the fewest of any case."""
    p_regression: float
    p_improvement: float
    """Adjusted for the number of models."""
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
    before: Sequence[Pool], after: Sequence[Pool], margin: float = DEFAULT_MARGIN
) -> list[Outcome]:
    """Compare model by model, at most one pool of each on a side; sorted by model.

    False alarms are held over all models together, those that could alarm at all.
    """
    old, new = {pool.model: pool for pool in before}, {pool.model: pool for pool in after}
    outcomes = [_outcome(model, old.get(model), new.get(model), margin) for model in sorted(old | new)]
    tested = [one for one in outcomes if isinstance(one, Comparison) and one.verdict != "cannot alarm"]
    falls = adjusted([one.p_regression for one in tested])
    rises = adjusted([one.p_improvement for one in tested])
    judged = {
        one.model: _judged(one, fall, rise) for one, fall, rise in zip(tested, falls, rises, strict=True)
    }
    return [judged.get(one.model, one) for one in outcomes]


def compare_two(before: Pool, after: Pool, margin: float = DEFAULT_MARGIN) -> Outcome:
    """Compare two pools, whatever their models: two models are not comparable, in words."""
    reason = why_not_comparable(before, after)
    if reason is not None:
        return NotComparable(model=before.model, reason=reason)
    (outcome,) = compare_pools([before], [after], margin)
    return outcome


def describe(outcome: Outcome) -> str:
    """Say an outcome in one line."""
    if isinstance(outcome, NotComparable):
        return f"{outcome.model}: not comparable: {outcome.reason}"
    old, new = outcome.before, outcome.after
    means = f"{old.version} {old.mean:.3f} -> {new.version} {new.mean:.3f} ({outcome.change:+.3f})"
    return "; ".join(
        [f"{outcome.model}: {outcome.verdict}: {means}", what_counts(outcome), *reasons(outcome)]
    )


def what_counts(outcome: Comparison) -> str:
    """Say what the comparison rests on."""
    runs = f"{len(outcome.before.run_ids)} run(s) against {len(outcome.after.run_ids)}"
    cases = f"{outcome.cases} case(s) x {outcome.replicates} replies"
    left_out = f", {outcome.cases_left_out} case(s) left out" if outcome.cases_left_out else ""
    return f"{runs}, {cases}{left_out}"


def reasons(outcome: Comparison) -> Iterable[str]:
    """Yield what a reader must know to weigh the verdict."""
    if outcome.verdict == "cannot alarm":
        yield "too few replies to show any change"
    elif outcome.verdict == "no evidence":
        least = outcome.smallest_change
        yield (
            f"could have shown a change of {least:.3f}" if least is not None else "could have shown no change"
        )
    else:
        p = outcome.p_regression if outcome.verdict == "regression" else outcome.p_improvement
        yield f"p = {p:.4f} beyond a margin of {outcome.margin:g}"
    if outcome.server_changed:
        yield f"server changed ({', '.join(outcome.server_changed)})"
    if outcome.also_changed:
        yield f"also changed: {', '.join(outcome.also_changed)}"


def _outcome(model: str, before: Pool | None, after: Pool | None, margin: float) -> Outcome:
    if before is None or after is None:
        side = "before" if before is None else "after"
        return NotComparable(model=model, reason=f"there is no complete run {side}")
    reason = why_not_comparable(before, after)
    if reason is not None:
        return NotComparable(model=model, reason=reason)
    return _measured(before, after, margin)


def _measured(before: Pool, after: Pool, margin: float) -> Comparison:
    """Compare two pools; the p-values are not yet adjusted, the verdict says only if there can be one."""
    old, new = before.scores(), after.scores()
    shared = sorted(old.keys() & new.keys())
    olds, news = [old[key] for key in shared], [new[key] for key in shared]
    # The seed is the cases' own: the same both ways round, and whoever compares.
    uniform = seeded_uniform("compare", before.model, *(sha256 for sha256, _ in shared))
    small_olds, small_news = equal_sizes(olds, news, uniform)
    sizes = [len(case) for case in small_olds]
    return Comparison(
        model=before.model,
        before=_side(before, shared, olds),
        after=_side(after, shared, news),
        verdict="no evidence" if can_alarm(sizes) else "cannot alarm",
        margin=margin,
        cases=len(shared),
        cases_left_out=len(old.keys() ^ new.keys()),
        replicates=min(sizes),
        p_regression=fall_p(small_olds, small_news, margin, uniform),
        p_improvement=fall_p(small_news, small_olds, margin, uniform),
        smallest_change=smallest_change(len(shared), min(sizes), spread_of([*olds, *news]), margin),
        server_changed=changed_server(before, after),
        also_changed=changed_conditions(before, after),
        fields=_moved(before, after) if old.keys() == new.keys() else (),
    )


def _judged(one: Comparison, fall: float, rise: float) -> Comparison:
    verdict: Verdict = "no evidence"
    if fall <= ALPHA:
        verdict = "regression"
    elif rise <= ALPHA:
        verdict = "improvement"
    return msgspec.structs.replace(one, verdict=verdict, p_regression=fall, p_improvement=rise)


def _side(pool: Pool, shared: Collection[tuple[str, int]], scores: Sequence[Sequence[float]]) -> Side:
    return Side(
        version=pool.version,
        run_ids=tuple(record.run_id for record in pool.records),
        mean=mean(mean(case) or 0.0 for case in scores) or 0.0,
        ci95=accuracy_interval(
            [case for key, case in pool.scores().items() if key in shared],
            seeded_uniform("accuracy", pool.newest.cases_sha256),
        ),
        replies=sum(map(len, scores)),
    )


def _moved(before: Pool, after: Pool) -> tuple[FieldChange, ...]:
    old, new = before.by_field, after.by_field
    changes = [
        FieldChange(field=field, before=old[field], after=new[field])
        for field in sorted(old.keys() & new.keys())
        if abs(old[field] - new[field]) > TIE
    ]
    return tuple(sorted(changes, key=lambda one: -abs(one.after - one.before))[:MOST_MOVED])
