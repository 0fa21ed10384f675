"""The page of a pull request, as people look at one: of public repositories alone."""

from __future__ import annotations

import html
import re
from typing import Final

from markdown_it import MarkdownIt

from evalcore.reports.style import base_css
from evalsim.asgi import Answer
from evalsim.github.state import Pull, State

PATH: Final = re.compile(r"/([^/]+)/([^/]+)/pull/([0-9]{1,9})")
FOLD: Final = re.compile(r"(?:\s*(?:</?details>|<summary>[\w ]*</summary>|<!--[^>]*-->))+\s*")
"""The markup that our texts have; whatever else stands in one is shown as text."""
STYLE: Final = """
body { max-width: 76rem } h1 { font-size: 1.5rem; font-weight: 500; margin: .2rem 0 .6rem }
h1 span { color: var(--quiet); font-weight: 300 } .meta { line-height: 2 }
.state { background: #1a7f37; border-radius: 2rem; color: #fff; font-size: .9rem }
.state { margin-right: .4rem; padding: .25rem .9rem }
.label { border: 1px solid var(--line); border-radius: 2rem; font-size: .8rem; padding: 0 .6rem }
.card { margin-top: 1rem; overflow-x: auto }
td, th { font-size: .85rem; padding-right: .7rem; white-space: nowrap }
details { margin: .6rem 0 } code { background: var(--ground); border-radius: .3rem; padding: .1rem .3rem }
"""
PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title><style>{style}</style></head><body>
<h1>{title} <span>#{number}</span></h1>
<p class="meta"><b class="state">{state}</b> {user} wants to merge <code>{head}</code> into
<code>{base}</code> {labels}</p>
{cards}</body></html>"""


def answer_page(state: State, path: str) -> Answer | None:
    """Return the page that a path names; None where there is none, or where it is not everybody's."""
    found = PATH.fullmatch(path)
    repository = state.repositories.get(f"{found[1]}/{found[2]}".lower()) if found is not None else None
    # Nobody signs in here: what a token is needed for has no page.
    if found is None or repository is None or repository.private:
        return None
    pull = next((one for one in repository.pulls if one.number == int(found[3])), None)
    if pull is None:
        return None
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    return Answer(200, pull_page(pull).encode(), headers)


def pull_page(pull: Pull) -> str:
    """Lay out a pull request with its comments."""
    state = "Merged" if pull.merged_at else pull.state.capitalize()
    return PAGE.format(
        title=html.escape(pull.title),
        style=base_css().decode() + STYLE,
        number=pull.number,
        state=state,
        user=html.escape(pull.user),
        head=html.escape(pull.head),
        base=html.escape(pull.base),
        labels=" ".join(f'<span class="label">{html.escape(label)}</span>' for label in pull.labels),
        cards="\n".join(_card(text) for text in (pull.body, *(one.body for one in pull.comments))),
    )


def _card(text: str) -> str:
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        # All other markup is shown as text: GitHub drops what it does not allow, and a browser here would run
        # it.
        for part in (token, *(token.children or ())):
            if part.type in {"html_block", "html_inline"} and not FOLD.fullmatch(part.content):
                part.content = html.escape(part.content)
    return f'<div class="card">{markdown.renderer.render(tokens, markdown.options, {})}</div>'
