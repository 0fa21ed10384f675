"""What a token has to be allowed on the prompt library, and what for: an App's, or a fine-grained one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evalcore.structs import Frozen

LEVELS: Final = ("read", "write", "admin")


class Permission(Frozen, frozen=True):
    """One permission of GitHub's."""

    name: str
    """As the API calls it."""
    shown: str
    """As GitHub's pages call it."""
    level: str
    is_needed: bool
    """Whether no results are published without it."""
    purpose: str


PERMISSIONS: Final = (
    Permission("contents", "Contents", "write", True, "the clone, the branch with results, auto-merge"),
    Permission("pull_requests", "Pull requests", "write", True, "the pull request, its labels, auto-merge"),
    Permission("statuses", "Commit statuses", "write", False, "the status of an evaluated commit"),
    Permission("issues", "Issues", "write", False, "the issue of a component that fails"),
)
"""All that the service asks of GitHub; reading the metadata comes with every token."""


def lacking(granted: Mapping[str, str]) -> list[Permission]:
    """Return the permissions that are not among the granted ones, by name and level."""
    return [each for each in PERMISSIONS if _rank(granted.get(each.name)) < _rank(each.level)]


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
