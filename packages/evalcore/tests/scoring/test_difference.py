"""An answer beside the expected one, leaf by leaf."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.difference import diff
from evalcore.scoring.explain import LONGEST_SHOWN
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import MOST_VALUES, TreeScorer

PROSE = "a sentence of more than eight words in all of it"


def difference(expected, answered, policy=""):
    rules = FieldRules(None, [expected], parse_policy(policy, "scoring.yaml") if policy else None)
    return diff(TreeScorer(expected, rules), answered)


def leaves(node):
    return [node] if not node.children else [leaf for child in node.children for leaf in leaves(child)]


def by_path(found):
    return {leaf.path: (leaf.status, leaf.expected, leaf.answered) for leaf in leaves(found.tree)}


def test_every_leaf_says_how_it_fared():
    found = difference({"a": 1, "b": "x", "c": 3}, {"a": 1, "b": "y", "d": 4})
    statuses = {leaf.name: (leaf.status, leaf.expected, leaf.answered) for leaf in leaves(found.tree)}
    assert statuses == {
        "a": ("matched", "1", "1"),
        "b": ("wrong", '"x"', '"y"'),
        "c": ("missed", "3", ""),
        "d": ("invented", "", "4"),
    }


def test_a_branch_is_what_all_its_leaves_are():
    found = difference(
        {"ok": {"a": 1}, "gone": {"a": 1}, "off": {"a": 1, "b": 2}},
        {"ok": {"a": 1}, "off": {"a": 1, "b": 3}, "new": {"a": 1}},
    )
    assert {node.name: node.status for node in found.tree.children} == {
        "ok": "matched",
        "gone": "missed",
        "off": "wrong",
        "new": "invented",
    }


def test_a_branch_weighs_its_leaves_and_scores_their_matched_share():
    tree = difference({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 9}}).tree
    branch = tree.children[1]
    assert (branch.name, branch.weight, branch.score) == ("b", 2, 0.5)
    assert (tree.weight, tree.score) == (3, pytest.approx(2 / 3))


def test_the_prose_of_an_object_shares_its_weight():
    found = difference({"n": 1, "why": PROSE, "how": PROSE}, {"n": 1, "why": PROSE, "how": PROSE})
    assert {leaf.name: leaf.weight for leaf in leaves(found.tree)} == {"n": 1, "why": 0.125, "how": 0.125}


def test_elements_are_named_by_their_place_as_written():
    found = difference({"l": ["b", "a"]}, {"l": ["a", "z", "b"]})
    (branch,) = found.tree.children
    assert {(leaf.name, leaf.status) for leaf in branch.children} == {
        ("[0]", "matched"),
        ("[1]", "matched"),
        ("[1]", "invented"),
    }


def test_aligned_elements_are_named_by_their_keys():
    policy = "fields:\n  l: {align_by: [id]}\n"
    found = difference({"l": [{"id": "a", "n": 1}]}, {"l": [{"id": "a", "n": 2}]}, policy)
    (branch,) = found.tree.children
    assert [element.name for element in branch.children] == ['[id="a"]']


def test_equal_elements_have_each_their_own_place():
    found = difference(["x", "x"], ["x"])
    assert [(leaf.name, leaf.status) for leaf in found.tree.children] == [
        ("[0]", "matched"),
        ("[1]", "missed"),
    ]


def test_two_kinds_in_one_place_stand_beside_each_other():
    found = difference({"a": {"b": 1}}, {"a": 7})
    (branch,) = found.tree.children
    assert [(node.name, node.status) for node in branch.children] == [
        ("expected", "missed"),
        ("answered", "invented"),
    ]


@pytest.mark.parametrize(("expected", "answered"), [({}, {}), (None, []), ([], {})])
def test_where_neither_holds_a_leaf_there_is_no_tree(expected, answered):
    found = difference(expected, answered)
    assert found.tree is None
    assert found.score.accuracy == 1


def test_an_answer_that_is_too_large_has_a_score_and_no_tree():
    found = difference({"a": 1}, list(range(MOST_VALUES + 1)))
    assert (found.tree, found.score.accuracy) == (None, 0)


def test_what_the_policy_requires_and_the_answer_lacks_is_named_once():
    policy = "fields:\n  l[].a: {required: true}\n"
    found = difference({"l": [{"a": 1, "b": 1}, {"a": 2, "b": 2}]}, {"l": [{"b": 1}, {"b": 2}]}, policy)
    assert found.lacking == ("l[].a",)
    assert found.score.accuracy == 0


def test_long_texts_are_cut_where_they_differ():
    found = difference({"a": "x" * 5000 + "end"}, {"a": "x" * 5000 + "END."})
    leaf = leaves(found.tree)[0]
    assert max(len(leaf.expected), len(leaf.answered)) <= LONGEST_SHOWN


def test_large_integers_are_shown_as_far_as_is_bearable():
    leaf = leaves(difference({"a": 10**30}, {"a": 10**3000}).tree)[0]
    assert leaf.expected == str(10**30)
    assert len(leaf.answered) <= LONGEST_SHOWN


ANSWERS = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from(["a", "b", PROSE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
    max_leaves=8,
)


@given(ANSWERS, ANSWERS)
def test_a_tree_is_drawn_of_every_pair_and_its_statuses_fit_its_sides(expected, answered):
    found = difference(expected, answered)
    for leaf in leaves(found.tree) if found.tree else ():
        assert 0 <= leaf.score <= 1
        assert (leaf.status == "missed") == (leaf.answered == "" and leaf.expected != "")
        assert (leaf.status == "invented") == (leaf.expected == "" and leaf.answered != "")


@given(ANSWERS)
def test_the_expected_answer_itself_is_matched_throughout(expected):
    found = difference(expected, expected)
    if found.tree is not None:
        assert {leaf.status for leaf in leaves(found.tree)} == {"matched"}
        assert found.tree.score == 1


OTHER_PROSE = "another text of very many words that says a different thing"
TEXTS = st.sampled_from([PROSE, OTHER_PROSE])
INNER = st.fixed_dictionaries({}, optional={"why": TEXTS, "n": st.integers(0, 2)})
LEAF = st.sampled_from(["a", "b", PROSE, OTHER_PROSE]) | st.integers(0, 3)
OF_ONE_KIND = st.fixed_dictionaries(
    {},
    optional={
        "p": LEAF,
        "why": TEXTS,
        "inner": INNER,
        "leaves": st.lists(LEAF, max_size=3),
        "objects": st.lists(INNER, max_size=3),
    },
)


@given(OF_ONE_KIND, OF_ONE_KIND)
def test_what_is_drawn_comes_to_the_score(expected, answered):
    found = difference(expected, answered)
    if found.tree is not None:
        assert found.tree.score == pytest.approx(found.score.accuracy, abs=1e-6)


def test_elements_come_in_the_order_of_the_expected_answer_then_what_is_invented():
    found = difference({"l": ["c", "a", "b"]}, {"l": ["z", "b", "a", "c"]})
    (branch,) = found.tree.children
    assert [leaf.expected or leaf.answered for leaf in branch.children] == ['"c"', '"a"', '"b"', '"z"']


def test_letters_are_shown_as_they_are_and_half_a_surrogate_pair_as_an_escape():
    found = by_path(difference({"a": "Größe — 模型\n"}, {"a": "\ud800"}))
    assert found["a"] == ("wrong", '"Größe — 模型\\n"', '"\\ud800"')
