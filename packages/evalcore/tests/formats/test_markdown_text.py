"""Text of others on GitHub: one line of code, in which nothing is a mention, a link or structure."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evalcore.formats.markdown_text import CELL, EMPTY, escape_markdown
from evalsim.hostile import HOSTILE

MARKDOWN = MarkdownIt("commonmark").enable("table")
TEXTS = st.text(max_size=120) | st.sampled_from(HOSTILE) | st.text("`| \n\\:[]#", max_size=30)


def code_of(text):
    """The contents of the one code span that a text is; None where it is anything else."""
    tokens = MARKDOWN.parseInline(text)[0].children
    return tokens[0].content if [token.type for token in tokens] == ["code_inline"] else None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("", EMPTY),
        (" \n\t", EMPTY),
        ("a\nb", "`a b`"),
        ("a|b", "`a¦b`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("``", "``` `` ```"),
        ("\u202eabc", "`abc`"),
        ("::error::x", "`:\u200b:error:\u200b:x`"),
        ("##[error]", "`#\u200b#[error]`"),
        ("[skip ci]", "`[skip\u00a0ci]`"),
        ("skip-checks: true", "`skip-checks:\u00a0true`"),
    ],
)
def test_a_text_is_shown_as_code(text, shown):
    assert escape_markdown(text, CELL) == shown


def test_a_long_text_is_cut_to_its_limit_with_a_mark():
    assert escape_markdown("x" * 100, 10) == f"`{'x' * 9}…`"
    assert escape_markdown("x" * 10, 10) == f"`{'x' * 10}`"
    assert escape_markdown("ab " * 50, 6) == "`ab ab…`"


@given(TEXTS, st.integers(1, 60))
def test_whatever_the_text_it_is_one_piece_of_code_on_one_line(text, limit):
    shown = escape_markdown(text, limit)
    assert "\n" not in shown
    assert "|" not in shown
    assert shown == EMPTY or code_of(shown) is not None


@given(TEXTS)
def test_nothing_that_reads_plain_text_is_set_off(text):
    shown = escape_markdown(text, CELL)
    assert re.search(r"\[ *(skip|no|ci|actions) +(ci|skip|actions) *\]", shown, re.IGNORECASE) is None
    assert "::" not in shown
    assert "##[" not in shown
    assert "skip-checks: true" not in shown.lower()


@given(TEXTS, TEXTS)
def test_a_table_keeps_its_shape(one, other):
    row = f"| {escape_markdown(one, CELL)} | {escape_markdown(other, CELL)} |"
    tokens = MARKDOWN.parse(f"| a | b |\n| - | - |\n{row}\n")
    assert sum(token.type == "td_open" for token in tokens) == 2


@given(st.text("abc xyz", min_size=1, max_size=40).filter(str.strip))
def test_harmless_text_is_shown_as_it_is(text):
    assert code_of(escape_markdown(text, CELL)) == " ".join(text.split())
