"""What is wrong in a run's replies, case by case: the worst answers beside the expected one, the unparsable.

For `evalcli show`, and for pages. All texts may hold what a model wrote: escape them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from evalcore.clients.reply import Reply
from evalcore.library.component import Case
from evalcore.runs.plan import RunPlan
from evalcore.scoring.answers import Parsed
from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.difference import AnswerDifference, diff
from evalcore.scoring.planned_answer import read_answer
from evalcore.scoring.rules.field_rules import FieldRules, plan_fields
from evalcore.scoring.scorer import TreeScorer, scorer_of
from evalcore.stats.numbers import mean
from evalcore.structs import Frozen, JsonValue

Fate = Literal["answered", "unparsable", "no reply"]


class Selection(Frozen, frozen=True):
    """Which of a run's replies are shown."""

    cases: tuple[str, ...] = ()
    """By name; all where none is named."""
    replicate: int | None = None
    """This one alone, from 0."""
    worst: int = 1
    """Of each case: so many different answers, and so many kinds of unparsable and absent replies."""
    wrong_only: bool = False


class Sample(Frozen, frozen=True):
    """One reply of those to a case that ended alike: the same answer, or the same failure."""

    replicates: tuple[int, ...]
    """All that ended so; the first one is shown."""
    fate: Fate
    accuracy: float | None
    """None where no reply came."""
    reason: str
    """Why it could not be parsed, or why none came; empty of an answer."""
    is_truncated: bool
    difference: AnswerDifference | None
    text: str | None


class ExaminedCase(Frozen, frozen=True):
    """One case's replies, counted, with samples of the worst."""

    case: str
    accuracy: float | None
    replies: int
    right: int
    """Answers with an accuracy of 1."""
    wrong: int
    """Other answers, but for those of which the prose alone differs."""
    other_prose: int
    """Of which the prose alone differs: with `right`, the replies that records call right throughout."""
    unparsable: int
    absent: int
    truncated: int
    """Cut at the token limit, among the others."""
    truncated_unparsable: int
    samples: tuple[Sample, ...]
    """The worst answers first, then the unparsable and the absent, the commonest failure first."""

    @property
    def is_all_right(self) -> bool:
        """Whether every reply is there and right."""
        return self.right == self.replies


def examine_run(
    plan: RunPlan, replies_of: Callable[[Case], Sequence[Reply]], selection: Selection
) -> list[ExaminedCase]:
    """Examine a run's replies as far as they have come, the case with the lowest accuracy first.

    One case's replies are held at a time. `wrong_only` leaves out cases and answers that are all right.
    """
    rules = plan_fields(plan.component, plan.cases)
    chosen = [case for case in plan.cases if not selection.cases or case.name in selection.cases]
    found = [_examine(plan, case, replies_of(case), selection, rules) for case in chosen]
    if selection.wrong_only:
        found = [case for case in found if not case.is_all_right]
    # A case without any reply says most of what is wrong, so it comes first.
    return sorted(found, key=lambda case: -1.0 if case.accuracy is None else case.accuracy)


class _Ending(Frozen, frozen=True):
    """How one reply ended."""

    reply: Reply
    fate: Fate
    accuracy: float | None
    reason: str = ""
    value: JsonValue = None
    is_exact: bool = False
    """Whether all but the prose is right."""


def _examine(
    plan: RunPlan, case: Case, replies: Sequence[Reply], selection: Selection, rules: FieldRules
) -> ExaminedCase:
    scorer = scorer_of(plan.component, case, rules)
    endings = list(_endings(plan, replies, scorer))
    shown = [end for end in endings if selection.replicate in {None, end.reply.replicate}]
    if selection.wrong_only:
        shown = [end for end in shown if not _is_right(end)]
    counts = {fate: sum(end.fate == fate for end in endings) for fate in ("unparsable", "no reply")}
    right = sum(map(_is_right, endings))
    other_prose = sum(end.is_exact and not _is_right(end) for end in endings)
    return ExaminedCase(
        case=case.name,
        accuracy=mean(end.accuracy for end in endings if end.accuracy is not None),
        replies=len(endings),
        right=right,
        wrong=len(endings) - right - other_prose - sum(counts.values()),
        other_prose=other_prose,
        unparsable=counts["unparsable"],
        absent=counts["no reply"],
        truncated=sum(map(_is_truncated, endings)),
        truncated_unparsable=sum(_is_truncated(end) for end in endings if end.fate == "unparsable"),
        samples=tuple(_samples(shown, selection.worst, scorer)),
    )


def _endings(plan: RunPlan, replies: Iterable[Reply], scorer: TreeScorer) -> Iterator[_Ending]:
    known: dict[str, tuple[float, bool]] = {}
    for reply in replies:
        if reply.error is not None:
            # As in a record: what the model failed at is a wrong answer, what the network did is none.
            is_absent = reply.is_infrastructure_failure
            reason = f"{reply.error.code}: {reply.error.message}"
            yield _Ending(
                reply, "no reply" if is_absent else "unparsable", None if is_absent else 0.0, reason
            )
            continue
        answer = read_answer(plan, reply.text)
        if not isinstance(answer, Parsed):
            yield _Ending(reply, "unparsable", 0.0, answer.reason)
            continue
        text = canonical_text(answer.value)
        # Replicates often agree: each different answer is scored once.
        if text not in known:
            score = scorer.score(answer.value)
            known[text] = score.accuracy, bool(score.exact)
        accuracy, is_exact = known[text]
        yield _Ending(reply, "answered", accuracy, value=answer.value, is_exact=is_exact)


def _samples(endings: Iterable[_Ending], most: int, scorer: TreeScorer) -> Iterator[Sample]:
    groups: dict[tuple[Fate, str], list[_Ending]] = {}
    for end in endings:
        same = canonical_text(end.value) if end.fate == "answered" else end.reason
        groups.setdefault((end.fate, same), []).append(end)
    answers = [group for (fate, _), group in groups.items() if fate == "answered"]
    # Of answers the worst is looked for; of failures, below, the commonest, since each is as wrong as any.
    answers.sort(key=lambda group: (group[0].accuracy or 0.0, group[0].reply.replicate))
    # Trees of differences are made for what is shown alone: they cost more than the score.
    yield from (_sample(group, scorer) for group in answers[:most])
    for wanted in ("unparsable", "no reply"):
        failures = [group for (fate, _), group in groups.items() if fate == wanted]
        failures.sort(key=lambda group: (-len(group), group[0].reply.replicate))
        yield from (_sample(group, scorer) for group in failures[:most])


def _sample(group: Sequence[_Ending], scorer: TreeScorer) -> Sample:
    first = group[0]
    return Sample(
        replicates=tuple(end.reply.replicate for end in group),
        fate=first.fate,
        accuracy=first.accuracy,
        reason=first.reason,
        is_truncated=_is_truncated(first),
        difference=diff(scorer, first.value) if first.fate == "answered" else None,
        text=first.reply.text,
    )


def _is_right(end: _Ending) -> bool:
    return end.accuracy is not None and end.accuracy >= 1


def _is_truncated(end: _Ending) -> bool:
    return end.reply.finish_reason == "length" and end.fate != "no reply"
