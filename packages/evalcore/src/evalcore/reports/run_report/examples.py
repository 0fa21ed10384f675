"""What is wrong in a run's answers, with the values side by side: of cases that may be quoted alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from evalcore.clients.reply import Reply
from evalcore.library.component import Case
from evalcore.reports.run_report.summary import Example, ExampleStatus
from evalcore.reports.run_report.tally import CaseLabel
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import CaseResult
from evalcore.scoring.answers import Parsed
from evalcore.scoring.difference import DiffNode, diff
from evalcore.scoring.excerpts import excerpts
from evalcore.scoring.parts import count_values
from evalcore.scoring.planned_answer import read_answer
from evalcore.scoring.rules.field_rules import plan_fields
from evalcore.scoring.scorer import scorer_of
from evalcore.scoring.tally import nearest_known

MOST_EXAMINED: Final = 40
"""Cases whose worst answer is taken apart."""
MOST_VALUES: Final = 8_000
"""Of all the answers that are taken apart, together; the first one always is."""
MOST_OF_FIELD: Final = 3
LONGEST_VALUE: Final = 160
"""Characters of a value."""
NEARLY_RIGHT: Final = 0.999
"""A leaf's likeness from which on it counts as right."""


def examples_of(
    plan: RunPlan,
    replies_of: Callable[[Case], Sequence[Reply]],
    results: Sequence[CaseResult],
    labels: Mapping[str, CaseLabel],
    fields: AbstractSet[str],
) -> dict[str, tuple[Example, ...]]:
    """Return for each field what is wrong in the worst answers: the worst cases first, each case once.

    `results` are those of the run's own record. Only cases that `labels` lets be quoted are looked at. What
    lies in a part of an answer that is no field counts with the nearest field around it.
    """
    found: dict[str, list[Example]] = {}
    rules = plan_fields(plan.component, plan.cases)
    left = MOST_VALUES
    for case, replicates in _worst(plan.cases, results, labels):
        found_answer = _first_answer(plan, replies_of(case), replicates) if left > 0 else None
        if found_answer is None:
            continue
        replicate, answer = found_answer
        # Trees of differences cost more than scores: a budget over the run, whatever the size of its answers.
        left -= count_values(answer.value)
        tree = diff(scorer_of(plan.component, case, rules), answer.value).tree
        doc = labels[case.name].name or case.name
        for leaf in _wrong_leaves(tree):
            known = found.setdefault(nearest_known(leaf.path, fields), [])
            # Each document once: three wrong elements of one list tell a reader less than three documents.
            if len(known) < MOST_OF_FIELD and all(one.doc != doc for one in known):
                known.append(_example(leaf, doc, replicate))
    return {path: tuple(examples) for path, examples in found.items() if path in fields}


def _worst(
    cases: Sequence[Case], results: Sequence[CaseResult], labels: Mapping[str, CaseLabel]
) -> list[tuple[Case, Sequence[int]]]:
    """Return the cases that have wrong replies, the worst first, each with their replicates likewise."""
    by_name = {case.name: case for case in cases}
    worst = []
    for result in results:
        label = labels.get(result.case)
        wrong = sorted(
            (score, at) for at, score in enumerate(result.scores) if score is not None and score < 1
        )
        if label is not None and label.may_be_quoted and wrong:
            worst.append((wrong[0][0], result.case, [at for _, at in wrong]))
    return [(by_name[name], replicates) for _, name, replicates in sorted(worst)[:MOST_EXAMINED]]


def _first_answer(
    plan: RunPlan, replies: Sequence[Reply], replicates: Sequence[int]
) -> tuple[int, Parsed] | None:
    """Return the first of the replicates whose reply has an answer: one that has none has no values."""
    by_replicate = {reply.replicate: reply for reply in replies if reply.error is None}
    for replicate in replicates:
        if replicate in by_replicate:
            answer = read_answer(plan, by_replicate[replicate].text)
            if isinstance(answer, Parsed):
                return replicate, answer
    return None


def _wrong_leaves(node: DiffNode | None) -> Iterator[DiffNode]:
    if node is None:
        return
    if node.children:
        for child in node.children:
            yield from _wrong_leaves(child)
    elif node.weight > 0 and (node.status != "matched" or node.score < NEARLY_RIGHT):
        yield node


def _example(leaf: DiffNode, doc: str, replicate: int) -> Example:
    status: ExampleStatus = "nearly" if leaf.status == "matched" else leaf.status
    expected, answered = excerpts(leaf.expected, leaf.answered, LONGEST_VALUE)
    return Example(doc, replicate, status, expected, answered)
