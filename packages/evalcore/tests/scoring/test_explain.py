"""The rule of every leaf of expected answers; weights that look wrong."""

from __future__ import annotations

import pytest

from evalcore.scoring.explain import LeafRule, explain, weight_warnings
from evalsim.testing import make_case, make_component

PROSE = "a sentence of more than eight words in all of it"


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
        "case one: the list `l` holds 60 % of the weight; "
        "give its fields a lower `weight`, or others a higher one"
    )


def test_a_list_of_half_the_weight_is_not():
    assert weight_warnings([rule("l[]", 5.0), rule("n", 5.0)]) == []


def test_an_answer_that_is_a_list_is_no_list_among_fields():
    assert weight_warnings([rule("[].a", 5.0)]) == []


def test_a_key_field_that_hardly_counts_is_told():
    found = weight_warnings([rule("n", 1.0), rule("m", 99.0)])
    assert found == ["case one: the key field `n` weighs 1.0 %; give it a higher `weight`"]


@pytest.mark.parametrize(
    "light", [rule("a.b", 0.1), rule("n", 0.0), rule("n", 0.1, "prose (8 words or more)")]
)
def test_inner_fields_prose_and_what_is_left_out_on_purpose_may_be_light(light):
    assert weight_warnings([light, rule("m", 99.0)]) == []


def test_cases_are_judged_each_by_itself_and_a_case_without_weight_not_at_all():
    heavy = [rule("l[]", 9.0, case="two"), rule("n", 1.0, case="two")]
    assert [line.partition(":")[0] for line in weight_warnings([rule("n", 1.0), *heavy])] == ["case two"]
    assert weight_warnings([rule("n", 0.0)]) == weight_warnings([]) == []
