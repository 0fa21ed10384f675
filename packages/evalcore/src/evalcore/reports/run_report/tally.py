"""All that a report counts of a run's replies, case by case: one case's replies are held at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from evalcore.clients.reply import Reply
from evalcore.library.component import Case
from evalcore.library.schema import TooMuchWork, Validator, make_validator
from evalcore.reports.run_report.answer_keys import AnswerKeys, TooLarge
from evalcore.reports.run_report.declared import Declared, declared_by
from evalcore.reports.run_report.violations import ViolationTally
from evalcore.runs.plan import RunPlan
from evalcore.scoring.answers import Parsed
from evalcore.scoring.planned_answer import read_answer
from evalcore.scoring.rules.field_rules import expected_value
from evalcore.structs import JsonValue

MOST_VALUES: Final = 20_000
"""Of one answer; one that holds more is not looked at."""
MOST_OF_RUN: Final = 3_000_000
"""Values of all answers that are looked at; of further answers those of FEW_VALUES at most."""
FEW_VALUES: Final = 1_000
MOST_UNDECLARED: Final = 1_000
"""Different undeclared keys of a run that are told apart; those found later are counted together."""
MOST_FIELDS: Final = 2_000
"""Paths of one case whose values are compared."""


class CaseLabel(NamedTuple):
    """What is published of a case."""

    name: str | None
    """As it may be shown; None where not even a hash of it may be."""
    may_be_quoted: bool
    """Whether its expected answer and the replies to it may be shown, and keys that only they hold."""


class CaseTally(NamedTuple):
    """One case's replies."""

    name: str | None
    answers: int
    """Replies that could be parsed, and were not too large."""
    distinct: Mapping[str, int]
    """Per scalar field how many different values the replies have; empty with fewer than two answers."""
    lengths: Mapping[str, Sequence[int]]
    """Per list outside other lists its length in each answer; 0 where it is absent or null."""


class RunTally:
    """What a run's replies hold; `add` takes one case after the other."""

    def __init__(self, plan: RunPlan, labels: Mapping[str, CaseLabel]) -> None:
        self._plan = plan
        self._labels = labels
        component = plan.component
        self._is_json = component.is_json
        # Keys of a confidential expected answer would be published as declared ones that answers lack.
        shown = (case for case in plan.cases if labels[case.name].may_be_quoted)
        known = [] if component.schema is not None or not self._is_json else [
            expected_value(component, case) for case in shown
        ]  # fmt: skip
        self.root: Declared = declared_by(component.schema, known)
        self._validator: Validator | None = None
        self.violations: ViolationTally | None = None
        if component.schema is not None and self._is_json:
            self._validator = make_validator(component.schema)
            self.violations = ViolationTally(self._validator, self.root)
        self._values_left = MOST_OF_RUN
        self.cases: list[CaseTally] = []
        self.latencies: list[float] = []
        self.prompt_tokens: list[int] = []
        self.completion_tokens: list[int] = []
        self.answers = self.valid = self.valid_without_extras = self.too_large = 0
        self.unnamed_undeclared = 0
        """Replies with undeclared keys that may not be named."""
        self.objects: Counter[str] = Counter()
        self.populated: Counter[str] = Counter()
        self.missing_objects: Counter[str] = Counter()
        self.missing_replies: Counter[str] = Counter()
        self.holding_replies: Counter[str] = Counter()
        """Per path of an object how many replies have one there."""
        self.undeclared: Counter[tuple[str, str]] = Counter()
        """Replies per path and undeclared key."""
        self.instead: dict[tuple[str, str], Counter[str]] = {}
        """The same by the declared keys that such an object lacks."""

    @property
    def has_schema(self) -> bool:
        """Whether there is a schema that answers are held against."""
        return self._validator is not None

    @property
    def top(self) -> Declared:
        """The place of the answer's own keys: of its elements where it is a list."""
        return self.root.item() if self.root.is_list else self.root

    def add(self, case: Case, replies: Sequence[Reply]) -> None:
        """Count one case's replies."""
        label = self._labels[case.name]
        texts: list[str | None] = []
        for reply in replies:
            if reply.is_infrastructure_failure:
                continue
            self.latencies.append(reply.latency_ms)
            if reply.usage is not None:
                self.prompt_tokens.append(reply.usage.prompt)
                self.completion_tokens.append(reply.usage.completion)
            texts.append(None if reply.error else reply.text)
        # Replicates often agree to the letter: one text is looked at once.
        known = {text: self._looked_at(text, count, label) for text, count in Counter(texts).items()}
        answers = [keys for text in texts if (keys := known[text]) is not None]
        self.cases.append(CaseTally(label.name, len(answers), _distinct(answers), _lengths(answers)))

    def _looked_at(self, text: str | None, count: int, label: CaseLabel) -> AnswerKeys | None:
        """Count what so many replies say; None where their keys cannot be looked at."""
        answer = read_answer(self._plan, text)
        if not isinstance(answer, Parsed):
            return None
        keys = self._keys(answer.value) if self._is_json else None
        if keys is None and self._is_json:
            self.too_large += count
            return None
        try:
            is_valid = self._validator is not None and self._validator.is_valid(answer.value)
        except TooMuchWork:
            return None  # as in the record, where it counts as a reply that never came
        self.answers += count
        if keys is not None:
            self._count_validity(answer.value, keys.values, count, is_valid=is_valid)
            self._count(keys, count, label)
        return keys

    def _keys(self, value: JsonValue) -> AnswerKeys | None:
        """Look at an answer; None of one that is too large."""
        most = MOST_VALUES if self._values_left > 0 else FEW_VALUES
        try:
            keys = AnswerKeys(value, self.root, most)
        except TooLarge:
            # What was looked at until it was too large took its time, too.
            self._values_left -= most
            return None
        self._values_left -= keys.values
        return keys

    def _count_validity(self, value: JsonValue, values: int, count: int, *, is_valid: bool) -> None:
        if self.violations is None:
            return
        self.valid += count * is_valid
        self.valid_without_extras += count * (is_valid or self._is_valid_without_extras(value))
        if not is_valid:
            self.violations.add(value, values, count)

    def _is_valid_without_extras(self, value: JsonValue) -> bool:
        stripped = _without_extras(value, self.root)
        if self._validator is None or stripped == value:
            return False
        return self._validator.is_valid(stripped, is_light=True)

    def _count(self, keys: AnswerKeys, count: int, label: CaseLabel) -> None:
        for path, objects in keys.objects.items():
            self.objects[path] += len(objects) * count
            self.holding_replies[path] += count
        for path, populated in keys.populated():
            self.populated[path] += populated * count
        for path, missing in keys.missing.items():
            self.missing_objects[path] += missing * count
            self.missing_replies[path] += count
        if not label.may_be_quoted:
            # A key that nobody has declared may be a name out of a confidential document.
            self.unnamed_undeclared += count * bool(keys.undeclared)
            return
        for found in keys.undeclared:
            if found in self.undeclared or len(self.undeclared) < MOST_UNDECLARED:
                self.undeclared[found] += count
        for path, key, lacking in keys.instead:
            if (path, key) in self.undeclared:
                self.instead.setdefault((path, key), Counter())[lacking] += count


def tally_of(
    plan: RunPlan, replies_of: Callable[[Case], Sequence[Reply]], labels: Mapping[str, CaseLabel]
) -> RunTally:
    """Count all replies of a run; `labels` says of each case, by its name, what is published of it."""
    tally = RunTally(plan, labels)
    for case in plan.cases:
        tally.add(case, replies_of(case))
    return tally


def _distinct(answers: Sequence[AnswerKeys]) -> dict[str, int]:
    """Count the different values of each scalar field; one that is absent counts as null."""
    if len(answers) < 2:  # noqa: PLR2004 - one alone agrees with nothing
        return {}
    # Equal texts were looked at once, and are one object here.
    different = list(dict.fromkeys(answers))
    paths = sorted({path for keys in different for path in keys.scalars})[:MOST_FIELDS]
    return {path: len({_values(keys, path) for keys in different}) for path in paths}


def _values(keys: AnswerKeys, path: str) -> str | tuple[str, ...]:
    found = keys.scalars.get(path)
    if "[]" not in path:
        # repr tells 1, 1.0 and True apart, which are equal to Python and not to a program that reads the
        # answers.
        return repr(found[0]) if found else "None"
    # Which element of a list stands where is no matter of its fields' values.
    return tuple(sorted(map(repr, found or ())))


def _lengths(answers: Sequence[AnswerKeys]) -> dict[str, list[int]]:
    paths = sorted({path for keys in answers for path in keys.lengths if "[]" not in path})[:MOST_FIELDS]
    return {path: [(keys.lengths.get(path) or [0])[0] for keys in answers] for path in paths}


def _without_extras(value: JsonValue, root: Declared) -> JsonValue:
    """Take the undeclared keys out of the answer's own object, or of the elements of one that is a list."""
    if isinstance(value, list):
        place = root.item()
        return [_without_extras(item, place) if isinstance(item, dict) else item for item in value]
    if not isinstance(value, dict) or root.takes_any:
        return value
    return {name: inner for name, inner in value.items() if name in root.names}
