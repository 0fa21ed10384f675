"""docs/scoring.md, which is carried along: what it says of each figure is one link away from the figure."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it.token import Token


def heading_id(text: str) -> str:
    """Return how a heading is called in links, as GitHub does it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


@functools.cache
def scoring_html() -> Markup:
    """Return the text as HTML, with an id at each heading; links to other documents are plain text there."""
    # Loaded for this page alone.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_text())
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", heading_id(tokens[at + 1].content))
            # The page has a heading of its own above it.
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        elif token.type == "heading_close":
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        elif token.type == "table_open":
            token.attrSet("class", "wide")
        elif token.type in {"th_open", "td_open"} and "style" in token.attrs:
            # A strict Content-Security-Policy refuses its style attribute.
            del token.attrs["style"]
            token.attrSet("class", "right")
        elif token.type == "inline":
            _without_dead_links(token.children or ())
    written: str = parser.renderer.render(tokens, parser.options, {})
    # What can be scrolled must be reachable by the keyboard, and needs a name for a screen reader.
    scrolled = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table'
    written = written.replace("<table", scrolled).replace("</table>", "</table></div>")
    return Markup(written.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - our own text, as HTML


def _without_dead_links(tokens: Sequence[Token]) -> None:
    """Keep links within the text and to the web: its neighbours are not carried along."""
    is_kept = True
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
            is_kept = address.startswith(("#", "https://"))
            if not is_kept:
                token.tag = "span"
                token.attrs.clear()
        elif token.type == "link_close" and not is_kept:
            token.tag = "span"


def _text() -> str:
    return files(__package__).joinpath("scoring.md").read_text("utf-8")
