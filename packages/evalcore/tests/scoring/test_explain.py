"""An answer beside the expected one, leaf by leaf; the rule of every leaf; weights that look wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.scoring.difference import diff
from evalcore.scoring.explain import LONGEST_SHOWN, LeafRule, explain, weight_warnings
from evalcore.scoring.rules.field_rules import FieldRules
from evalcore.scoring.rules.policy import parse_policy
from evalcore.scoring.scorer import MOST_VALUES, TreeScorer
from evalsim.testing import make_case, make_component

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


# The rules of leaves


def rules(*expected, **fields):
    cases = [make_case(f"case {at}", value) for at, value in enumerate(expected)]
    return explain(make_component(**fields), cases)


def test_every_leaf_of_every_case_has_a_rule_and_a_reason():
    found = rules({"n": 1, "l": ["x", None]}, {"n": 2})
    assert [(leaf.case, leaf.path, leaf.expected, leaf.rule) for leaf in found] == [
        ("case 0", "n", "1", "number"),
        ("case 0", "l[]", '"x"', "text"),
        ("case 1", "n", "2", "number"),
    ]
    assert all(leaf.why for leaf in found)


def test_a_policys_rule_names_its_file_and_line():
    policy = "fields:\n  n: {compare: exact, weight: 3}\n"
    (leaf,) = rules({"n": 1}, policy=policy, policy_where="scoring.yaml", policy_sha256="0" * 64)
    assert (leaf.rule, leaf.weight) == ("exact", 3)
    assert "scoring.yaml:2" in leaf.why


def test_prose_leaves_share_what_they_weigh():
    found = rules({"a": PROSE, "b": PROSE, "n": 1})
    assert {leaf.path: leaf.weight for leaf in found} == {"a": 0.125, "b": 0.125, "n": 1}


def rule(path, weight, why="text", case="one"):
    return LeafRule(case=case, path=path, expected="1", rule="exact", weight=weight, why=why)


def test_a_list_that_decides_a_case_almost_alone_is_told():
    found = weight_warnings([rule("l[].a", 3.0), rule("l[].b", 3.0), rule("n", 4.0)])
    assert len(found) == 1
    assert found[0] == (
        "case one: the list `l` holds 60% of the weight; "
        "give its fields a lower `weight`, or others a higher one"
    )


def test_a_list_of_half_the_weight_is_not():
    assert weight_warnings([rule("l[]", 5.0), rule("n", 5.0)]) == []


def test_an_answer_that_is_a_list_is_no_list_among_fields():
    assert weight_warnings([rule("[].a", 5.0)]) == []


def test_a_key_field_that_hardly_counts_is_told():
    found = weight_warnings([rule("n", 1.0), rule("m", 99.0)])
    assert found == ["case one: the key field `n` weighs 1.0%; give it a higher `weight`"]


@pytest.mark.parametrize(
    "light", [rule("a.b", 0.1), rule("n", 0.0), rule("n", 0.1, "prose (8 words or more)")]
)
def test_inner_fields_prose_and_what_is_left_out_on_purpose_may_be_light(light):
    assert weight_warnings([light, rule("m", 99.0)]) == []


def test_cases_are_judged_each_by_itself_and_a_case_without_weight_not_at_all():
    heavy = [rule("l[]", 9.0, case="two"), rule("n", 1.0, case="two")]
    assert [line.partition(":")[0] for line in weight_warnings([rule("n", 1.0), *heavy])] == ["case two"]
    assert weight_warnings([rule("n", 0.0)]) == weight_warnings([]) == []


def test_letters_are_shown_as_they_are_and_half_a_surrogate_pair_as_an_escape():
    found = by_path(difference({"a": "Größe — 模型\n"}, {"a": "\ud800"}))
    assert found["a"] == ("wrong", '"Größe — 模型\\n"', '"\\ud800"')
