"""The dashboard in a real browser, opened from a folder: every question, for everybody, scripts or none."""

from __future__ import annotations

import functools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from tests.made_sites import MODELS, SITES

from evalcore.reports.pages.render import site_pages

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".venv" / "descriptions" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# What breaches the page's own policy is written down before anything of the page runs.
WATCH = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.lineNumber}`));
"""
TELEPHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1280, "height": 900}
SLUGS = {
    "small": "award-notice-terms",
    "large": "large",
    "hostile": "hostile",
    "partial_only": "partial",
    "old": "old",
    "one_model": "alone",
    "tied": "tied",
}

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard")]


def lacking(what: str) -> None:
    if os.environ.get("EVALUATOR_REQUIRE") == "all":
        pytest.fail(f"{what} is required here (EVALUATOR_REQUIRE=all)")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each of the made sites in a folder of its own."""
    root = tmp_path_factory.mktemp("sites")
    for name, make in SITES.items():
        for page in site_pages(make()):
            path = root / name / page.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(page.render())
    return root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pages are kept as they look; `DASHBOARD_PICTURES` names a folder that outlives the tests."""
    folder = Path(os.environ.get("DASHBOARD_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        lacking("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, sites: Path) -> Iterator[Callable[..., Page]]:
    """Open a page; when the test is over no page has broken its policy, failed or asked another place."""
    contexts, complaints = [], []

    def opened(site: str, path: str, **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": SCREEN} | options))
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("request", lambda request: None if local(request.url) else complaints.append(request.url))
        if path.startswith("http:"):
            page.goto(path)
            return page
        page.goto((sites / site / path).as_uri() if "#" not in path else f"{(sites / site).as_uri()}/{path}")
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            if options_of(page):
                complaints += page.evaluate("window.breaches")
        context.close()
    assert complaints == []


def local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))


def options_of(page: Page) -> bool:
    """Say whether scripts run there at all."""
    return bool(page.evaluate("typeof window.breaches !== 'undefined'"))


def pages_of(site: str) -> list[str]:
    slug = SLUGS.get(site)
    own = [f"{folder}/{slug}.html" for folder in ("components", "history", "failures")] if slug else []
    return ["index.html", "models.html", "unevaluated.html", *own]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("site", SITES)
def test_every_page_can_be_used_by_everybody(site: str, open_page: Callable[..., Page], sites: Path) -> None:
    """axe-core finds nothing, in the light and in the dark, on a screen and on a telephone."""
    if not AXE.is_file():
        lacking("axe-core (.ci/fetch-descriptions)")
    model = next((sites / site / "models").glob("*.html"), None) if site != "empty" else None
    pages = pages_of(site) + ([f"models/{model.name}"] if model else [])
    for scheme, size in (("light", SCREEN), ("dark", TELEPHONE)):
        for path in pages:
            page = open_page(site, path, color_scheme=scheme, viewport=size)
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("axe.run({resultTypes: ['violations'], preload: false})")
            said = [
                (one["id"], node["target"], node["failureSummary"])
                for one in found["violations"]
                for node in one["nodes"][:3]
            ]
            assert said == [], (path, scheme)


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_cut_off_on_a_telephone(site: str, open_page: Callable[..., Page], pictures: Path) -> None:
    for path in [*pages_of(site), "figures.html"]:
        page = open_page(site, path, viewport=TELEPHONE)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        page.screenshot(path=pictures / f"{site}-{path.replace('/', '-')}.png", full_page=True)


def test_which_model_is_answered_first_and_the_rest_is_below(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "index.html")
    row = page.get_by_role("row").filter(has_text="award-notice-terms")
    expect(row).to_contain_text("openai/gpt-oss-120b is ahead")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("award-notice-terms")
    answer = page.locator(".answer")
    expect(answer).to_contain_text("openai/gpt-oss-120b is ahead")
    # It is seen without moving the page, and so are both pictures' beginnings.
    assert answer.bounding_box()["y"] < SCREEN["height"] / 2
    assert page.locator("figure").first.bounding_box()["y"] < SCREEN["height"] / 2
    table = page.get_by_role("table").first
    assert [text.split(" ")[0] for text in table.locator("tbody th").all_inner_texts()] == list(MODELS)
    expect(page.get_by_text("Partial runs: not ranked")).to_be_visible()


def test_is_it_getting_better_and_where_does_it_fail_are_one_click_away(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("small", "components/award-notice-terms.html")
    questions = page.get_by_role("navigation", name="Questions")
    questions.get_by_role("link", name="Is it getting better?").click()
    expect(page.locator(".answer")).to_contain_text("Since 1.1.0")
    assert page.locator("figure svg").count() == len(MODELS)
    questions.get_by_role("link", name="Where does it fail?").click()
    expect(page.locator(".answer")).to_contain_text("The hardest case is")
    cells = page.locator("#cases-table tbody tr").first.locator("td").all_inner_texts()
    assert len(cells) == 2 + len(MODELS)


def test_how_a_model_does_and_what_is_missing(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "models.html")
    page.get_by_role("link", name=MODELS[1]).click()
    expect(page.locator(".answer")).to_contain_text("component")
    expect(page.get_by_text("now 1.2.0: run again")).to_be_visible()
    page.get_by_role("link", name="Not evaluated").click()
    expect(page.locator(".answer")).to_contain_text("never been evaluated")
    expect(page.get_by_text("evalcli trigger never-run", exact=True)).to_be_visible()


@pytest.mark.parametrize("is_scripted", [True, False])
def test_what_a_figure_means_stands_where_the_figure_does(
    open_page: Callable[..., Page], *, is_scripted: bool
) -> None:
    page = open_page("small", "components/award-notice-terms.html", java_script_enabled=is_scripted)
    page.get_by_role("button", name="What does Accuracy mean?").first.click()
    shown = page.locator("#meaning-accuracy")
    expect(shown).to_be_visible()
    expect(shown).to_contain_text("How much of an answer is right")
    shown.get_by_role("link").click()
    expect(page.locator("#accuracy-in-plain-words")).to_be_in_viewport()


def test_rows_are_filtered_and_sorted_and_the_address_says_how(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "components/award-notice-terms.html")
    table = page.get_by_role("table").first
    page.keyboard.press("/")
    page.keyboard.type("claude")
    expect(table.locator("tbody tr:visible")).to_have_count(1)
    expect(page.locator("output").first).to_have_text("1 of 6")
    page.keyboard.press("Escape")
    expect(table.locator("tbody tr:visible")).to_have_count(6)
    table.get_by_role("button", name="USD per 1,000", exact=True).click()
    column = table.locator("tbody td:nth-child(8)")
    expect(table.locator("th[aria-sort=descending]")).to_have_count(1)
    costs = [float(text) for text in column.all_inner_texts()]
    assert costs == sorted(costs, reverse=True)
    page.get_by_label("only the best").check()
    expect(table.locator("tbody tr:visible")).to_have_count(1)
    address = page.url
    again = open_page("small", address.partition("/small/")[2])
    expect(again.get_by_role("table").first.locator("tbody tr:visible")).to_have_count(1)
    assert [float(text) for text in again.locator("tbody td:nth-child(8)").all_inner_texts()[:6]] == costs


def test_a_model_finds_the_components_that_it_was_run_at(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "index.html")
    page.get_by_role("searchbox").fill("granite")
    expect(page.locator("#components-table tbody tr:visible")).to_have_count(1)
    assert "granite" not in page.locator("#components-table tbody tr:visible").inner_text()


def test_the_keyboard_goes_from_row_to_row(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "index.html")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "budget-justification"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("award-notice-terms")


@pytest.mark.parametrize("key", ["accuracy", "agreement"])
@pytest.mark.parametrize("site", ["small", "hostile", "tied"])
def test_a_chart_is_opened_by_plotly_within_the_policy(
    site: str, key: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(site, f"components/{SLUGS[site]}.html")
    assert page.evaluate("typeof window.Plotly") == "undefined"
    page.locator(f"[data-open={key}]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-ready]")).to_be_visible()
    expect(dialog.locator(".main-svg").first).to_be_visible()
    assert "zoom=" in page.url
    drawn = dialog.locator(".main-svg").first.bounding_box()
    assert drawn["width"] > 600
    if site == "hostile":
        assert '<script>alert("model")</script>' in dialog.inner_text()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("zoom"))


def test_a_link_to_an_opened_chart_opens_it(open_page: Callable[..., Page]) -> None:
    page = open_page("small", "history/award-notice-terms.html#zoom=history")
    expect(page.get_by_role("dialog").locator("[data-ready]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("site", SITES)
def test_all_is_there_without_a_script(site: str, open_page: Callable[..., Page]) -> None:
    for path in pages_of(site):
        plain = open_page(site, path, java_script_enabled=False)
        scripted = open_page(site, path)
        assert "Filter" not in plain.locator("body").inner_text()
        rows = "main tbody tr"
        assert plain.locator(rows).count() == scripted.locator(rows).count()
        assert plain.locator("main svg").count() == scripted.locator("main svg").count()
        assert plain.locator(".answer").inner_text() == scripted.locator(".answer").inner_text()


def test_hostile_names_run_nothing(open_page: Callable[..., Page]) -> None:
    for path in [page for page in pages_of("hostile") if page != "unevaluated.html"]:
        page = open_page("hostile", path)
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        assert page.locator("script:not([type='application/json'])").count() == 1
        assert '<script>alert("model")</script>' in page.locator("body").inner_text()


def test_a_page_is_printed_with_its_tables_and_pictures(
    open_page: Callable[..., Page], pictures: Path
) -> None:
    for path in pages_of("small"):
        page = open_page("small", path, color_scheme="dark")
        page.emulate_media(media="print", color_scheme="light")
        assert page.locator("button:not(.sort):visible").count() == 0
        hidden = "!h.closest('details:not([open])') && h.getBoundingClientRect().height === 0"
        heads = f"[...document.querySelectorAll('main thead th span')].filter((h) => {hidden}).length"
        assert page.evaluate(heads) == 0
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 39)"
        printed = pictures / f"{path.replace('/', '-')}.pdf"
        page.pdf(path=printed, format="A4")
        assert re.search(rb"/Type\s*/Page\b", printed.read_bytes())


def test_it_is_the_same_from_a_server(open_page: Callable[..., Page], sites: Path) -> None:
    handler = functools.partial(QuietHandler, directory=str(sites / "small"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            root = f"http://127.0.0.1:{server.server_address[1]}"
            page = open_page("small", f"{root}/components/award-notice-terms.html#zoom=accuracy")
            expect(page.get_by_role("dialog").locator("[data-ready] .main-svg").first).to_be_visible()
            page.get_by_role("button", name="Close").click()
            page.get_by_role("link", name="Models", exact=True).click()
            expect(page.locator(".answer")).to_contain_text("best or level with the best")
            page.context.close()
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the log of requests to itself."""
