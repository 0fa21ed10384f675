"""The site's data -> all of its pages, one by one: what each is made of, and how it is drawn.

A page whose `made_of` is as it was when it was written last need not be drawn again.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evalcore.formats.strict_json import sha256_hex
from evalcore.reports.charts.svg import is_web_address, plain
from evalcore.reports.dashboard.site import (
    ComponentView,
    Failures,
    Gap,
    History,
    HistoryPoint,
    ModelView,
    Site,
)
from evalcore.reports.pages import charts, figures, places, plots, words
from evalcore.reports.pages.assets import assets, look_sha256
from evalcore.reports.pages.meanings import MEANINGS
from evalcore.reports.pages.places import Layout
from evalcore.reports.pages.scoring_text import heading_id, scoring_html
from evalcore.structs import JsonObject

# Names on the pages are of others: whatever one of them may become, nothing runs or loads but what lies
# beside.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
# These bounds keep a page of 500 runs and 50 models under 150 kB; index.json and the CSV files have the rest.
MOST_CELLS: Final = 3000
"""Of a matrix on a page: the worst rows are shown, and all are in index.json and as CSV."""
MOST_POINTS: Final = 32
"""Rows of the table of a history; the pictures and Plotly's chart have what it leaves out."""
MOST_RANKED: Final = 60
"""Rows of the first ranking."""
MOST_OTHERS: Final = 3
"""Rankings that are shown behind the first one."""
MOST_OTHER_ROWS: Final = 12
"""Rows of each of them."""
FEWEST_LINES: Final = 10
"""Of a matrix, however many columns it has."""
MOST_COMPONENTS: Final = 60
"""Columns of the matrix of models; a library of more components has the first of them there."""
MAX_TEXT: Final = 2000
"""Characters of a text of others on a page; a longer one is cut."""


class Page(NamedTuple):
    """A file of the site."""

    path: str
    """From the site's root."""
    made_of: str
    """SHA-256 of everything that it is drawn from, this program included: equal, equal bytes."""
    render: Callable[[], bytes]


def site_pages(site: Site, layout: Layout | None = None) -> Iterator[Page]:
    """Yield the site's pages and what they need beside them; each is drawn when it is asked for."""
    layout = layout or Layout()
    whole = _key(site)
    yield _page(site, layout, places.INDEX_PAGE, "index.html", whole, _index)
    yield _page(site, layout, places.MODELS, "models.html", whole, _models)
    yield _page(site, layout, places.UNEVALUATED, "unevaluated.html", _key(site.never_evaluated), _gaps)
    # Of no data: it changes with this program alone.
    yield _page(site, layout, places.MEANINGS, "meanings.html", "", _meanings)
    for component in site.components:
        key = _key(component)
        yield from (
            _page(site, layout, path, template, key, functools.partial(_component, component))
            for path, template in (
                (component.page, "component.html"),
                (places.history_page(component.slug), "history.html"),
                (places.failures_page(component.slug), "failures.html"),
            )
        )
    for model in site.models:
        yield _page(site, layout, model.page, "model.html", _key(model), functools.partial(_model, model))
    for name, content in assets(is_embedded=layout.is_embedded).items():
        yield Page(f"{places.ASSETS}/{name}", sha256_hex(content), functools.partial(bytes, content))


class _Context(NamedTuple):
    """What a template gets beside what all pages get."""

    title: str
    section: str
    values: Mapping[str, object]


_Maker = Callable[[Site, Callable[[str], str]], _Context]


def _page(site: Site, layout: Layout, path: str, template: str, key: str, make: _Maker) -> Page:
    # What every page is made of beside its own data: templates and code, where links lead, the head and the
    # foot.
    shared = [look_sha256(), msgspec.structs.astuple(layout), site.evaluator_version, site.library.name]
    return Page(
        path=layout.file(path),
        made_of=_key([shared, path, key]),
        render=functools.partial(_render, site, layout, path, template, make),
    )


def _key(value: object) -> str:
    return sha256_hex(msgspec.json.encode(value))


def _render(site: Site, layout: Layout, path: str, template: str, make: _Maker) -> bytes:
    def link(target: str) -> str:
        return layout.link(path, target)

    def chart_link(target: str) -> str:
        # MkDocs' theme takes every link for one of HTML, and stumbles over those of a picture.
        return "" if layout.is_embedded else target if is_web_address(target) else link(target)

    used: dict[str, None] = {}

    def use_meaning(key: str) -> str:
        used[key] = None
        return f"meaning-{key}"

    def meaning_link(key: str) -> str:
        section = MEANINGS[key].section
        return f"{link(places.MEANINGS)}#{heading_id(section) if section else f'figure-{key}'}"

    context = make(site, chart_link)
    written = (
        _templates()
        .get_template(template)
        .render(
            site=site,
            path=path,
            title=context.title,
            section=context.section,
            policy=POLICY,
            is_embedded=layout.is_embedded,
            link=link,
            asset=lambda name: link(f"{places.ASSETS}/{name}"),
            navigation=places.NAVIGATION,
            meanings=MEANINGS,
            # A function: it is asked at the page's end, when every figure on it has named its meaning.
            meanings_used=lambda: list(used),
            use_meaning=use_meaning,
            meaning_link=meaning_link,
            **context.values,
        )
    )
    if layout.is_embedded:
        # A string of JSON is one of YAML, whatever a model is called.
        head = f"---\ntitle: {msgspec.json.encode(plain(context.title)).decode()}\nhide:\n  - toc\n---\n\n"
        # A block of HTML ends at a blank line for Markdown.
        written = head + re.sub(r"\n\s*\n", "\n", written).strip() + "\n"
    return written.encode("utf-8", "replace")


def _index(site: Site, _link: Callable[[str], str]) -> _Context:
    reach = charts.strip_range(site)
    values = {
        "overview": words.overview_sentence(site),
        "gap_sentence": words.gap_sentence(site.never_evaluated),
        "strip": lambda ranking: Markup(charts.strip(ranking, reach)),  # noqa: S704 - escaped by the chart
    }
    return _Context("Which model for which component?", places.INDEX_PAGE, values)


def _models(site: Site, _link: Callable[[str], str]) -> _Context:
    shown = site.components[:MOST_COMPONENTS]

    def cells(model: ModelView) -> list[object]:
        by_component = {one.component: one for one in model.components}
        return [by_component.get(component.slug) for component in shown]

    ordered = sorted(site.models, key=lambda model: (-model.first_places, model.id))
    values = {
        "ordered": ordered,
        "models_sentence": words.models_sentence(site),
        "shown_components": shown,
        "cells_of": cells,
    }
    return _Context("Models across the library", places.MODELS, values)


def _gaps(site: Site, _link: Callable[[str], str]) -> _Context:
    groups: dict[str, list[Gap]] = {}
    for gap in site.never_evaluated:
        groups.setdefault(gap.component, []).append(gap)
    values = {"gap_sentence": words.gap_sentence(site.never_evaluated), "groups": list(groups.values())}
    return _Context("What has never been evaluated?", places.UNEVALUATED, values)


def _meanings(_site: Site, _link: Callable[[str], str]) -> _Context:
    values = {"scoring": scoring_html(), "heading_id": heading_id}
    return _Context("What does this figure mean?", places.MEANINGS, values)


def _component(component: ComponentView, _site: Site, link: Callable[[str], str]) -> _Context:
    ordered = _in_order(component)
    newest = [(line, point) for line in ordered for point in reversed(line.points)]
    columns = len(component.failures.columns) if component.failures else 1
    values = {
        "component": component,
        "questions": (
            (component.page, "Which model?"),
            (places.history_page(component.slug), "Is it getting better?"),
            (places.failures_page(component.slug), "Where does it fail?"),
        ),
        "failure_sentence": words.failure_sentence(component.failures),
        "in_order": ordered,
        "most_rows": charts.MOST_ROWS,
        "most_pictures": charts.MOST_PICTURES,
        "most_points": MOST_POINTS,
        "most_ranked": MOST_RANKED,
        "most_others": MOST_OTHER_ROWS,
        "others": component.rankings[1 : 1 + MOST_OTHERS],
        "newest_of": _newest_complete,
        "most_lines": max(FEWEST_LINES, MOST_CELLS // columns),
        "most_detail_lines": max(FEWEST_LINES, MOST_CELLS // 4 // columns),
        "intervals": lambda ranking: Markup(charts.intervals(ranking, link)),  # noqa: S704
        "agreement": lambda ranking: Markup(charts.agreement(ranking, link)),  # noqa: S704
        "history": lambda line: Markup(charts.history(line, component, link)),  # noqa: S704
        "accuracy_plot": plots.accuracy_plot,
        "agreement_plot": plots.agreement_plot,
        "history_plot": plots.history_plot,
        "newest_points": newest[:MOST_POINTS],
        "left_out": max(0, len(newest) - MOST_POINTS),
        "change_of": charts.change_of,
        "is_moved": _is_moved,
        "has_figures": _has_figures,
    }
    return _Context(component.slug, places.INDEX_PAGE, values)


def _model(model: ModelView, _site: Site, link: Callable[[str], str]) -> _Context:
    drawn = Markup(charts.over_components(model.components, link, model.id))  # noqa: S704
    values = {"model": model, "over_components": lambda _: drawn, "components_plot": plots.components_plot}
    return _Context(model.id, places.MODELS, values)


def _in_order(component: ComponentView) -> list[History]:
    """Return the histories in the order of the ranking, so that the best come first on every page."""
    rows = component.rankings[0].rows if component.rankings else ()
    # Reversed, so that of a model's several rows the best one's place stays.
    order = {row.model: place for place, row in reversed(list(enumerate(rows)))}
    return sorted(component.history, key=lambda line: (order.get(line.model, len(order)), line.model))


def _newest_complete(line: History) -> HistoryPoint | None:
    complete = [point for point in line.points if point.status == "complete"]
    return complete[-1] if complete else None


def _is_moved(line: History) -> bool:
    return any(charts.change_of(point) != "quiet" for point in line.points)


def _has_figures(found: Failures, kind: str) -> bool:
    """Say whether any cell has a figure of what was missed or invented."""
    return any(getattr(one, kind) is not None for line in found.fields for one in line.cells)


def _anchor(text: str) -> str:
    """Return an id for a name, unique and without what an address cannot hold."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", text)[:60]
    return f"{safe}-{sha256_hex(text.encode('utf-8', 'replace'))[:6]}"


def _plot(value: JsonObject) -> Markup:
    return plots.data_block(value)


def _finalize(value: object) -> object:
    # Markup is what a macro or a chart has made: its parts have passed here already.
    # A figure stays on one line with its sign.
    return (
        value
        if isinstance(value, Markup)
        else plain(str(value), MAX_TEXT).replace(" %", "\N{NO-BREAK SPACE}%")
    )


@functools.cache
def _templates() -> Environment:
    # Every expression is bounded and stripped by `finalize`, and then escaped: none is marked safe.
    environment = Environment(
        loader=PackageLoader("evalcore.reports.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # A name that a template spells wrong fails its test, instead of showing nothing.
        undefined=StrictUndefined,
        finalize=_finalize,
    )
    environment.filters |= {
        "share": figures.share,
        "interval": figures.interval,
        "points": figures.points,
        "spread": figures.spread,
        "cell": figures.cell,
        "heat": figures.heat,
        "usd": figures.usd,
        "seconds": figures.seconds,
        "rank": figures.rank,
        "plain_words": figures.plain_words,
        "day": figures.day,
        "count": figures.count,
        "counted": figures.counted,
    }
    environment.tests["web_address"] = is_web_address
    environment.globals |= {"none_shown": figures.NONE, "anchor": _anchor, "plot": _plot}
    return environment
