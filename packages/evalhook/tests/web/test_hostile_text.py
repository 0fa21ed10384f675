"""Foreign text in every place where the service shows some: it starts nothing of its own."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
import structlog
from markdown_it import MarkdownIt

from evalcore.errors import RepositoryError
from evalcore.formats.markdown_text import escape_markdown
from evalcore.secret import Scrubber
from evalhook.errors import MAX_MESSAGE, one_line
from evalhook.monitoring.logs import configure_logging
from evalhook.web.pages import TEMPLATES
from evalsim.hostile import HOSTILE

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
EACH = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What is logged meanwhile; entered in the test itself, so that pytest keeps no raw copy of it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging(Scrubber([]), stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@EACH
def test_on_github_it_is_one_piece_of_code(text: str) -> None:
    shown = escape_markdown(f"x {text} y", 200)
    paragraph, inline, end = MarkdownIt("gfm-like", {"linkify": False}).parse(shown)
    assert (paragraph.type, end.type) == ("paragraph_open", "paragraph_close")
    assert [child.type for child in inline.children or []] == ["code_inline"]
    for mark in ("[skip ci]", "[ci skip]", "skip-checks: true", "::", "##["):
        assert mark not in shown.lower()


class Seen(HTMLParser):
    """The tags and the text that a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))


@EACH
def test_in_html_it_is_text_and_the_value_of_its_attribute(text: str) -> None:
    seen = Seen()
    seen.feed(TEMPLATES.from_string('<p title="{{ text }}">{{ text }}</p>').render(text=text))
    seen.close()
    assert seen.tags == [("p", ["title"])]


@EACH
def test_in_the_log_it_is_part_of_one_json_line(text: str) -> None:
    with logged() as lines:
        structlog.get_logger("test").warning("told", reason=text)
        logging.getLogger("library").warning("%s", text)
    told = lines.getvalue().splitlines()
    assert len(told) == 2
    assert all(line.isascii() and line.startswith("{") and not UNSEEN.search(line) for line in told)
    assert json.loads(told[0])["level"] == "warning"


@EACH
def test_in_an_error_or_an_answer_it_is_one_line_that_can_be_shown(text: str) -> None:
    line = RepositoryError(text, where=text, hint=text).line
    message = one_line(text)
    assert UNSEEN.search(line) is None
    assert UNSEEN.search(message) is None
    assert len(message) <= MAX_MESSAGE
