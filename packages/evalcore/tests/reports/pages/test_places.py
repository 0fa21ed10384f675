"""Addresses of pages: relative, right from every place, as files and inside MkDocs."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.pages.places import Layout, failures_page, history_page

NAMES = st.text("abc.-_ %é#?", min_size=1, max_size=6).filter(lambda name: bool(name.strip(".")))
FOLDERS = st.sampled_from(["", "models/", "history/"])
PAGES = st.builds(lambda folder, name: f"{folder}{name}.html", FOLDERS, NAMES)
ROOT = "https://a.example/site/"


@given(PAGES, PAGES)
def test_a_link_leads_from_one_page_to_the_other(page: str, target: str) -> None:
    address = Layout().link(page, target)
    assert not address.startswith("/")
    folder = posixpath.dirname(page)
    assert unquote(urljoin(f"{ROOT}{folder}/" if folder else ROOT, address)) == ROOT + target


@given(PAGES, PAGES)
def test_inside_mkdocs_it_leads_from_folder_to_folder(page: str, target: str) -> None:
    address = unquote(Layout(is_embedded=True).link(page, target))
    reached = posixpath.normpath(posixpath.join("site", page.removesuffix(".html"), address))
    assert reached == posixpath.join("site", target.removesuffix(".html"))


@pytest.mark.parametrize(
    ("page", "target", "address"),
    [
        ("index.html", "components/memo.html", "components/memo/"),
        ("components/memo.html", "index.html", "../../"),
        ("components/memo.html", "history/memo.html", "../../history/memo/"),
        ("components/memo.html", "assets/base.css", "../../assets/base.css"),
        ("index.html", "index.html", "./"),
        # MkDocs makes the page of its folder of one that is so called.
        ("components/index.html", "models.html", "../models/"),
    ],
)
def test_addresses_inside_mkdocs(page: str, target: str, address: str) -> None:
    assert Layout(is_embedded=True).link(page, target) == address


def test_pages_are_markdown_inside_mkdocs_and_what_is_beside_them_stays() -> None:
    layout = Layout(is_embedded=True)
    assert layout.file(history_page("memo")) == "history/memo.md"
    assert layout.file("assets/base.css") == "assets/base.css"
    assert Layout().file(failures_page("memo")) == "failures/memo.html"
