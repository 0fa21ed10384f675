"""The one way into scoring: `make_scorer` for a component's case, by rules planned once per run."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from evalcore.formats.markdown import parse_markdown
from evalcore.library.component import Case, Component
from evalcore.scoring.anls.nodes import Interner, clipped
from evalcore.scoring.anls.tree import TreeComparison
from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.interface import Agreement, Score, Scorer
from evalcore.scoring.leaves import LeafComparison, Reading
from evalcore.scoring.markdown_tree import markdown_fields, match_names, section_fields
from evalcore.scoring.parts import Leaf, Part, Placer, count_values, holds_more_than
from evalcore.scoring.rules.field_rules import Field, FieldRules, expected_value, plan_fields
from evalcore.scoring.tally import Tally, children, field_paths
from evalcore.scoring.typed_tree import TypedComparison
from evalcore.structs import JsonValue

__all__ = ["Scorer", "TreeScorer", "make_scorer", "plan_fields"]

MOST_VALUES = 5_000
"""Of an answer, or ten times the expected answer's if those are more; what is larger is wrong unread."""

# Two replies of 700 near-copies each took seven seconds without it, and ten such replies are 45 pairs.
MOST_AGREEING_PAIRS = 100_000
"""Of list elements that are compared of two replies."""


def make_scorer(component: Component, case: Case, rules: FieldRules | None = None) -> Scorer:
    """Return the scorer of one case, its expected answer parsed once.

    `rules` come of `plan_fields` over all cases of the component; without them this case alone decides
    which fields are prose. Raises CaseError if the expected answer of a JSON component is not JSON.
    """
    if rules is None:
        rules = plan_fields(component, (case,))
    return scorer_of(component, case, rules)


def scorer_of(component: Component, case: Case, rules: FieldRules) -> TreeScorer:
    """As make_scorer, for those who want to see what a score is made of."""
    expected = expected_value(component, case)
    if component.is_json:
        return TreeScorer(expected, rules, case.input)
    return TreeScorer(expected, rules, case.input, published=parse_markdown(case.expected))


class TreeScorer:
    """Scores answers by the typed tree, with ANLS* beside it."""

    def __init__(
        self,
        expected: JsonValue,
        rules: FieldRules | None = None,
        input_text: str = "",
        published: JsonValue = None,
    ) -> None:
        self._most = max(MOST_VALUES, 10 * count_values(expected))
        expected = clipped(expected)
        self.rules = rules or FieldRules(None, [expected])
        self._interner = Interner()
        # Of a Markdown answer ANLS* compares the plain tree.
        self._published = self._interner.node(published if self.rules.markdown else expected)
        self._placer = Placer()
        self.value = expected
        """The expected answer as it was written, where `expected` is made of parts."""
        self.expected = self._placer.part(expected, self.rules.root)
        self._leaves = LeafComparison(input_text, _excerpts(self.expected))
        # The keys of a dict are a set that stays sorted.
        self._fields = dict.fromkeys(sorted(field_paths(expected, self.rules.root))).keys()
        self._lists = frozenset(_list_names(expected, self.rules.root))
        self._sections = section_fields(expected) if self.rules.markdown else {}

    @property
    def fields(self) -> AbstractSet[str]:
        """The expected answer's field paths: those of every `by_field`."""
        return self._fields

    def score(self, answer: JsonValue) -> Score:
        """Compare an answer with the expected one."""
        if self.is_too_large(answer):
            return _wrong(self._fields)
        placed = self.compare(answer)
        return _score(placed.value, self._anls_star(answer), placed.tally)

    def is_too_large(self, answer: JsonValue) -> bool:
        """Whether an answer is so much larger than the expected one that it is wrong unread."""
        return holds_more_than(answer, self._most)

    def compare(self, answer: JsonValue) -> Compared:
        """Compare by the typed tree alone, and keep what the score is made of."""
        named = self._named(answer) if self.rules.markdown else answer
        part = Placer(self._placer).part(named, self.rules.root)
        comparison = TypedComparison(self._leaves)
        value = comparison.score(self.expected, part)
        tally = Tally(comparison, self._fields)
        tally.walk(self.expected, part)
        # What the policy requires and the answer lacks makes all of it wrong, however much else is right.
        return Compared(part, comparison, tally, 0.0 if tally.lacking else value, named)

    def agree(self, left: JsonValue, right: JsonValue) -> Agreement:
        """Compare two answers with each other, aligned to each other."""
        # Unread for accuracy, unread here: two such replies are the same or not.
        if self.is_too_large(left) or self.is_too_large(right):
            value = float(canonical_text(left) == canonical_text(right))
            return Agreement(value=value, by_field=dict.fromkeys(sorted(self._fields), value))
        one, other = self._placed_together(left, right)
        comparison = TypedComparison(self._leaves, MOST_AGREEING_PAIRS)
        value = comparison.score(one, other)
        tally = Tally(comparison, self._fields)
        tally.walk(one, other)
        return Agreement(value=value, by_field=tally.by_field() | tally.lengths_of(self._lists))

    def _placed_together(self, left: JsonValue, right: JsonValue) -> tuple[Part | None, Part | None]:
        placer = Placer()
        if self.rules.markdown:
            left, right = self._named(left), self._named(right)
            # Headings of the one are matched to the other's: which way round must not depend on the call.
            if canonical_text(right) < canonical_text(left):
                left, right = right, left
            fields = section_fields(left)
            right = match_names(right, fields, fields)
        one, other = placer.part(left, self.rules.root), placer.part(right, self.rules.root)
        # Always the same way round, so that the agreement is symmetric to the last digit.
        if one is not None and other is not None and other.key < one.key:
            return other, one
        return one, other

    def _named(self, answer: JsonValue) -> JsonValue:
        return match_names(markdown_fields(answer), self._sections, self._sections)

    def _anls_star(self, answer: JsonValue) -> float:
        # An interner beside the expected answer's: its nodes are found there, and the answer's go with it.
        answered = Interner(self._interner).node(answer)
        return TreeComparison().score_with_options(self._published, answered)


class Compared(NamedTuple):
    """An answer placed beside the expected one."""

    part: Part | None
    comparison: TypedComparison
    tally: Tally
    value: float
    named: JsonValue
    """The answer as it was written; of a Markdown document, under the names of the expected one."""


def _score(value: float, anls_star: float, tally: Tally) -> Score:
    return Score(
        accuracy=value,
        anls_star=anls_star,
        by_field=tally.by_field(),
        prose=tally.prose,
        precision=tally.precision,
        recall=tally.recall,
        precision_by_field=tally.precision_by_field(),
        recall_by_field=tally.recall_by_field(),
        exact=tally.exact,
    )


def _wrong(fields: AbstractSet[str]) -> Score:
    nothing = dict.fromkeys(sorted(fields), 0.0)
    return Score(accuracy=0.0, anls_star=0.0, by_field=nothing, precision=0.0, recall=0.0)


def _excerpts(part: Part | None) -> Iterator[Reading]:
    if isinstance(part, Leaf) and part.field.rule.compare == "contained_in_input":
        yield part.reading
    for child in children(part) if part is not None else ():
        yield from _excerpts(child)


def _list_names(value: JsonValue, field: Field) -> Iterator[str]:
    if isinstance(value, list):
        yield field.name
        for item in value:
            yield from _list_names(item, field.item())
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _list_names(item, field.field(name))
