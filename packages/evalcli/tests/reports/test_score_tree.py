"""An answer beside the expected one as a tree on a terminal."""

from __future__ import annotations

import pytest

from evalcli.reports.score_tree import (
    LEGEND,
    TreeView,
    branch_text,
    difference_lines,
    is_wrong,
    leaf_text,
    node_name,
    score_text,
    tree_lines,
)
from evalcli.terminal.text import plain_line
from evalcore.scoring.difference import DiffNode, diff
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import TreeScorer


def difference(expected, answered, policy=""):
    rules = FieldRules(None, [expected], parse_policy(policy, "scoring.yaml") if policy else None)
    return diff(TreeScorer(expected, rules), answered)


def text(found, **view):
    return "".join(map(plain_line, tree_lines(found, TreeView(**view))))


def leaf(status="matched", score=1.0, weight=1.0, expected="1", answered="1", **fields):
    return DiffNode("n", "n", status, score, weight, expected=expected, answered=answered, **fields)


@pytest.mark.parametrize(
    ("node", "mark", "style", "said"),
    [
        (leaf(), "=", "good", "1"),
        (leaf(score=0.7, answered="2"), "~", "warn", "2 instead of 1 (0.700)"),
        (leaf("wrong", 0.0, answered="2"), "x", "bad", "2 instead of 1"),
        (leaf("missed", 0.0, answered=""), "-", "bad", "1"),
        (leaf("invented", 0.0, expected=""), "+", "warn", "1"),
        (leaf("wrong", 0.0, weight=0.0, answered="2"), ".", "dim", "2"),
        (leaf("missed", 0.0, weight=0.0, answered=""), ".", "dim", "1"),
    ],
)
def test_a_leaf_has_a_mark_a_colour_and_what_was_answered(node, mark, style, said):
    assert leaf_text(node, 60) == (mark, style, said)
    assert mark in LEGEND


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        (leaf(), False),
        (leaf(score=0.9), True),
        (leaf("wrong", 0.0), True),
        (leaf("missed", 0.0), True),
        (leaf("wrong", 0.0, weight=0.0), False),
        (leaf(children=(leaf(), leaf("wrong", 0.0))), True),
        (leaf("wrong", children=(leaf(), leaf())), False),
    ],
)
def test_what_is_wrong_is_what_counts_and_is_not_fully_right(node, wrong):
    assert is_wrong(node) is wrong


def test_a_branch_says_how_it_fared_as_a_whole():
    assert branch_text(leaf("missed")) == ("missed", "bad")
    assert branch_text(leaf("invented")) == ("invented", "warn")
    assert branch_text(leaf("wrong", 0.5, 2.0)) == ("0.500 of weight 2", "dim")


def test_the_root_is_called_the_answer_and_long_names_are_cut():
    assert node_name(DiffNode(".", ".", "matched", 1, 1), 60) == "answer"
    long = node_name(DiffNode("x" * 500, "p", "matched", 1, 1), 60)
    assert len(long) < 100


def test_the_figures_of_an_answer_leave_out_what_is_not_known():
    found = difference({"a": 1}, {"a": 2})
    assert score_text(found.score) == "accuracy 0.000, precision 0.000, recall 0.000, ANLS* 0.000"


def test_a_tree_is_indented_by_its_depth():
    lines = text(difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 1}, "c": 3})).splitlines()
    assert lines[0] == ""
    assert lines[1] == "  a  1.000 of weight 1"
    assert lines[2].startswith("  = b: 1  [")
    assert lines[3].startswith("x c: 3 instead of 2  [number, weight 1]")


def test_what_is_right_can_be_left_out():
    found = difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 1}, "c": 3})
    assert [line for line in text(found, wrong_only=True).splitlines() if line] == [
        "x c: 3 instead of 2  [number, weight 1]"
    ]


def test_values_are_cut_to_what_is_asked_for():
    found = difference({"a": "x" * 500}, {"a": "y" * 500})
    assert max(map(len, text(found, longest=20).splitlines())) < 120


def test_where_there_is_nothing_to_compare_that_is_said():
    assert text(difference({}, {})) == "Nothing to compare: neither answer holds a value that counts.\n"


def test_an_answer_that_is_too_large_to_be_compared_is_said_to_be():
    found = difference({"a": [1]}, {"a": list(range(100_000))})
    assert text(found) == "The answer is so large that it is not compared: it scores 0.\n"


def test_elements_stand_in_the_order_in_which_they_are_expected():
    names = ["pear", "apple", "quince", "fig"]
    for policy in ("", "fields:\n  l: {align_by: n}\n"):
        found = difference({"l": [{"n": name, "v": 1} for name in names]}, {"l": []}, policy)
        shown = text(found)
        assert sorted(names, key=shown.index) == names
        found = difference(
            {"l": [{"n": name, "v": 1} for name in names]},
            {"l": [{"n": name, "v": 2} for name in sorted(names)]},
            policy,
        )
        shown = text(found)
        assert sorted(names, key=shown.index) == names


def test_what_is_required_and_missing_stands_above():
    found = difference({"a": 1, "b": 2}, {"b": 2}, "fields:\n  a: {required: true}\n")
    assert text(found).startswith("Required and missing, so the answer scores 0: a.\n")


def test_a_whole_difference_has_a_title_the_figures_and_a_legend():
    lines = [plain_line(spans) for spans in difference_lines("memo, one", difference({"a": 1}, {"a": 1}))]
    assert lines[0] == "memo, one\n"
    assert lines[1].startswith("accuracy 1.000")
    assert lines[-1] == f"{LEGEND}\n"
    without_tree = [plain_line(spans) for spans in difference_lines("memo", difference({}, {}))]
    assert f"{LEGEND}\n" not in without_tree


def test_what_a_model_wrote_cannot_move_a_cursor():
    shown = text(difference({"a": "x"}, {"a": "\x1b[2J\u202e", "\x1b[31m": 1}))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
