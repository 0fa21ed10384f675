"""The one way into scoring: a Scorer made for a component's case, and what it says of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec

from evalcore.structs import Frozen, JsonValue


class Score(Frozen, frozen=True):
    """How right an answer is. All values are in [0, 1]."""

    accuracy: float
    """The headline of this answer."""
    anls_star: float
    """ANLS* as published (arXiv 2402.03848)."""
    by_field: Mapping[str, float]
    """Field path (`document_requirements[].page_limit`) to the mean score of that field; sorted."""
    prose: float | None = None
    """The mean over all prose leaves, whose wording weighs little in the headline; None without prose."""
    precision: float | None = None
    """Of what was answered, the share that is right: the rest is invented or wrong."""
    recall: float | None = None
    """Of what was expected, the share that is right: the rest is missed or wrong."""
    precision_by_field: Mapping[str, float] = msgspec.field(default_factory=dict)
    recall_by_field: Mapping[str, float] = msgspec.field(default_factory=dict)
    exact: bool | None = False
    """Whether every leaf but prose is right; None where there is nothing but prose."""


class Agreement(Frozen, frozen=True):
    """How far two answers to one input agree. All values are in [0, 1]."""

    value: float
    """The weight of agreeing leaves over the weight of all leaves of both."""
    by_field: Mapping[str, float]


class Scorer(Protocol):
    """Scores the answers of one case. Pure: the same answers give the same numbers."""

    @property
    def fields(self) -> AbstractSet[str]:
        """The expected answer's field paths; a `by_field` has no others."""
        ...

    def score(self, answer: JsonValue) -> Score:
        """Compare an answer with the expected one."""
        ...

    def agree(self, left: JsonValue, right: JsonValue) -> Agreement:
        """Compare two answers with each other, aligned to each other; symmetric."""
        ...
