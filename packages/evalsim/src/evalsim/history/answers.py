"""What simulated models answer, and the figures that scoring would give it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from evalcore.runs.record import Accuracy, CaseResult, Reproducibility
from evalcore.scoring.rules.field_rules import WORDING_CATEGORIES
from evalcore.stats.draws import draws_of_seed
from evalcore.stats.numbers import mean
from evalcore.stats.sampling import Uniform, seeded_uniform
from evalcore.stats.uncertainty import (
    accuracy_interval,
    all_right_interval,
    all_right_rates,
    interval_of_like_cases,
    may_still_differ,
)
from evalcore.structs import Frozen

RIGHT: Final = "right"
MISSED: Final = "missed"
INVENTED: Final = "invented"
_WRONG: Final = ("wrong", "other", MISSED, INVENTED)
_CREDIT: Final = {RIGHT: 1.0, "wrong": 0.4, "other": 0.2, MISSED: 0.0, INVENTED: 0.0}
_LEAST, _MOST = 0.02, 0.99


class Answers(Frozen, frozen=True):
    """A case's replies: of each the outcome of every field; None where no reply came."""

    case: str
    sha256: str
    replies: tuple[tuple[str, ...] | None, ...]

    @property
    def came(self) -> list[tuple[str, ...]]:
        """The replies that there are."""
        return [reply for reply in self.replies if reply is not None]


def answer_case(
    seed: Sequence[str], ability: float, steadiness: float, fields: int, draw: Uniform
) -> tuple[str, ...]:
    """Draw one reply: of each field the model's usual outcome, or now and then another.

    `seed` names model, component and case: the usual outcome is fixed by it, and gets better where the
    ability does. `draw` is the reply's own chance.
    """
    # Fixed by the seed and not by the ability: a better version turns some wrong answers right, and none
    # wrong.
    usual = seeded_uniform(*seed)
    outcomes = []
    for field in range(fields):
        case_and_field = 0.12 * (usual() - 0.5) - 0.05 * (field % 4 == fields % 4)
        chance = min(_MOST, max(_LEAST, ability + case_and_field))
        # Both are drawn whatever is needed, so that one field's outcome shifts no other's.
        threshold, wrong = usual(), _WRONG[int(usual() * len(_WRONG))]
        if draw() >= steadiness:
            threshold, wrong = draw(), _WRONG[int(draw() * len(_WRONG))]
        outcomes.append(RIGHT if threshold < chance else wrong)
    return tuple(outcomes)


def unparsed(reply: Sequence[str]) -> bool:
    """Whether a reply could not be read at all: it misses every field."""
    return all(outcome == MISSED for outcome in reply)


def case_result(answers: Answers, validated: str | None) -> CaseResult:
    """Return the figures of a case."""
    came = answers.came
    agreement = _agreement(came)
    identical = len(set(came)) == 1 and len(came) > 1
    return CaseResult(
        case=answers.case,
        sha256=answers.sha256,
        validated_against_version=validated,
        scores=tuple(None if reply is None else _score(reply) for reply in answers.replies),
        reproducibility=_rounded(agreement),
        exact=tuple(None if reply is None else _is_exact(reply) for reply in answers.replies),
        may_differ=_rounded(may_still_differ(len(came))) if identical else None,
        precision=_rounded(mean(_share(reply, INVENTED) for reply in came)),
        recall=_rounded(mean(_share(reply, MISSED) for reply in came)),
    )


def accuracy_of(
    answers: Sequence[Answers], fields: Sequence[str], category: str | None, cases_sha256: str
) -> Accuracy:
    """Return how right the replies are, with the intervals that scoring gives."""
    # As scoring has it: a case without a reply says nothing of how good replies are.
    answered = [one.came for one in answers if one.came]
    scores = [[_score(reply) for reply in came] for came in answered]
    right = [[_is_exact(reply) for reply in came] for came in answered]
    fewest = min(map(len, right), default=0)
    means = [mean(case) or 0.0 for case in scores]
    by_field = [_by_field(answers, at) for at in range(len(fields))]
    return Accuracy(
        mean=_rounded(mean(means)),
        ci95=_interval(accuracy_interval(scores, draws_of_seed("accuracy", cases_sha256))),
        anls_star=_rounded(mean(means)),
        by_field={field: _rounded(by_field[at][0]) or 0.0 for at, field in enumerate(fields)},
        ci95_like_cases=_interval(interval_of_like_cases(means, draws_of_seed("like cases", cases_sha256))),
        measures="wording" if category in WORDING_CATEGORIES else "correctness",
        precision=_rounded(mean(mean(_share(reply, INVENTED) for reply in came) or 0.0 for came in answered)),
        recall=_rounded(mean(mean(_share(reply, MISSED) for reply in came) or 0.0 for came in answered)),
        precision_by_field={field: _rounded(by_field[at][1]) or 0.0 for at, field in enumerate(fields)},
        recall_by_field={field: _rounded(by_field[at][2]) or 0.0 for at, field in enumerate(fields)},
        exact_rate=_rounded(mean(sum(case) / len(case) for case in right)),
        exact_rate_ci95=_interval(
            accuracy_interval(
                [list(map(float, case)) for case in right], draws_of_seed("exact", cases_sha256)
            )
        ),
        all_right_rate=_rounded(mean(all_right_rates(right, fewest) or ())),
        all_right_rate_ci95=_interval(
            all_right_interval(right, fewest, draws_of_seed("all right", cases_sha256))
        ),
    )


def reproducibility_of(
    answers: Sequence[Answers], fields: Sequence[str], cases_sha256: str
) -> Reproducibility:
    """Return how far replies agree. The interval is that of each reply's agreement with the others."""
    several = [one.came for one in answers if len(one.came) > 1]
    values = [_agreement(came) or 0.0 for came in several]
    each = [[_with_others(came, at) for at in range(len(came))] for came in several]
    firsts = [one.came[0] for one in answers if one.came]
    return Reproducibility(
        mean=_rounded(mean(values)),
        ci95=_interval(accuracy_interval(each, draws_of_seed("reproducibility", cases_sha256))),
        identical_rate=_rounded(mean(_identical(came) for came in several)),
        by_field={
            field: _rounded(mean(_agreement([(reply[at],) for reply in came]) or 0.0 for came in several))
            or 0.0
            for at, field in enumerate(fields)
        },
        by_chance=_rounded(0.3 * (_agreement(firsts) or 0.0)) if len(firsts) > 1 else None,
    )


def _score(reply: Sequence[str]) -> float:
    return round(math.fsum(_CREDIT[outcome] for outcome in reply) / len(reply), 9)


def _is_exact(reply: Sequence[str]) -> bool:
    return all(outcome == RIGHT for outcome in reply)


def _share(reply: Sequence[str], failure: str) -> float:
    """Return the share that is right of all fields, those without this failure's opposite."""
    # Precision is of what was answered, recall of what was expected: what was missed is none of the one's,
    # what was invented none of the other's.
    others = MISSED if failure == INVENTED else INVENTED
    counted = [outcome for outcome in reply if outcome != others]
    return mean(_CREDIT[outcome] for outcome in counted) or 0.0


def _by_field(answers: Sequence[Answers], at: int) -> tuple[float, float, float]:
    """Return a field's accuracy, its precision where it was answered, and its recall where expected."""
    outcomes = [reply[at] for one in answers for reply in one.came]
    answered = [_CREDIT[outcome] for outcome in outcomes if outcome != MISSED]
    expected = [_CREDIT[outcome] for outcome in outcomes if outcome != INVENTED]
    accuracy = mean(_CREDIT[outcome] for outcome in outcomes)
    return accuracy or 0.0, mean(answered) or 0.0, mean(expected) or 0.0


def _agreement(came: Sequence[Sequence[str]]) -> float | None:
    return mean(_alike(one, other) for one, other in combinations(came, 2))


def _alike(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(left == right for left, right in zip(one, other, strict=True)) / len(one)


def _with_others(came: Sequence[Sequence[str]], at: int) -> float:
    return mean(_alike(came[at], other) for place, other in enumerate(came) if place != at) or 0.0


def _identical(came: Sequence[Sequence[str]]) -> float:
    return mean(float(one == other) for one, other in combinations(came, 2)) or 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.9g}")


def _interval(value: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if value is None else (float(f"{value[0]:.9g}"), float(f"{value[1]:.9g}"))
