"""Version bumps: two trees' versions -> what became of each component, and whether it is to be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from evalcore.formats.versions import Version, parse_version
from evalcore.structs import Frozen

Change = Literal["new", "major", "minor", "patch", "fell", "removed", "invalid"]
# A patch is not evaluated by itself, as in the sweep.
EVALUATED: Final[frozenset[Change]] = frozenset({"new", "major", "minor"})


class Bump(Frozen, frozen=True):
    """What became of one component's version between two trees."""

    component: str
    base_version: str | None
    """As it is written; None where there is none."""
    head_version: str | None
    change: Change
    evaluate: bool


def bumps(base: Mapping[str, str | None], head: Mapping[str, str | None]) -> list[Bump]:
    """Compare the versions of two trees, component by component, sorted by component.

    A tree's components are its keys; the version is the text that is written, None where none can be
    read. A component is left out where the two versions are equal as semver has it.
    """
    found = []
    for component in sorted(base.keys() | head.keys()):
        before, after = base.get(component), head.get(component)
        change = _change(before, after) if component in head else "removed"
        if change is not None:
            found.append(Bump(component, before, after, change, change in EVALUATED))
    return found


def _change(before: str | None, after: str | None) -> Change | None:
    """Name what became of a component that is there at head; None where its version is the same."""
    old, new = (parse_version(text) if text is not None else None for text in (before, after))
    if new is None:
        return "invalid"
    # A version that could not be read before was never evaluated.
    if old is None:
        return "new"
    if new == old:
        return None
    return _rise(old, new) if new > old else "fell"


def _rise(old: Version, new: Version) -> Change:
    if new.major != old.major:
        return "major"
    if new.minor != old.minor:
        return "minor"
    if new.patch != old.patch or new.patch:
        return "patch"
    # The pre-release part alone rose: to what release it leads decides.
    return "minor" if new.minor else "major"
