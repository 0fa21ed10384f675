"""The one way into scoring: `make_scorer` for a component's case."""

from __future__ import annotations

from evalcore.component import Case, Component
from evalcore.errors import CaseError
from evalcore.markdown import parse_markdown
from evalcore.numbers import mean_by_field
from evalcore.scoring.fields import mean_by_path, paths_of
from evalcore.scoring.interface import Agreement, Score, Scorer
from evalcore.scoring.nodes import Interner, Node
from evalcore.scoring.tree import TreeComparison
from evalcore.strict_json import parse_json
from evalcore.structs import JsonValue


def make_scorer(component: Component, case: Case) -> Scorer:
    """Return the scorer of one case, its expected answer parsed once.

    Raises CaseError if the expected answer of a JSON component is not JSON.
    """
    if not component.is_json:
        return TreeScorer(parse_markdown(case.expected))
    try:
        return TreeScorer(parse_json(case.expected))
    except ValueError as error:
        raise CaseError(
            f"the expected answer is not JSON: {error}",
            where=f"{component.slug}, case {case.name}",
            hint="mend expected.json",
        ) from error


class TreeScorer:
    """Scores answers by ANLS*, which for now is the accuracy as well."""

    def __init__(self, expected: JsonValue) -> None:
        self._interner = Interner()
        self._expected = self._interner.node(expected)
        self._fields = frozenset(paths_of(self._expected))

    @property
    def fields(self) -> frozenset[str]:
        """The expected answer's field paths: those of every `by_field`."""
        return self._fields

    def score(self, answer: JsonValue) -> Score:
        """Compare an answer with the expected one."""
        interner = Interner(self._interner)
        answered = interner.node(answer)
        comparison = TreeComparison()
        value = comparison.score_with_options(self._expected, answered)
        by_field = mean_by_path(comparison, self._expected, answered, self._fields)
        return Score(accuracy=value, anls_star=value, by_field=by_field)

    def agree(self, left: JsonValue, right: JsonValue) -> Agreement:
        """Compare two answers with each other, aligned to each other.

        ANLS* has an expected and an answered side, and treats null, absence and invented keys
        differently on the two; the agreement is the mean of both directions, hence symmetric. A list
        of strings is never taken for a list of options here.
        """
        interner = Interner()
        one, other = interner.node(left), interner.node(right)
        forth = self._directed(one, other)
        if one is other:
            return forth
        back = self._directed(other, one)
        return Agreement(
            value=(forth.value + back.value) / 2,
            by_field=mean_by_field((forth.by_field, back.by_field)),
        )

    def _directed(self, one: Node, other: Node) -> Agreement:
        comparison = TreeComparison()
        value = comparison.score(one, other)
        return Agreement(value=value, by_field=mean_by_path(comparison, one, other, self._fields))
