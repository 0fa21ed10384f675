"""The versions of all components of a tree, as they are written."""

from __future__ import annotations

from evalcore.errors import CheckoutError, ComponentError
from evalcore.library.checkout import Checkout, read_text
from evalcore.library.front_matter import written_version
from evalcore.library.loader import COMPONENTS, list_components


def written_versions(library: Checkout) -> dict[str, str | None]:
    """Return each component that has a prompt.md, with the version that is written there.

    None stands where no version can be read. Raises CheckoutError where there is no such tree.
    """
    paths = {slug: f"{COMPONENTS}/{slug}/prompt.md" for slug in list_components(library)}
    return {slug: _version(library, path) for slug, path in paths.items() if library.has(path)}


def _version(library: Checkout, path: str) -> str | None:
    try:
        return written_version(read_text(library, path), path)
    except (CheckoutError, ComponentError):
        return None
