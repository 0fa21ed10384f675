"""The versions of two commits of a checkout, compared."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from evalcore.compare.bumps import Bump, bumps
from evalcore.errors import CheckoutError
from evalcore.library.checkout import Checkout, CommitCheckout, FolderCheckout, commit_of, is_in_git
from evalcore.library.checkout.git import ask, branching_point
from evalcore.library.versions import written_versions
from evalcore.structs import Frozen

NOTHING: Final = re.compile(r"0{40}|0{64}")
"""What GitHub names as the commit before the first push to a branch, and after it is deleted."""

WORKING_TREE: Final = "the working tree"


class Sides(Frozen, frozen=True):
    """Two revisions of a checkout to compare; a head of None is the working tree."""

    base: str
    head: str | None
    meaning: str
    """In words, where one of them was not named."""


def sides_of(library: Path, base: str | None, head: str | None) -> Sides:
    """Return what is compared: the head left out is the working tree, the base where it left the main line.

    Raises CheckoutError where there is no such point.
    """
    after = WORKING_TREE if head is None else head
    if base is not None:
        return Sides(base, head, f"comparing {base} with {after}")
    _in_git(library)
    point = branching_point(library, head or "HEAD")
    if point is None:
        raise CheckoutError(
            f"does not tell where {head or 'HEAD'!r:.110} left its default branch, main or master",
            where=str(library.resolve()),
            hint="name the earlier commit with --base, or fetch it (actions/checkout: fetch-depth 0)",
        )
    is_tip = point.commit == commit_of(library, head or "HEAD")
    place = f"on {point.branch}" if is_tip else f"where {head or 'HEAD'} left {point.branch}"
    said = f"comparing {point.commit[:12]}, {place}, with {after}"
    return Sides(point.commit, head, said)


def bumps_in_checkout(library: Path, base: str, head: str | None) -> list[Bump]:
    """Compare two revisions of a checkout; a head of None is the working tree.

    Raises CheckoutError where it lacks one.
    """
    before = _local_versions(library, base)
    return bumps(before, _present_versions(library) if head is None else _local_versions(library, head))


def bumps_in_trees(before: Checkout | None, after: Checkout) -> list[Bump]:
    """Compare two trees; None is the empty one."""
    return bumps(written_versions(before) if before is not None else {}, written_versions(after))


def _local_versions(library: Path, revision: str) -> dict[str, str | None]:
    # A first push has no commit before it: every component is new then.
    if NOTHING.fullmatch(revision):
        return {}
    commit = commit_of(library, revision)
    if commit is None:
        _in_git(library)
        hint = "fetch it first (actions/checkout: fetch-depth 0), or ask GitHub by --repo"
        raise CheckoutError(
            f"has no such commit as {revision!r:.110}", where=str(library.resolve()), hint=hint
        )
    with CommitCheckout(library, commit) as checkout:
        return written_versions(checkout)


def _present_versions(library: Path) -> dict[str, str | None]:
    # From the repository's root, as its commits are read.
    top = ask(library, "rev-parse", "--show-toplevel")
    return written_versions(FolderCheckout(library if top is None else Path(os.fsdecode(top.rstrip(b"\n")))))


def _in_git(library: Path) -> None:
    if not is_in_git(library):
        hint = "name a checkout with --prompt-library, or ask GitHub by --repo"
        raise CheckoutError("is in no git repository", where=str(library.resolve()), hint=hint)
