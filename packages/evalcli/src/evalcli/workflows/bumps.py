"""The versions of two commits of a checkout, compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from evalcore.compare.bumps import Bump, bumps
from evalcore.errors import CheckoutError
from evalcore.library.checkout import Checkout, CommitCheckout, commit_of, is_in_git
from evalcore.library.versions import written_versions

NOTHING: Final = re.compile(r"0{40}|0{64}")
"""What GitHub names as the commit before the first push to a branch, and after it is deleted."""


def bumps_in_checkout(library: Path, base: str, head: str) -> list[Bump]:
    """Compare two revisions of a checkout; raises CheckoutError where it lacks one."""
    return bumps(_local_versions(library, base), _local_versions(library, head))


def bumps_in_trees(before: Checkout | None, after: Checkout) -> list[Bump]:
    """Compare two trees; None is the empty one."""
    return bumps(written_versions(before) if before is not None else {}, written_versions(after))


def _local_versions(library: Path, revision: str) -> dict[str, str | None]:
    # A first push has no commit before it: every component is new then.
    if NOTHING.fullmatch(revision):
        return {}
    commit = commit_of(library, revision)
    if commit is None and not is_in_git(library):
        hint = "name a checkout with --prompt-library, or ask GitHub by --repo"
        raise CheckoutError("is in no git repository", where=str(library.resolve()), hint=hint)
    if commit is None:
        hint = "fetch it first (actions/checkout: fetch-depth 0), or ask GitHub by --repo"
        raise CheckoutError(
            f"has no such commit as {revision!r:.110}", where=str(library.resolve()), hint=hint
        )
    with CommitCheckout(library, commit) as checkout:
        return written_versions(checkout)
