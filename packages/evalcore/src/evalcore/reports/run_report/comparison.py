"""Two runs of one component side by side: what moved, with examples of answers to the same document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from evalcore.clients.reply import Reply
from evalcore.compare.pool import Pool
from evalcore.compare.verdict import NotComparable, Outcome, compare_models, compare_two
from evalcore.library.component import Case
from evalcore.reports.run_report.examples import LONGEST_VALUE, NEARLY_RIGHT
from evalcore.reports.run_report.make import RunReport
from evalcore.reports.run_report.summary import Summary
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import RunRecord
from evalcore.scoring.answers import Parsed
from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.difference import DiffNode, diff
from evalcore.scoring.excerpts import excerpts
from evalcore.scoring.parts import count_values
from evalcore.scoring.planned_answer import read_answer
from evalcore.scoring.rules.field_rules import FieldRules, plan_fields
from evalcore.scoring.scorer import scorer_of
from evalcore.stats.numbers import mean
from evalcore.structs import Frozen, JsonValue

MOST_CASES: Final = 12
"""Documents whose commonest answers are taken apart: those whose accuracy moved most."""
MOST_VALUES: Final = 8_000
"""Of all answers that are taken apart, together; the first two always are."""
MOST_EXAMPLES: Final = 24
MOST_OF_FIELD: Final = 3
MOVED: Final = 0.0005
"""A smaller change of an accuracy is none that is shown."""
Way = Literal["better", "worse"]


class ReportedRun(NamedTuple):
    """A run with its report."""

    plan: RunPlan
    replies_of: Callable[[Case], Sequence[Reply]]
    record: RunRecord
    """The run's own."""
    labels: Mapping[str, CaseLabel]
    report: RunReport


class Moved(Frozen, frozen=True):
    """An accuracy on both sides: of a field or a document."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """How much it rose."""
        return self.after - self.before


class MovedCount(Frozen, frozen=True):
    """In how many answers something is, on both sides, each with the number of answers."""

    name: str
    before: tuple[int, int]
    after: tuple[int, int]


class ExampleMoved(Frozen, frozen=True):
    """A value that the commonest answer to a document has right on one side alone."""

    way: Way
    """Worse: right before, wrong after."""
    field: str
    doc: str
    expected: str
    """JSON, cut around the first difference."""
    wrong: str
    """What the side that is wrong has; empty where it has nothing."""


class RunComparison(NamedTuple):
    """What is said of two runs."""

    before: Summary
    after: Summary
    outcome: Outcome
    """The verdict; one that cannot be compared says why."""
    fields: tuple[Moved, ...]
    """Those that moved, the most first."""
    docs: tuple[Moved, ...]
    undeclared: tuple[MovedCount, ...]
    missing: tuple[MovedCount, ...]
    errors: tuple[MovedCount, ...]
    examples: tuple[ExampleMoved, ...]


def compare_runs(before: ReportedRun, after: ReportedRun) -> RunComparison:
    """Compare two runs of one component; raises StorageError where replies cannot be read."""
    old, new = before.report.summary, after.report.summary
    fields = _moved(
        {row.field: row.accuracy for row in old.accuracy.fields},
        {row.field: row.accuracy for row in new.accuracy.fields},
    )
    return RunComparison(
        before=old,
        after=new,
        outcome=_outcome(before.record, after.record),
        fields=fields,
        docs=_moved(dict(_documents(old)), dict(_documents(new))),
        undeclared=_counts(_undeclared(old), _undeclared(new), old, new),
        missing=_counts(_missing(old), _missing(new), old, new),
        errors=_counts(_errors(old), _errors(new), old, new),
        examples=tuple(_examples(before, after, [row.name for row in fields])),
    )


def _outcome(before: RunRecord, after: RunRecord) -> Outcome:
    partial = [record.run_id for record in (before, after) if record.status == "partial"]
    if partial:
        return NotComparable(after.model, f"run {partial[0]} is partial, and its figures say nothing")
    pools = Pool((before,)), Pool((after,))
    # Two models under one version are compared as such; `compare_two` would refuse them.
    if before.model != after.model:
        (outcome,) = compare_models({after.component_version: pools})
        return outcome
    return compare_two(*pools)


def _moved(old: Mapping[str, float], new: Mapping[str, float]) -> tuple[Moved, ...]:
    rows = [Moved(name, old[name], new[name]) for name in old if name in new]
    moved = [row for row in rows if abs(row.change) >= MOVED]
    return tuple(sorted(moved, key=lambda row: (-abs(row.change), row.name)))


def _documents(summary: Summary) -> Iterator[tuple[str, float]]:
    for row in summary.accuracy.docs:
        if row.accuracy is not None:
            yield row.doc, row.accuracy


def _undeclared(summary: Summary) -> dict[str, int]:
    rows = summary.validation.name_drift.extra_keys
    return {row.key if row.path == "." else f"{row.path}.{row.key}": row.n_replies for row in rows}


def _missing(summary: Summary) -> dict[str, int]:
    return {row.field: row.n_replies for row in summary.validation.name_drift.missing_keys}


def _errors(summary: Summary) -> dict[str, int]:
    return {f"{row.path} {row.message}": row.n_replies for row in summary.validation.top_errors}


def _counts(
    old: Mapping[str, int], new: Mapping[str, int], before: Summary, after: Summary
) -> tuple[MovedCount, ...]:
    """Return what is in another share of the answers, the largest change first."""
    answers = before.validation.n_total, after.validation.n_total
    rows = []
    for name in dict.fromkeys((*old, *new)):
        counts = old.get(name, 0), new.get(name, 0)
        shares = [count / whole if whole else 0.0 for count, whole in zip(counts, answers, strict=True)]
        if shares[0] != shares[1]:
            row = MovedCount(name, (counts[0], answers[0]), (counts[1], answers[1]))
            rows.append((-abs(shares[1] - shares[0]), name, row))
    return tuple(row for _, _, row in sorted(rows))


def _examples(before: ReportedRun, after: ReportedRun, fields: Sequence[str]) -> Iterator[ExampleMoved]:
    """Yield values that are right on one side alone, of the fields that moved most first."""
    found: dict[str, list[ExampleMoved]] = {}
    # One set of rules for both: by two policies a value could be right on one side and wrong on the other.
    rules = plan_fields(after.plan.component, after.plan.cases)
    left = MOST_VALUES
    for old, new in _shared_cases(before, after):
        answers = _commonest(before, old), _commonest(after, new)
        if left <= 0 or answers[0] is None or answers[1] is None:
            continue
        left -= sum(map(count_values, answers))
        sides = [_leaves(after.plan, new, rules, answer) for answer in answers]
        for moved in _right_on_one_side(*sides, doc=after.labels[new.name].name or new.name):
            of_field = found.setdefault(moved.field, [])
            if len(of_field) < MOST_OF_FIELD and all(one.doc != moved.doc for one in of_field):
                of_field.append(moved)
    order = [
        *(field for field in fields if field in found),
        *(field for field in found if field not in fields),
    ]
    yield from [one for field in order for one in found[field]][:MOST_EXAMPLES]


def _shared_cases(before: ReportedRun, after: ReportedRun) -> list[tuple[Case, Case]]:
    """Return the documents that both runs were asked and that may be quoted, those that moved most first."""
    known = {case.name: case for case in before.plan.cases}
    means = [_means(run.record) for run in (before, after)]
    rows = []
    for case in after.plan.cases:
        old, label = known.get(case.name), after.labels[case.name]
        # With other contents it is another document, whatever it is called.
        if old is None or old.sha256 != case.sha256 or not label.may_be_quoted:
            continue
        was, now = (of_run.get(case.name) for of_run in means)
        if before.labels[case.name].may_be_quoted and was is not None and now is not None:
            rows.append((-abs(now - was), case.name, old, case))
    return [(old, case) for _, _, old, case in sorted(rows, key=lambda row: row[:2])[:MOST_CASES]]


def _means(record: RunRecord) -> dict[str, float | None]:
    return {
        result.case: mean(score for score in result.scores if score is not None)
        for result in record.case_results
    }


def _commonest(run: ReportedRun, case: Case) -> JsonValue:
    """Return the answer that most replies give, of several the first; None where no reply is one."""
    answers = [read_answer(run.plan, one.text) for one in run.replies_of(case) if one.error is None]
    values = [answer.value for answer in answers if isinstance(answer, Parsed)]
    texts = [canonical_text(value) for value in values]
    if not texts:
        return None
    # What the model most often says is its answer; a single slip of one replicate would be chance.
    commonest = Counter(texts).most_common(1)[0][0]
    return values[texts.index(commonest)]


class _Leaf(NamedTuple):
    node: DiffNode
    is_right: bool


_Place = tuple[str, ...]


def _leaves(plan: RunPlan, case: Case, rules: FieldRules, answer: JsonValue) -> dict[_Place, _Leaf]:
    """Return the leaves of the expected answer, each with how the given one fares at it."""
    tree = diff(scorer_of(plan.component, case, rules), answer).tree
    return dict(_placed(tree, ())) if tree is not None else {}


def _placed(node: DiffNode, around: _Place) -> Iterator[tuple[_Place, _Leaf]]:
    place = (*around, node.name)
    if node.children:
        for child in node.children:
            yield from _placed(child, place)
    elif node.weight > 0 and node.status != "invented":
        yield place, _Leaf(node, node.status == "matched" and node.score >= NEARLY_RIGHT)


def _right_on_one_side(
    old: Mapping[_Place, _Leaf], new: Mapping[_Place, _Leaf], *, doc: str
) -> Iterable[ExampleMoved]:
    for place, was in old.items():
        # By its place in the expected answer, which is the same for both.
        now = new.get(place)
        if now is None or was.is_right == now.is_right:
            continue
        wrong = (now if was.is_right else was).node
        expected, answered = excerpts(wrong.expected, wrong.answered, LONGEST_VALUE)
        way: Way = "worse" if was.is_right else "better"
        yield ExampleMoved(way, was.node.path, doc, expected, answered)
