"""A run as one HTML page: what a model wrote is text there, nothing is loaded, and no script runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcli.reports.run_page import LONGEST_TEXT, run_page
from evalcli.reports.run_words import ExaminedRun
from evalcore.clients.reply import CallError
from evalcore.scoring.examine import Selection, examine_run
from evalsim.testing import make_case, make_component, make_reply, make_run_plan

EXPECTED = {"kind": "memo", "pages": 3}


def examined(*texts, expected=EXPECTED, **component):
    cases = [make_case("one", expected)]
    plan = make_run_plan(component=make_component(**component), cases=cases, replicates=len(texts))

    def replies_of(case):
        return [
            make_reply(case.name, at, None, error=text)
            if isinstance(text, CallError)
            else make_reply(case.name, at, text)
            for at, text in enumerate(texts)
        ]

    return ExaminedRun(plan, None, tuple(examine_run(plan, replies_of, Selection(worst=3))))


class Elements(HTMLParser):
    """What a browser sees: elements with their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, text):
        self.words.append(text)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


OURS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "p",
    "details",
    "summary",
    "ul",
    "li",
    "span",
    "pre",
}


def test_a_page_has_the_run_its_cases_and_their_worst_answers():
    page = Elements(run_page(examined(json.dumps(EXPECTED), json.dumps(EXPECTED | {"pages": 4}))))
    assert "memo 1.0.0, alpha: run " in page.text
    assert "one: accuracy 0.750; of 2 replies: 1 right, 1 wrong" in page.text
    assert "x pages: 4 instead of 3" in page.text


def test_it_needs_nothing_beside_it():
    page = run_page(examined("{}")).decode()
    assert page.startswith('<!doctype html>\n<html lang="en">')
    seen = Elements(page.encode())
    assert set(seen.tags) <= OURS
    assert not {name for name, _ in seen.attributes} & {"src", "href", "style", "onclick", "action"}


def test_its_policy_allows_its_own_style_alone():
    page = run_page(examined("{}")).decode()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(Elements(page.encode()).attributes)
    assert f"style-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert policy


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>", "&lt;b&gt;", "\x00\x1b[31m"]
)
def test_what_a_model_wrote_is_text(text):
    for run in (examined(text), examined(json.dumps({"kind": text, text: 1}))):
        page = run_page(run)
        assert set(Elements(page).tags) <= OURS
        assert b"\x00" not in page
        assert b"\x1b" not in page


@given(st.text(max_size=60))
@settings(max_examples=40)
def test_whatever_a_model_wrote_a_page_is_made_of_our_elements(text):
    for run in (examined(text), examined(json.dumps({"kind": text}))):
        page = Elements(run_page(run))
        assert set(page.tags) <= OURS


def test_the_first_case_is_open_and_has_a_reason_for_what_is_unparsable():
    lost = CallError("infrastructure", "timeout", "no byte within 120 s")
    page = run_page(examined("no JSON", lost)).decode()
    assert page.count('<details open="open">') == 1
    assert "replicate 1: no reply came: timeout: no byte within 120 s" in page
    assert "<pre>no JSON</pre>" in page


def test_a_long_text_is_cut_and_says_so():
    page = Elements(run_page(examined("x" * (LONGEST_TEXT + 100))))
    assert "x" * LONGEST_TEXT + "…" in page.text
    assert "x" * (LONGEST_TEXT + 1) not in page.text


def test_a_run_of_which_nothing_is_wrong_says_so():
    run = examined(json.dumps(EXPECTED))
    assert "Nothing is wrong" in Elements(run_page(ExaminedRun(run.plan, None, ()))).text


def test_the_same_run_makes_the_same_page():
    assert run_page(examined("{}", "no JSON")) == run_page(examined("{}", "no JSON"))
