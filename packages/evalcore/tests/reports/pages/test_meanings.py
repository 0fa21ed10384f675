"""What figures mean: two sentences each, and a place in the text on scoring, which is carried along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalcore.reports.pages.meanings import MEANINGS
from evalcore.reports.pages.scoring_text import heading_id, scoring_html

DOCS = Path(__file__).parents[5] / "docs" / "scoring.md"


@pytest.mark.parametrize("key", MEANINGS)
def test_a_figure_is_explained_in_two_sentences(key: str) -> None:
    assert len(re.findall(r"[.](?:\s|$)", MEANINGS[key].text)) == 2


def test_what_an_interval_and_agreement_do_not_say_stands_beside_them() -> None:
    assert "if nothing drifts" in MEANINGS["interval"].text
    assert "always the empty one" in MEANINGS["reproducibility"].text
    assert "chance" in MEANINGS["reproducibility"].text


@pytest.mark.parametrize("key", [key for key, meaning in MEANINGS.items() if meaning.section])
def test_the_place_that_says_more_is_there(key: str) -> None:
    assert f' id="{heading_id(MEANINGS[key].section)}"' in scoring_html()


def test_the_text_is_that_of_the_docs() -> None:
    """`make docs` writes it."""
    carried = Path(__file__).parents[3] / "src/evalcore/reports/pages/scoring.md"
    assert carried.read_bytes() == DOCS.read_bytes()


def test_the_text_has_no_link_to_what_is_not_carried_along() -> None:
    assert {address.split(":")[0] for address in re.findall(r'href="([^"#][^"]*)"', scoring_html())} <= {
        "https"
    }
    for anchor in re.findall(r'href="#([^"]*)"', scoring_html()):
        assert f' id="{anchor}"' in scoring_html()


def test_tables_can_be_moved_sideways_with_the_keyboard() -> None:
    assert scoring_html().count("<table") == scoring_html().count('<div class="scroll" tabindex="0"')
