"""Our pages in the navigation of a site that MkDocs makes: its `mkdocs.yml` as text, with our part in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from evalcore.reports.charts.svg import plain
from evalcore.reports.dashboard.site import Site
from evalcore.reports.pages import places
from evalcore.reports.pages.places import Layout

FOLDER: Final = "evaluations"
"""Of our pages, among those of the site."""
TITLE: Final = "Evaluations"
_NAVIGATION: Final = re.compile(r"^nav:[^\S\n]*(?:#[^\n]*)?\n((?:(?:[ \t#-][^\n]*)?\n)*)", re.MULTILINE)


def navigation(site: Site) -> str:
    """Return our part of the navigation as YAML: one item of a list."""
    lines = [f"- {TITLE}:", *_items(site)]
    return "".join(f"{line}\n" for line in lines)


def with_navigation(config: str, site: Site) -> str:
    """Put our part at the end of the navigation, in place of what stood there of ours.

    A site that names no navigation has every page in it by itself, so that nothing is put there.
    """
    # As text, not by a YAML parser: comments stay, and so do MkDocs' own tags (`!!python/name:...`).
    found = _NAVIGATION.search(f"{config}\n" if not config.endswith("\n") else config)
    if found is None:
        return config
    config = config if config.endswith("\n") else f"{config}\n"
    body = found[1]
    # A list may stand as deep as its key, or deeper: ours stands as its neighbours do.
    first = re.search(r"^([ \t]*)- ", body, re.MULTILINE)
    indent = first[1] if first is not None else "  "
    own = re.compile(rf"^{indent}- {TITLE}:[^\n]*\n(?:{indent}[ \t][^\n]*\n)*", re.MULTILINE)
    kept = own.sub("", body)
    rest = kept.rstrip("\n \t")
    blank = kept[len(rest) :].removeprefix("\n" if rest else "")
    ours = "".join(f"{indent}{line}\n" for line in navigation(site).splitlines())
    head = f"{rest}\n" if rest else ""
    return f"{config[: found.start(1)]}{head}{ours}{blank}{config[found.end(1) :]}"


def _items(site: Site) -> Iterator[str]:
    layout = Layout(is_embedded=True)

    def item(depth: int, title: str, page: str) -> str:
        return f"{'    ' * depth}- {_quoted(title)}: {_quoted(f'{FOLDER}/{layout.file(page)}')}"

    yield item(1, "Which model?", places.INDEX_PAGE)
    yield item(1, "Models", places.MODELS)
    yield item(1, "Not evaluated", places.UNEVALUATED)
    yield item(1, "What figures mean", places.MEANINGS)
    if site.components:
        yield "    - By component:"
    for component in site.components:
        yield f"        - {_quoted(component.slug)}:"
        yield item(3, "Which model?", component.page)
        yield item(3, "Is it getting better?", places.history_page(component.slug))
        yield item(3, "Where does it fail?", places.failures_page(component.slug))
    if site.models:
        yield "    - By model:"
    for model in site.models:
        yield item(2, model.id, model.page)


def _quoted(text: str) -> str:
    """Write a text as YAML reads it back: a string of JSON is one of YAML."""
    return json.dumps(plain(text))
