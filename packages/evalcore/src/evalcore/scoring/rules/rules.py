"""The rule of a field: by what its leaves are compared, what they weigh, and why."""

from __future__ import annotations

from typing import Literal

from evalcore.structs import Frozen, JsonScalar

Comparator = Literal[
    "exact",
    "number",
    "closeness",
    "confidence",
    "date",
    "money",
    "text",
    "normalized",
    "words",
    "tokens",
    "set",
    "contained_in_input",
    "one_of",
    "range",
    "as shown",
    "ignore",
]
"""`closeness` and `as shown` are chosen by the evaluator alone; a policy names any of the others, and
`confidence` for `closeness`."""

# With full weight wording drowned the answer: a classifier that was never right, phrased like the key, scored
# higher than one that was always right in words of its own.
PROSE_SHARE = 0.25
"""What the prose leaves of one object weigh together, in leaves."""
PROSE_WORDS = 8
"""Words of a text that may be prose, at least; what holds a digit is no word."""
CLOSENESS = 0.25
"""The distance at which a number bounded to 0-1 is wrong, and the weight of such a leaf."""
NUMBER_TOLERANCE = 1e-6
"""Of the larger of two numbers."""
MONEY_TOLERANCE = 1e-12
"""What doubles lose: an amount of money is that amount."""


class Rule(Frozen, frozen=True):
    """How the leaves of one field are compared."""

    compare: Comparator
    weight: float
    """In leaves; of prose that shares one, what all of it in one object weighs together."""
    why: str
    is_prose: bool = False
    shares: bool = False
    """Whether the prose leaves of one object share the weight."""
    tolerance: float | None = None
    """Where none is set: NUMBER_TOLERANCE, or MONEY_TOLERANCE where either side is an amount of money."""
    relative: bool = True
    fractions: bool = False
    """Whether 15 % and 0.15 are one."""
    options: tuple[JsonScalar, ...] = ()
    """Of `one_of`."""
    low: float | None = None
    high: float | None = None
    """Of `range`."""


class ListRule(Frozen, frozen=True):
    """How the elements of two lists find each other."""

    ordered: bool = False
    align_by: tuple[str, ...] = ()
    as_set: bool = False
