"""The figures of a run, of those of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalcore.runs.plan import RunPlan
from evalcore.runs.record import Accuracy, Reproducibility
from evalcore.scoring.reproducibility import CaseAgreement
from evalcore.scoring.rules.field_rules import WORDING_CATEGORIES
from evalcore.scoring.score_case import CaseScores
from evalcore.stats.draws import draws_of_seed
from evalcore.stats.numbers import mean, mean_by_field
from evalcore.stats.uncertainty import (
    accuracy_interval,
    all_right_interval,
    all_right_rates,
    draw_ahead,
    interval_of_like_cases,
    may_still_differ,
    reproducibility_interval,
)
from evalcore.stats.weights import WeightSource, weights_of_seed


def accuracy_of(plan: RunPlan, scores: Sequence[CaseScores]) -> Accuracy:
    """Return how right the answers are, over the cases that were answered."""
    answered = [case for case in scores if case.answered]
    right = [case.rightness for case in answered if case.rightness]
    # Of as many replies as each case has: with more of them all are right less often.
    fewest = min(map(len, right), default=0)
    means = [mean(case.accuracies) or 0.0 for case in answered]
    # The seed is the cases' own: models that answered the same cases are measured with the same draws.
    source = draws_of_seed("accuracy", plan.cases_sha256)
    return Accuracy(
        mean=mean(means),
        ci95=accuracy_interval([case.accuracies for case in answered], source),
        exact_rate=mean(sum(case) / len(case) for case in right),
        exact_rate_ci95=accuracy_interval(
            [list(map(float, case)) for case in right], draws_of_seed("exact", plan.cases_sha256)
        ),
        all_right_rate=mean(all_right_rates(right, fewest) or ()),
        all_right_rate_ci95=all_right_interval(right, fewest, draws_of_seed("all right", plan.cases_sha256)),
        anls_star=mean(mean(case.anls_stars) or 0.0 for case in answered),
        by_field=mean_by_field(case.by_field for case in answered),
        ci95_like_cases=interval_of_like_cases(means, draws_of_seed("like cases", plan.cases_sha256)),
        measures="wording" if plan.component.category in WORDING_CATEGORIES else "correctness",
        precision=_mean_over(case.precision for case in answered),
        recall=_mean_over(case.recall for case in answered),
        prose=_mean_over(case.prose for case in answered),
        precision_by_field=mean_by_field(case.precision_by_field for case in answered),
        recall_by_field=mean_by_field(case.recall_by_field for case in answered),
    )


def _mean_over(values: Iterable[float | None]) -> float | None:
    return mean(value for value in values if value is not None)


def reproducibility_of(
    plan: RunPlan, scores: Sequence[CaseScores], by_chance: float | None
) -> Reproducibility:
    """Return how far replicates agree with each other, over the cases with two replies and more."""
    agreements = [case.agreement for case in scores if case.agreement is not None]
    values = [agreement.value for agreement in agreements]
    return Reproducibility(
        mean=mean(values),
        ci95=reproducibility_interval([agreement.pairs for agreement in agreements], _weights_for(plan)),
        identical_rate=mean(agreement.identical_rate for agreement in agreements),
        by_field=mean_by_field(agreement.by_field for agreement in agreements),
        ci95_like_cases=interval_of_like_cases(
            values, draws_of_seed("agreement of like cases", plan.cases_sha256)
        ),
        may_differ=may_differ(agreements),
        by_chance=by_chance,
    )


def prepare_reproducibility(plan: RunPlan) -> None:
    """Make, before the replies are there, the draws that `reproducibility_of` will most likely need."""
    if plan.replicates > 1:
        draw_ahead(len(plan.cases), plan.replicates, _weights_for(plan))


def _weights_for(plan: RunPlan) -> WeightSource:
    # As of accuracy: one seed for all models that answered the same cases.
    return weights_of_seed("reproducibility", plan.cases_sha256)


def may_differ(agreements: Sequence[CaseAgreement]) -> float | None:
    """Return what share of further replies may differ where all are identical; None where any differ."""
    if not agreements or any(agreement.identical_rate < 1 for agreement in agreements):
        return None
    # The case with the fewest replies has said the least, and the sentence is of each case.
    return may_still_differ(min(sum(agreement.pairs.counts) for agreement in agreements))
