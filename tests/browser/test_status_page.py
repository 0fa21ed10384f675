"""The status page in a real browser: signing in, following a job live, and all without JavaScript too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from evalhook.app import create_app
from evalhook.config.settings import read_settings
from evalsim.library import as_git, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "a-token-of-at-least-thirty-two-characters"
KEY = "mr2_" + "k" * 30
SKILL = "award-notice-terms"

pytestmark = pytest.mark.browser


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The service over real HTTP, with two calls in flight at a time so that a job can be watched."""
    library = tmp_path / "library"
    write_sample_library(library)
    as_git(library)
    book = AnswerBook.from_folders([library])
    mindrouter = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)), book)
    with ExitStack() as stack:
        environment = {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": stack.enter_context(running(mindrouter)),
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(tmp_path / "clone"),
            "EVALHOOK_PROMPT_LIBRARY_URL": str(library),
            "EVALHOOK_STATE_DIR": str(tmp_path / "state"),
            "EVALHOOK_COMMIT_BACK": "none",
            "EVALHOOK_CONCURRENCY": "2",
        }
        yield stack.enter_context(running(create_app(read_settings(environment))))


def sign_in(browser: Any, service: str, token: str = TOKEN) -> None:
    browser.open(service)
    browser.run(f"document.querySelector('#token').value = '{token}'")
    browser.doing(lambda: browser.run("document.querySelector('form').requestSubmit()"))


def ask(service: str, replicates: int) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"skill_name": SKILL, "replicates": replicates}
    answer = httpx.post(f"{service}/evaluate", json=body, headers=headers, timeout=40)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


def test_a_job_is_followed_live_to_its_end(service: str, browser: Any) -> None:
    sign_in(browser, service, "wrong-token")
    assert "That is not the token." in browser.text()
    sign_in(browser, service)
    assert "Nothing is running" in browser.text()
    ask(service, 20)
    browser.open(service)
    assert SKILL in browser.text()
    browser.run("window.stays = true")
    browser.until("document.querySelector('[data-bar]').value >= 5")
    browser.until("document.querySelector('[data-model] [data-cell=bar]').value >= 2")
    figures = browser.run("document.querySelector('[data-figure=rate]').textContent")
    assert figures.endswith(("/ s", "/ min"))
    browser.until("document.querySelector('[data-idle]') !== null")
    assert browser.run("window.stays") is True, "the page was loaded anew instead of kept up to date"
    assert "completed" in browser.text()
    assert browser.complaints() == []


def test_the_page_is_whole_without_javascript(service: str, browser: Any) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    ((name, value),) = httpx.post(f"{service}/login", data={"token": TOKEN}).cookies.items()
    browser.call("Network.setCookie", name=name, value=value, url=service, httpOnly=True, secure=True)
    ask(service, 20)
    browser.open(service)
    root = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
    page = browser.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    assert SKILL in page
    assert "Time left" in page
    assert 'http-equiv="refresh"' in page


def test_the_session_is_out_of_a_scripts_reach_and_ends(service: str, browser: Any) -> None:
    sign_in(browser, service)
    assert browser.run("document.cookie") == ""
    (cookie,) = browser.call("Network.getCookies", urls=[service])["cookies"]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    browser.doing(lambda: browser.run("document.querySelector('form[action=\"/logout\"]').requestSubmit()"))
    assert browser.run("document.querySelector('#token') !== null") is True


def test_a_script_that_is_not_ours_does_not_run(service: str, browser: Any) -> None:
    sign_in(browser, service)
    inline = "const s = document.createElement('script'); s.textContent = 'window.ran = true';"
    browser.run(f"{inline} document.body.append(s)")
    assert browser.run("window.ran === undefined") is True


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 360)])
def test_nothing_is_cut_off_and_text_has_contrast(
    browser: Any, service: str, scheme: str, width: int
) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    sign_in(browser, service)
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth") is True
    assert browser.run(CONTRASTS) == []


# Every text's contrast with the first ground behind it, as WCAG 2 works it out; lists those below 4.5.
CONTRASTS = """
(() => {
  const light = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const shine = ([r, g, b]) => 0.2126 * light(r / 255) + 0.7152 * light(g / 255) + 0.0722 * light(b / 255);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [shine(parse(getComputedStyle(e).color)), shine(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${e.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
})()
"""
