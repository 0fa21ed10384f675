"""Markdown answers as named sections with fields, and the headings of two answers matched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.markdown import parse_markdown
from evalcore.scoring.markdown_tree import (
    BEGINNING,
    MOST_HEADINGS,
    markdown_fields,
    match_names,
    section_fields,
)


def sections(text):
    tree = markdown_fields(parse_markdown(text))
    return tree.get("sections", {})


def names(*headings):
    return list(sections("".join(f"# {heading}\n\ntext\n\n" for heading in headings)))


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Key dates", "Key dates"),
        ("1. Key dates", "Key dates"),
        ("2.1 Scope", "Scope"),
        ("(a) Scope", "Scope"),
        ("IV. Scope", "Scope"),
        ("Step 3: Scope", "Scope"),
        ("Section 2 - Scope", "Scope"),
        ("2024 Budget", "2024 Budget"),
        ("Q1: Budget", "Q1: Budget"),
        ("F31 - Fellowship", "F31 - Fellowship"),
        ("A.", "A-"),
        ("A [draft] v1.2", "A (draft) v1-2"),
    ],
)
def test_a_section_is_called_by_its_heading_without_its_number(heading, name):
    assert names(heading) == [name]


def test_headings_keep_the_numbers_that_tell_them_apart():
    assert names("1. Scope", "2. Scope", "3. Dates") == ["1- Scope", "2- Scope", "Dates"]


def test_equal_headings_are_numbered_in_their_order():
    assert names("Scope", "Scope", "Scope") == ["Scope", "Scope (2)", "Scope (3)"]


def test_what_stands_before_the_first_heading_has_a_name_and_no_heading():
    found = sections("Hello\n\n# Dates\n\nJune\n")
    assert found[BEGINNING] == {"paragraphs": ["Hello"]}
    assert found["Dates"] == {"heading": "Dates", "paragraphs": ["June"]}


@pytest.mark.parametrize("tree", [None, 1, "text", [], {}, {"sections": 1}, {"sections": [1]}])
def test_what_no_markdown_parser_made_stays_as_it_is(tree):
    assert markdown_fields(tree) == tree
    assert section_fields(tree) == {}
    assert match_names(tree, ["a"], {}) == tree


def test_lines_of_a_key_and_a_value_become_fields():
    found = sections("# Grant\n\n- Amount: $4,125\n- Due:  July 1\n- free text\n")["Grant"]
    assert found["fields"] == {"Amount": "$4,125", "Due": "July 1"}
    assert found["items"] == ["free text"]


@pytest.mark.parametrize(
    "line", ["Amount:", ": 5", "one two three four five six seven: x", "http://example.edu", "5:30 pm"]
)
def test_other_lines_stay_lines(line):
    found = sections(f"# Grant\n\n- {line}\n")["Grant"]
    assert "fields" not in found
    assert found["items"] == [line]


def test_a_key_that_stands_twice_is_a_field_once():
    found = sections("# Grant\n\n- Due: June\n- Due: July\n")["Grant"]
    assert (found["fields"], found["items"]) == ({"Due": "June"}, ["Due: July"])


def test_a_table_of_two_columns_is_a_list_of_fields():
    found = sections("# Grant\n\n| What | Value |\n|--|--|\n| Amount: | $5 |\n| Due | July |\n")["Grant"]
    assert found == {"heading": "Grant", "fields": {"Amount": "$5", "Due": "July"}}


def test_a_table_whose_first_column_repeats_stays_rows():
    found = sections("# Grant\n\n| What | Value |\n|--|--|\n| Due | June |\n| due | July |\n")["Grant"]
    assert found["rows"] == [{"What": "Due", "Value": "June"}, {"What": "due", "Value": "July"}]
    assert "fields" not in found


def test_a_table_of_three_columns_stays_rows_without_its_blank_cells():
    found = sections("# G\n\n| A.b | B | C |\n|--|--|--|\n| 1 | | 3 |\n")["G"]
    assert found["rows"] == [{"A-b": "1", "C": "3"}]


def test_a_cell_without_a_value_is_no_field():
    found = sections("# G\n\n| A | B |\n|--|--|\n| Due | |\n| Amount | 5 |\n")["G"]
    assert found["fields"] == {"Amount": "5"}


def test_code_is_kept():
    assert sections("# G\n\n```\nmake\n```\n")["G"]["code"] == ["make"]


def test_fields_of_each_section_are_listed():
    tree = markdown_fields(parse_markdown("# A\n\n- x: 1\n- y: 2\n\n# B\n\ntext\n"))
    assert section_fields(tree) == {"A": ["x", "y"], "B": []}


def matched(answered, known, fields=None):
    tree = {"sections": {name: {"heading": name} for name in answered}}
    return list(match_names(tree, known, fields or {})["sections"])


@pytest.mark.parametrize(
    ("answered", "known", "named"),
    [
        (["Key Dates"], ["key dates"], ["key dates"]),
        (["Important dates"], ["Important date"], ["Important date"]),
        (["Budget"], ["Eligibility"], ["Budget"]),
        (["2024 Budget"], ["2025 Budget"], ["2024 Budget"]),
        (["Dates", "dates"], ["DATES"], ["DATES", "dates"]),
        ([], ["a"], []),
        (["a"], [], ["a"]),
    ],
)
def test_a_section_bears_the_name_of_the_one_it_is_most_like(answered, known, named):
    assert matched(answered, known) == named


def test_a_heading_that_is_nothing_like_the_one_whose_name_it_bears_is_not_taken_for_it():
    assert matched(["Important dates", "Important date"], ["Important date"])[-1] == "Important date"
    assert len(set(matched(["Dates", "dates", "DATES"], ["dates"]))) == 3


def test_each_known_name_is_given_once():
    found = matched(["Key datas", "Key datex"], ["Key dates"])
    assert found.count("Key dates") == 1


def test_beyond_the_bound_headings_match_by_equality_alone():
    many = [f"heading number {at} of a long document" for at in range(MOST_HEADINGS)]
    assert matched([*many, "Important dates"], ["Important date"])[-1] == "Important dates"
    assert matched([*many, "IMPORTANT DATE"], ["Important date"])[-1] == "Important date"


def test_fields_bear_the_known_spelling_of_their_names():
    tree = {"sections": {"Grant": {"fields": {"AMOUNT": "5", "due": "July", "Other": "x"}}}}
    found = match_names(tree, ["Grant"], {"Grant": ["Amount", "Due"]})
    assert found["sections"]["Grant"]["fields"] == {"Amount": "5", "Due": "July", "Other": "x"}


def test_of_two_spellings_of_one_field_the_second_keeps_its_own():
    tree = {"sections": {"Grant": {"fields": {"AMOUNT": "5", "amount": "6"}}}}
    found = match_names(tree, ["Grant"], {"Grant": ["Amount"]})
    assert found["sections"]["Grant"]["fields"] == {"Amount": "5", "amount": "6"}


@given(st.text("#-*|: ab1.\n[]()", max_size=120))
def test_every_text_has_named_sections_whose_names_match_themselves(text):
    tree = markdown_fields(parse_markdown(text))
    fields = section_fields(tree)
    assert match_names(tree, fields, fields) == tree


@given(st.lists(st.text("ab 12.", max_size=8), max_size=5))
def test_no_section_is_lost_whatever_its_heading(headings):
    tree = {
        "sections": [{"heading": heading, "paragraphs": [str(at)]} for at, heading in enumerate(headings)]
    }
    found = markdown_fields(tree)["sections"]
    assert [section["paragraphs"] for section in found.values()] == [[str(at)] for at in range(len(headings))]
