"""Where pages are, from the site's root, and how one leads to another: as files, and inside MkDocs."""

from __future__ import annotations

import posixpath
from typing import Final
from urllib.parse import quote

from evalcore.structs import Frozen

ASSETS: Final = "assets"
INDEX: Final = "index.html"
MODELS: Final = "models.html"
UNEVALUATED: Final = "unevaluated.html"
MEANINGS: Final = "figures.html"
NAVIGATION: Final = (
    (INDEX, "Components"),
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
    """Inside MkDocs: a Markdown page for each, with addresses that end in a slash."""

    def file(self, page: str) -> str:
        """Return the file of a page."""
        return f"{page.removesuffix('.html')}.md" if self.is_embedded else page

    def link(self, page: str, target: str) -> str:
        """Return the address of a page or file as a page has it: relative."""
        if not self.is_embedded:
            return quote(posixpath.relpath(target, posixpath.dirname(page) or "."))
        found = posixpath.relpath(_address(target), _address(page) or ".")
        return quote(found) + ("/" if target.endswith(".html") and found != "." else "")


def _address(page: str) -> str:
    """Return the folder that MkDocs makes of a page; other files stay what they are."""
    if not page.endswith(".html"):
        return page
    return "" if page == INDEX else page.removesuffix(".html")
