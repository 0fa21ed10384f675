"""YAML as a tree that knows its lines; whatever people write is read, or refused with file and line."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import ComponentError, ConfigurationError
from evalcore.formats.yaml_tree import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, read_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii", categories=["L", "N"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


def read(text, **options):
    return read_yaml(text, "models.yaml", ConfigurationError, **options)


def refused(text, **options):
    with pytest.raises(ConfigurationError) as caught:
        read(text, **options)
    return caught.value


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "---\n# nothing\n"])
def test_of_nothing_but_comments_nothing_is_read(text):
    node = read(text)
    assert node is None or node.value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("0x10", 16),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("~", None),
        ("'1'", "1"),
        ("1.2.0", "1.2.0"),
        ("2026-07-01", "2026-07-01"),
        ("[a, 1]", ["a", 1]),
        ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
        ("a:\n  - b: 1\n    c: |\n      two\n      lines\n", {"a": [{"b": 1, "c": "two\nlines\n"}]}),
        ("!!python/object:os.system x", "x"),
        ("!custom x", "x"),
    ],
)
def test_plain_data_alone_is_made(text, value):
    assert read(text).plain() == value


@given(PLAIN)
def test_json_is_yaml_and_is_read_as_the_same_value(value):
    assert read(json.dumps(value)).plain() == value


def test_a_scalar_remembers_how_it_was_written():
    node = read("version: 1.0\nold: 007\n")
    assert node.items()["version"].text == "1.0"
    assert node.items()["version"].value == 1.0
    assert node.items()["old"].text == "007"


def test_every_node_knows_its_line_an_entry_that_of_its_key():
    node = read("a: 1\nb:\n  - x\n  - y\nc:\n  d: 2\n")
    entries = node.items()
    assert {name: entry.line for name, entry in entries.items()} == {"a": 1, "b": 2, "c": 5}
    assert [item.line for item in entries["b"].value] == [3, 4]
    assert entries["c"].items()["d"].line == 6


def test_lines_are_counted_from_where_the_text_stands_in_its_file():
    assert read("a: 1\nb: 2\n", first_line=10).items()["b"].line == 11
    assert refused("a: 1\na: 2\n", first_line=10).where == "models.yaml:11"


def test_of_what_is_no_mapping_there_are_no_entries():
    assert read("[1]").items() == read("1").items() == {}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\na: 2\n", 2, "the key `a` stands twice"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("a: *nobody\n", 1, "nothing is called &nobody"),
        ("a: 1\n? [x]\n: 2\n", 2, "a key that is not a plain word"),
        ("a: 1\nb: {<<: 5}\n", 2, "`<<` takes a mapping"),
        ("a: !!int x\n", 1, "is no number that can be used"),
        ("a: !!float x\n", 1, "is no number that can be used"),
        ("a: !!bool x\n", 1, "is no truth value that can be used"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_line_and_what_to_do(text, line, what):
    error = refused(text)
    assert (error.what, error.where) == (what, f"models.yaml:{line}")
    assert error.hint


@pytest.mark.parametrize(
    "text", ["a: [1\n", "a: 'x\n", "\ta: 1", "a: b: c", "- a\nb: 1", "%YAML 9.9 x\n---\n", "\x00"]
)
def test_what_is_no_yaml_is_told_with_its_line(text):
    error = refused(text)
    assert error.what.startswith("is not YAML: ")
    assert error.where.startswith("models.yaml:")


def test_the_error_is_of_the_kind_that_was_asked_for():
    with pytest.raises(ComponentError):
        read_yaml("a: [", "scoring.yaml", ComponentError)


def test_an_alias_stands_for_what_it_names():
    node = read("a: &x {n: 1}\nb: *x\nc: [*x, *x]\n")
    assert node.plain() == {"a": {"n": 1}, "b": {"n": 1}, "c": [{"n": 1}, {"n": 1}]}


def test_a_merged_mapping_gives_way_to_what_is_written():
    node = read("base: &x {a: 1, b: 2}\nmore: &y {b: 3, c: 4}\nit: {<<: [*x, *y], a: 9}\n")
    assert node.plain()["it"] == {"a": 9, "b": 2, "c": 4}


def test_a_text_that_is_too_long_is_refused_unread():
    error = refused("a" * (MAX_CHARACTERS + 1))
    assert error.line == "models.yaml: is over 262,144 characters; shorten it"


def test_what_is_nested_too_deep_is_refused():
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    error = refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert error.what == f"is nested over {MAX_DEPTH} deep"


def test_aliases_that_expand_without_end_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 9)]
    assert refused("\n".join(lines)).what == f"holds over {MAX_NODES:,} values, aliases counted"


def test_too_many_values_are_refused():
    assert refused("\n".join(["- x"] * (MAX_NODES + 1))).where == f"models.yaml:{MAX_NODES}"


@given(st.text("ab:-[]{}&*!|>'\"#\n <%@`,?~0.", max_size=60))
def test_whatever_the_text_it_is_read_or_refused(text):
    with contextlib.suppress(ConfigurationError):
        read(text)


def test_half_of_a_surrogate_pair_which_no_file_could_hold_is_refused():
    assert refused('a: 1\nb: "\\ud800"\n').line.startswith("models.yaml:2: holds half of a surrogate pair")
    assert refused('"\\udfff": 1\n').line.startswith("models.yaml:1: holds half of a surrogate pair")
