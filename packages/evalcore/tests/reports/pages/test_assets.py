"""What pages need beside them, and how our stylesheets keep to our own part of a page of MkDocs."""

from __future__ import annotations

import re

import pytest

from evalcore.reports.pages.assets import assets
from evalcore.reports.style import base_css


def test_the_stylesheet_is_the_one_that_all_pages_share() -> None:
    assert assets(is_embedded=False)["base.css"] == base_css()


@pytest.mark.parametrize("name", ["base.css", "site.css"])
def test_inside_mkdocs_nothing_is_said_of_the_page_around_ours(name: str) -> None:
    css = assets(is_embedded=True)[name].decode()
    assert css.startswith(".evaluations.evaluations.evaluations {")
    assert css.count("{") == css.count("}")
    assert not re.search(r"^(?::root|body|html)\b", css, re.MULTILINE)
    assert ":root" not in css
    assert "prefers-color-scheme" not in css


def test_inside_mkdocs_the_themes_choice_of_light_or_dark_counts() -> None:
    css = assets(is_embedded=True)["base.css"].decode()
    dark = css.partition('[data-md-color-scheme="slate"] & {')[2].partition("}")[0]
    assert "--card: #1b2029;" in dark


def test_the_scripts_ask_no_other_place() -> None:
    script = assets(is_embedded=False)["site.js"].decode()
    assert not re.search(r"https?://|\beval\(|innerHTML|outerHTML|document\.write|new Function", script)
