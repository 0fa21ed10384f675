"""The versions of two commits by GitHub's API, compared: apart, for a checkout needs no client of GitHub."""

from __future__ import annotations

from evalcli.workflows.bumps import NOTHING
from evalcli.workflows.environment import GitHubAccess, github_of
from evalcore.compare.bumps import Bump, bumps
from evalcore.github.trees import TreeReader
from evalcore.library.checkout.api import ApiCheckout
from evalcore.library.loader import COMPONENTS
from evalcore.library.versions import written_versions


def bumps_on_github(access: GitHubAccess, base: str, head: str) -> list[Bump]:
    """Compare two revisions of a repository on GitHub; raises CheckoutError or RepositoryError."""
    blobs: dict[str, bytes] = {}
    # By both trees: GitHub's own comparison of two commits lists 300 files at most, and has no further page.
    with github_of(access).reading() as reader:
        # What head and base share is fetched once.
        before, after = (_versions(reader, name, blobs) for name in (base, head))
    return bumps(before, after)


def _versions(reader: TreeReader, name: str, blobs: dict[str, bytes]) -> dict[str, str | None]:
    if NOTHING.fullmatch(name):
        return {}
    return written_versions(ApiCheckout(reader, name, COMPONENTS, blobs))
