"""A Markdown answer becomes a tree of its headings, paragraphs, list items and table rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.markdown import LONGEST_DOCUMENT, parse_markdown
from evalcore.scoring.scorer import TreeScorer


def sections(text: str) -> list:
    return parse_markdown(text)["sections"]


def test_headings_open_sections_with_their_paragraphs_and_items() -> None:
    text = (
        "Before.\n\n# Dates\n\nIn local\ntime.\n\n- June 16\n- July 1\n\n## Budget\n\n1. Travel\n2. Tuition\n"
    )
    assert sections(text) == [
        {"paragraphs": ["Before."]},
        {"heading": "Dates", "paragraphs": ["In local time."], "items": ["June 16", "July 1"]},
        {"heading": "Budget", "items": ["Travel", "Tuition"]},
    ]


def test_a_repeated_heading_is_a_section_of_its_own() -> None:
    assert sections("# A\n\nx\n\n# A\n\ny\n") == [
        {"heading": "A", "paragraphs": ["x"]},
        {"heading": "A", "paragraphs": ["y"]},
    ]


def test_inline_formatting_is_reduced_to_its_text() -> None:
    text = "**Amount:** *about* `$4` [per year](https://example.org) ![chart](c.png)<br>&amp; \\*more\\* ~"
    assert sections(text) == [{"paragraphs": ["Amount: about $4 per year chart & *more* ~"]}]


def test_an_open_box_is_dropped_and_a_ticked_one_kept() -> None:
    assert sections("- [ ] Cover **sheet**\n- [x] Budget\n- [X] Plan\n- [z] Other\n") == [
        {"items": ["Cover sheet", "[x] Budget", "[x] Plan", "[z] Other"]}
    ]


def test_nested_items_stand_in_one_list() -> None:
    assert sorted(sections("- a\n  - b\n    1. c\n- d\n\n  more\n")[0]["items"]) == ["a", "b", "c", "d more"]


def test_table_rows_are_objects_by_column_heading() -> None:
    text = "| Step | Due | Due |\n|---|---|---|\n| Letter | **June** 16 | July |\n| Full | | |\n"
    assert sections(text) == [
        {
            "rows": [
                {"Step": "Letter", "Due": "June 16", "Due (2)": "July"},
                {"Step": "Full", "Due": "", "Due (2)": ""},
            ]
        }
    ]


def test_code_quotes_and_html_keep_their_text() -> None:
    text = "> quoted\n\n```sh\nmake  it\n```\n\n    indented\n\n<div>\nhtml\n</div>\n"
    assert sections(text) == [
        {"paragraphs": ["quoted", "<div> html </div>"], "code": ["make  it", "indented"]}
    ]


@pytest.mark.parametrize("text", ["", "\n \n", "---\n", "[a]: https://example.org\n"])
def test_a_text_that_says_nothing_is_an_empty_tree(text: str) -> None:
    assert parse_markdown(text) == {}


@pytest.mark.parametrize(
    ("answer", "lowest"),
    [
        ("## Dates\n- July 1\n- June 16\n\n## Scope\nAll *of* it.\n", 1.0),
        ("# Dates\n* June 16\n* July 1\n# Scope\nAll of it.\n", 1.0),
        ("# Answer\n\n# Dates\n- [ ] June 16\n- [ ] July 1\n### Scope\n> All of it.\n", 0.8),
        ("# Scope\nAll of it.\n", 0.3),
    ],
)
def test_the_choice_of_ranks_marks_and_order_costs_little(answer: str, lowest: float) -> None:
    scorer = TreeScorer(parse_markdown("# Dates\n\n- June 16\n- July 1\n\n## Scope\n\nAll of it.\n"))
    result = scorer.score(parse_markdown(answer)).accuracy
    assert result == lowest if lowest == 1 else lowest <= result < 1


@given(st.text(alphabet=st.sampled_from("ab \n\t#-*_`[]()!<>|&\\1.~=:\0\u00a0\U0001f600\ud800"), max_size=60))
def test_every_text_has_a_tree(text: str) -> None:
    tree = parse_markdown(text)
    assert tree == parse_markdown(text)
    assert TreeScorer(tree).score(tree).accuracy == 1


@pytest.mark.parametrize(
    "unit", ["> ", "- ", "[", "![", "*a **b ", "<a ", "`a``", "(", "\n\n- x", "|a|b\n|-|-\n"]
)
def test_hostile_texts_are_read_in_bounds(unit: str) -> None:
    parse_markdown(unit * (20_000 // len(unit)))


def test_a_text_beyond_measure_is_one_paragraph() -> None:
    text = "# a\n" * LONGEST_DOCUMENT
    assert sections(text) == [{"paragraphs": [text]}]


def test_lines_are_kept_where_the_writer_broke_them_or_each_is_a_key_with_its_value() -> None:
    broken = "**Posted:** May 2  \n**Award:** $4\\\nand more\n"
    assert sections(broken) == [{"paragraphs": ["Posted: May 2\nAward: $4\nand more"]}]
    assert sections("Posted: May 2\n**Award:** $4\n") == [{"paragraphs": ["Posted: May 2\nAward: $4"]}]
    assert sections("Note: this\nis prose\n") == [{"paragraphs": ["Note: this is prose"]}]


def test_a_text_of_very_many_lines_is_one_paragraph() -> None:
    text = "- a\n" * 20_000
    assert sections(text) == [{"paragraphs": [text]}]
