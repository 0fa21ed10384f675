"""The dashboard's pages, one by one: what each is made of, and how it is drawn.

`site_pages` is all that the command knows of the pages. A page whose `made_of` is as it was when it was
written last is not drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from evalcore.formats.strict_json import sha256_hex
from evalcore.reports.dashboard.paths import INDEX_PAGE
from evalcore.reports.dashboard.site import Site
from evalcore.version import __version__


class Page(NamedTuple):
    """A file of the site, drawn when it is asked for."""

    path: str
    """From the site's root."""
    made_of: str
    """SHA-256 of everything that it is drawn from, this program's version included."""
    render: Callable[[], bytes]


def site_pages(site: Site) -> Iterator[Page]:
    """Yield all pages, and the files that they load."""
    templates = Environment(
        loader=PackageLoader("evalcore.reports.pages"), autoescape=True, undefined=StrictUndefined
    )
    yield _page(templates, INDEX_PAGE, "index.html", {"site": site})
    for component in site.components:
        yield _page(templates, component.page, "component.html", {"component": component})
    for model in site.models:
        yield _page(templates, model.page, "model.html", {"model": model})


def _page(templates: Environment, path: str, template: str, values: dict[str, msgspec.Struct]) -> Page:
    made_of = sha256_hex(msgspec.json.encode([__version__, template, list(values.values())]))

    def render() -> bytes:
        return templates.get_template(template).render(values).encode()

    return Page(path, made_of, render)
