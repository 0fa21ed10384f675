"""Where pages are, from the site's root, and how one leads to another: as files, and inside MkDocs."""

from __future__ import annotations

import posixpath
from typing import Final
from urllib.parse import quote

from evalcore.structs import Frozen

ASSETS: Final = "assets"
INDEX_PAGE: Final = "index.html"
MODELS: Final = "models.html"
UNEVALUATED: Final = "unevaluated.html"
MEANINGS: Final = "figures.html"
NAVIGATION: Final = (
    (INDEX_PAGE, "Components"),
    (MODELS, "Models"),
    (UNEVALUATED, "Not evaluated"),
    (MEANINGS, "What figures mean"),
)


def history_page(slug: str) -> str:
    """Return where it is shown whether a component is getting better."""
    return f"history/{slug}.html"


def failures_page(slug: str) -> str:
    """Return where it is shown where models fail at a component."""
    return f"failures/{slug}.html"


class Layout(Frozen, frozen=True):
    """How pages become files and addresses."""

    is_embedded: bool = False
    """Inside MkDocs: a Markdown page for each."""
    has_folders: bool = True
    """Whether MkDocs makes a folder of each page, so that addresses end in a slash: `use_directory_urls`."""

    def file(self, page: str) -> str:
        """Return the file of a page, or of what is beside the pages."""
        is_made = self.is_embedded and page.endswith(".html")
        return f"{page.removesuffix('.html')}.md" if is_made else page

    def link(self, page: str, target: str) -> str:
        """Return the address of a page or file as a page has it: relative."""
        if not self.is_embedded or not self.has_folders:
            return quote(_relative(target, posixpath.dirname(page)))
        found = _relative(_folder(target), _folder(page))
        # As the server has it: without the slash it would send a browser on, one request more for each page.
        return quote(found) + ("/" if target.endswith(".html") else "")


def _folder(page: str) -> str:
    """Return the folder that MkDocs makes of a page; other files stay what they are."""
    if not page.endswith(".html"):
        return page
    name = page.removesuffix(".html")
    is_index = posixpath.basename(name) in {"index", "README"}
    return posixpath.dirname(name) if is_index else name


def _relative(target: str, folder: str) -> str:
    """Return how a path is reached from a folder, both from one root; unlike relpath it asks no disk."""
    there, here = [part for part in target.split("/") if part], [part for part in folder.split("/") if part]
    shared = 0
    while shared < min(len(there), len(here)) and there[shared] == here[shared]:
        shared += 1
    return "/".join([".."] * (len(here) - shared) + there[shared:]) or "."
