"""How soon a page of the dashboard can be used in Chromium, and how large it is, beside Plotly's drawing.

The page of fifty models, and that of six: from the beginning of the navigation until our script has run
(`ready`), the bytes loaded until then, and how long the same chart takes by Plotly when it is opened.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.made_sites import SITES

from evalcore.reports.pages.render import site_pages

ROUNDS = 7
MOST_MS = 500
MOST_BYTES = 150_000
PAGES = (("small", "components/award-notice-terms.html"), ("large", "components/large.html"))
READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def ready_ms(browser: Browser, address: str) -> float:
    """Return the milliseconds until the script of a page has run, in a window without a cache."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    found = float(page.evaluate(READY))
    context.close()
    return found


def plotly_ms(browser: Browser, address: str) -> float:
    """Return the milliseconds from pressing the button until Plotly has drawn the first chart."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    script = """
new Promise((done) => {
  const from = performance.now();
  document.querySelector("[data-open]").click();
  const isDrawn = () => document.querySelector("dialog [data-ready]");
  const look = () => (isDrawn() ? done(performance.now() - from) : requestAnimationFrame(look));
  look();
})"""
    found = float(page.evaluate(script))
    context.close()
    return found


def main() -> int:
    """Print a line for each page; return 1 where one is too slow or too large."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, path in PAGES:
            files = {page.path: page.render() for page in site_pages(SITES[name]())}
            for place, data in files.items():
                target = Path(folder) / name / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            beside = ("base.css", "site.css", "plotly.css", "site.js", "icon.svg")
            size = len(files[path]) + sum(len(files[f"assets/{one}"]) for one in beside)
            address = (Path(folder) / name / path).as_uri()
            ready = statistics.median(ready_ms(browser, address) for _ in range(ROUNDS))
            plotly = statistics.median(plotly_ms(browser, address) for _ in range(ROUNDS))
            print(
                f"{name}: ready after {ready:.0f} ms, {size / 1000:.0f} kB; the same chart by Plotly takes "
                f"{plotly:.0f} ms more ({plotly / ready:.1f} x)"
            )
            missed += ready > MOST_MS or size > MOST_BYTES
        browser.close()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
