"""The dashboard's pages as text: whole, safe, linked, small; every figure is one of the site's data."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin

import pytest
from msgspec import structs
from tests.made_sites import CASES, HOSTILE, SITES, history_of, names, site_of

from evalcore.reports.dashboard.site import Site
from evalcore.reports.pages.figures import interval, share
from evalcore.reports.pages.places import Layout
from evalcore.reports.pages.render import POLICY, site_pages

MADE = {name: make() for name, make in SITES.items()}
LOADED = ("base.css", "site.css", "plotly.css", "site.js", "icon.svg")
VOID = {"meta", "link", "input", "br", "hr", "img"}


def drawn(site: Site, layout: Layout | None = None) -> dict[str, bytes]:
    return {page.path: page.render() for page in site_pages(site, layout)}


PAGES = {name: drawn(site) for name, site in MADE.items()}


def html_of(name: str) -> dict[str, str]:
    return {path: text.decode() for path, text in PAGES[name].items() if path.endswith(".html")}


class Elements(HTMLParser):
    """All elements of a page, which must be closed in the order in which they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)


@pytest.mark.parametrize("name", MADE)
def test_every_page_is_well_formed_and_runs_nothing_of_others(name: str) -> None:
    for path, page in html_of(name).items():
        elements = Elements(page)
        for tag, attributes in elements.found:
            assert "style" not in attributes, path
            assert not any(attribute.startswith("on") for attribute in attributes), (path, attributes)
            if tag == "script":
                assert (
                    attributes.get("src", "").endswith("assets/site.js")
                    or attributes["type"] == "application/json"
                )
            assert tag not in {"style", "iframe", "object", "embed", "base"}
        policies = [
            a["content"] for t, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policies == [POLICY]


@pytest.mark.parametrize("name", MADE)
def test_ids_are_unique_and_every_link_leads_somewhere(name: str) -> None:
    pages = html_of(name)
    known = {path: [a["id"] for _, a in Elements(page).found if "id" in a] for path, page in pages.items()}
    for path, page in pages.items():
        assert len(known[path]) == len(set(known[path])), path
        for _, attributes in Elements(page).found:
            address = attributes.get("href") or attributes.get("src")
            if address is None or address.startswith("https://"):
                continue
            assert ":" not in address.split("/")[0], address
            target, _, anchor = (
                urljoin(f"https://a.example/{path}", address)
                .removeprefix("https://a.example/")
                .partition("#")
            )
            target = unquote(target) or path
            # Beside the pages, by the command: the data as JSON and CSV.
            assert target in PAGES[name] or target == "index.json" or target.startswith("data/"), (
                path,
                address,
            )
            assert not anchor or unquote(anchor) in known[target], (path, address)


@pytest.mark.parametrize("name", MADE)
def test_a_question_mark_opens_what_it_says(name: str) -> None:
    for path, page in html_of(name).items():
        elements = Elements(page).found
        opened = {a["popovertarget"] for _, a in elements if "popovertarget" in a}
        assert opened == {a["id"] for _, a in elements if "popover" in a}, path


def test_names_of_others_stay_text() -> None:
    for path, page in html_of("hostile").items():
        assert HOSTILE[0] not in page, path
        assert "49" not in re.findall(r">\s*49\s*<", page)
        assert not {"\x00", "\x1b", "\u202e"} & set(page)
    shown = "".join(Elements(html_of("hostile")["models.html"]).texts)
    assert '<script>alert("model")</script>' in shown


def test_what_is_handed_to_plotly_ends_no_element_and_is_escaped_for_its_own_tags() -> None:
    page = html_of("hostile")["components/hostile.html"]
    blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)
    assert len(blocks) == 2
    for block in blocks:
        assert "<" not in block
        names = json.dumps(json.loads(block))
        assert "&lt;script&gt;" in names
        assert "<script" not in names


def test_the_answer_is_the_first_thing_that_is_said() -> None:
    site = MADE["small"]
    for component in site.components:
        texts = [text.strip() for text in Elements(html_of("small")[component.page]).texts if text.strip()]
        at = texts.index("Which model for this component?")
        said = component.rankings[0].sentence if component.rankings else "Nothing is evaluated."
        assert texts[at + 1] == said.replace(" %", "\N{NO-BREAK SPACE}%")


def test_every_row_is_shown_with_its_figures() -> None:
    for component in MADE["small"].components:
        page = html_of("small")[component.page].replace("\N{NO-BREAK SPACE}", " ")
        for ranking in component.rankings[:1]:
            for row in ranking.rows:
                assert row.model in page
                assert share(row.accuracy) in page
                assert row.rank is None or interval(row.ci95) in page


@pytest.mark.parametrize("name", MADE)
def test_every_figure_shown_is_one_of_the_data(name: str) -> None:
    """Percentages with a decimal, as the pages write figures: each is one of index.json's."""
    known = {"0.0 %", "100.0 %", "95 %"} | set(figures(structs.asdict(MADE[name])))
    for path, page in html_of(name).items():
        if path == "figures.html":
            continue
        text = " ".join(Elements(page).texts).replace("\N{NO-BREAK SPACE}", " ")
        for shown in re.findall(r"\b\d+\.\d %", text):
            assert shown in known, (path, shown)


def figures(value: object) -> list[str]:
    """Write every number of the data as a percentage, and every one that a sentence of it holds."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        return [share(float(value))] if 0 <= value <= 1 else []
    if isinstance(value, str):
        return re.findall(r"\d+\.\d %", value)
    if isinstance(value, dict):
        return [found for one in value.values() for found in figures(one)]
    if isinstance(value, list | tuple):
        return [found for one in value for found in figures(one)]
    return figures(structs.asdict(value))


def test_partial_runs_stand_apart_and_have_no_rank() -> None:
    page = html_of("partial_only")["components/partial.html"]
    assert "Partial runs: not ranked" in page
    assert "No run is complete" in page
    assert 'class="dense ranking"' not in page


def test_what_is_old_is_named_with_both_versions() -> None:
    page = html_of("small")["index.html"]
    assert "1.1.0, now 1.2.0: run again" in page
    assert (
        "This is version 1.1.0; the library has 1.2.0 now: run again."
        in html_of("small")["components/budget-justification.html"]
    )


def test_what_was_never_evaluated_has_the_command_and_the_link_that_start_it() -> None:
    page = html_of("small")["unevaluated.html"]
    for gap in MADE["small"].never_evaluated:
        for start in gap.starts:
            assert start.command in page
            assert start.link is None or start.link in page


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_light(name: str) -> None:
    """Under 150 kB with all that it loads, before Plotly is asked for."""
    pages = PAGES[name]
    beside = sum(len(pages[f"assets/{file}"]) for file in LOADED)
    for path, page in html_of(name).items():
        assert len(page.encode()) + beside < 150_000, path


def test_a_component_of_five_hundred_runs_has_light_pages() -> None:
    """The newest points are drawn and listed; what is left out is said."""
    models, versions = names(20), [f"1.{number}.0" for number in range(25)]
    site = site_of({"long": history_of(models, CASES[:4], versions, replicates=1)}, models=models)
    pages = drawn(site)
    beside = sum(len(pages[f"assets/{file}"]) for file in LOADED)
    for path in ("components/long.html", "history/long.html", "failures/long.html", "index.html"):
        assert len(pages[path]) + beside < 150_000, path
    assert "468 older points are in" in pages["history/long.html"].decode()


def test_the_same_data_are_the_same_bytes_and_pages_are_known_by_what_they_are_made_of() -> None:
    first, again = (list(site_pages(SITES["small"]())) for _ in range(2))
    assert [(page.path, page.made_of, page.render()) for page in first] == [
        (page.path, page.made_of, page.render()) for page in again
    ]


def test_another_run_of_one_component_leaves_the_pages_of_others_as_they_are() -> None:
    site = MADE["small"]
    one, *others = site.components
    changed = structs.replace(
        site,
        components=(structs.replace(one, runs=one.runs + 1), *others),
        newest_run_at="2026-12-01T00:00:00Z",
    )
    before, after = ({page.path: page for page in site_pages(each)} for each in (site, changed))
    moved = {path for path, page in after.items() if page.made_of != before[path].made_of}
    own = {f"{folder}/{one.slug}.html" for folder in ("components", "history", "failures")}
    assert moved == own | {"index.html", "models.html"}
    for path in before.keys() - moved:
        assert before[path].render() == after[path].render()


def test_plotly_is_carried_with_its_licence_as_it_was_published() -> None:
    pages = PAGES["empty"]
    assert b"Licensed under the MIT license" in pages["assets/plotly-basic.min.js"][:300]
    assert b"MIT License" in pages["assets/plotly-LICENSE.txt"]
    assert hashlib.sha256(pages["assets/plotly-basic.min.js"]).hexdigest() == (
        "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
    )
