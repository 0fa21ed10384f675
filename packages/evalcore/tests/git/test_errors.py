"""The errors of the git edge: the tree that its users read is the tree that there is."""

from __future__ import annotations

import re

from evalcore.errors import RepositoryError
from evalcore.git import errors

INDENT = 4


def drawn() -> dict[str, tuple[str | None, bool]]:
    """Return each error of the tree in the docstring with the one above it, and whether it is marked."""
    found: dict[str, tuple[str | None, bool]] = {}
    above: list[str] = []
    _, root, below = (errors.__doc__ or "").partition("\nRepositoryError\n")
    for line in (root + below).split("\n"):
        match = re.match(r"([│├└─ ]*)([A-Z]\w+)\s*(\*?)", line)
        if match is None:
            continue
        depth = len(match[1]) // INDENT
        above[depth:] = [match[2]]
        found[match[2]] = (above[depth - 1] if depth else None, match[3] == "*")
    return found


def test_the_tree_has_every_error_below_its_own_and_marks_those_that_may_be_tried_again() -> None:
    classes = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, RepositoryError) and kind is not RepositoryError
    ]
    there = {kind.__name__: (kind.__bases__[0].__name__, kind.retryable) for kind in classes}
    assert drawn() == {"RepositoryError": (None, RepositoryError.retryable), **there}


def test_each_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(set(codes)) == len(codes)
