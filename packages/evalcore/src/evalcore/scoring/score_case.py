"""One case: its parsed replies -> how right they are, and how far they agree."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from evalcore.library.component import Case, Component
from evalcore.library.schema import TooMuchWork, Validator
from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.interface import Score, Scorer
from evalcore.scoring.reproducibility import CaseAgreement, agree_case
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.scorer import make_scorer
from evalcore.stats.numbers import mean, mean_by_field
from evalcore.structs import Frozen, JsonValue


class CaseScores(Frozen, frozen=True):
    """The figures of one case; replicates are numbered from 0."""

    parsed: Mapping[int, Score]
    unparsed: AbstractSet[int]
    """Replicates whose reply could not be parsed: accuracy 0."""
    unscored: AbstractSet[int]
    """Replicates whose reply would take more work than a reply is worth: without any figure."""
    by_field: Mapping[str, float]
    """The expected answer's fields alone: a model's invented ones count in the score, not in the table."""
    agreement: CaseAgreement | None
    schema_valid: int
    precision_by_field: Mapping[str, float]
    recall_by_field: Mapping[str, float]

    @property
    def answered(self) -> int:
        """The number of replies that came."""
        return len(self.parsed) + len(self.unparsed)

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of each reply that came."""
        # A reply that cannot be read is of no use to whoever asked: it is wrong, not missing.
        return [score.accuracy for score in self.parsed.values()] + [0.0] * len(self.unparsed)

    @property
    def anls_stars(self) -> list[float]:
        """ANLS* of each reply that came."""
        return [score.anls_star for score in self.parsed.values()] + [0.0] * len(self.unparsed)

    @property
    def precision(self) -> float | None:
        """Of what was answered, the share that is right: mean over the replies that came."""
        return self._mean([score.precision for score in self.parsed.values()])

    @property
    def recall(self) -> float | None:
        """Of what was expected, the share that is right: mean over the replies that came."""
        return self._mean([score.recall for score in self.parsed.values()])

    @property
    def prose(self) -> float | None:
        """How right the prose is: mean over the replies that came; None where no prose occurs."""
        values = [score.prose for score in self.parsed.values()]
        if self.parsed and all(value is None for value in values):
            return None
        return self._mean(values)

    def _mean(self, values: Iterable[float | None]) -> float | None:
        present = [value for value in values if value is not None]
        return mean([*present, *[0.0] * len(self.unparsed)])

    @property
    def rightness(self) -> list[bool]:
        """Of each reply that came, whether every leaf but prose is right; empty where there is only prose."""
        return [right for at in (*self.parsed, *self.unparsed) if (right := self.is_exact(at)) is not None]

    def is_exact(self, replicate: int) -> bool | None:
        """Return whether every leaf but prose is right; None where no reply came or there is only prose."""
        if replicate in self.unparsed:
            # Of an answer that is prose alone "exact" has no meaning, so a failed reply cannot lack it
            # either.
            is_prose = bool(self.parsed) and all(score.exact is None for score in self.parsed.values())
            return None if is_prose else False
        score = self.parsed.get(replicate)
        return None if score is None else score.exact

    def accuracy_of(self, replicate: int) -> float | None:
        """Return a replicate's accuracy; None where no reply came."""
        if replicate in self.unparsed:
            return 0.0
        score = self.parsed.get(replicate)
        return None if score is None else score.accuracy


def score_case(
    component: Component,
    case: Case,
    parsed: Mapping[int, JsonValue],
    unparsed: AbstractSet[int],
    validator: Validator | None,
    rules: FieldRules | None = None,
) -> CaseScores:
    """Score the replies of one case that came: the parsed values by replicate, and those unparsable.

    `rules` come of `plan_fields` over all cases; without them the case stands alone.
    """
    scorer = make_scorer(component, case, rules)
    valid = _valid(validator, parsed)
    unscored = frozenset(parsed) - valid.keys()
    parsed = {at: value for at, value in parsed.items() if at not in unscored}
    scores = _scores(scorer, parsed)
    # A reply that could not be parsed is wrong in every field.
    failed = [dict.fromkeys(scorer.fields, 0.0)] * len(unparsed)
    return CaseScores(
        parsed=scores,
        unparsed=unparsed,
        unscored=unscored,
        by_field=mean_by_field([*(score.by_field for score in scores.values()), *failed]),
        agreement=agree_case(scorer, list(parsed.values()), len(unparsed)),
        schema_valid=sum(valid.values()),
        precision_by_field=mean_by_field([*(score.precision_by_field for score in scores.values()), *failed]),
        recall_by_field=mean_by_field([*(score.recall_by_field for score in scores.values()), *failed]),
    )


def _scores(scorer: Scorer, parsed: Mapping[int, JsonValue]) -> dict[int, Score]:
    # Replicates often agree to the letter: an answer is scored once, however often it came.
    known: dict[str, Score] = {}
    scores = {}
    for replicate, value in parsed.items():
        text = canonical_text(value)
        if text not in known:
            known[text] = scorer.score(value)
        scores[replicate] = known[text]
    return scores


def _valid(validator: Validator | None, parsed: Mapping[int, JsonValue]) -> dict[int, bool]:
    """Say which replies are valid; those that cannot be validated with the work of one reply are left out."""
    valid: dict[int, bool] = {}
    for replicate, value in parsed.items():
        with contextlib.suppress(TooMuchWork):
            valid[replicate] = validator is not None and validator.is_valid(value)
    return valid
