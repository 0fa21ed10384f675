"""Which workflows may call: rules of claims, all of one, of any."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalhook.config.oidc_rules import CLAIMS, HOW, IDENTIFYING, TokenRule, parse_rules
from evalhook.config.values import Unusable

REPOSITORY = ("repository", "org/library")


def claims_of(text):
    return [dict(rule.claims) for rule in parse_rules(text)]


def refused(text):
    with pytest.raises(Unusable) as caught:
        parse_rules(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("repository=o/n", [{"repository": "o/n"}]),
        ("repository=o/n ref=refs/heads/main", [{"repository": "o/n", "ref": "refs/heads/main"}]),
        ("repository=o/n; repository=o/m", [{"repository": "o/n"}, {"repository": "o/m"}]),
        ("repository=o/n\nsub=x\n", [{"repository": "o/n"}, {"sub": "x"}]),
        (";;repository_id=7;;", [{"repository_id": "7"}]),
        ("repository=o/n workflow='Evaluate all'", [{"repository": "o/n", "workflow": "Evaluate all"}]),
        ('repository=o/n "workflow=a; b"', [{"repository": "o/n", "workflow": "a; b"}]),
        ("repository=o/n environment=a#b", [{"repository": "o/n", "environment": "a#b"}]),
        ("sub=repo:o/n:ref:refs/heads/main", [{"sub": "repo:o/n:ref:refs/heads/main"}]),
        ("repository=o/n ref=a=b", [{"repository": "o/n", "ref": "a=b"}]),
    ],
)
def test_rules_are_separated_by_semicolons_and_their_claims_by_blanks(text, rules):
    assert claims_of(text) == rules


@pytest.mark.parametrize("text", ["", "  ", ";", " ; \n ; "])
def test_of_nothing_there_is_no_rule(text):
    assert (refused(text).what, refused(text).hint) == ("holds no rule", HOW)


@pytest.mark.parametrize("text", ["repository='o/n", 'repository="o/n', "repository=o/n\\"])
def test_a_quote_that_is_not_closed_is_told(text):
    assert refused(text).what == "has a quote that is not closed"


@pytest.mark.parametrize(
    "text", ["repository", "repository=", "=o/n", "actor=me", "Repository=o/n", "repository =o/n"]
)
def test_what_is_no_claim_is_told_with_those_there_are(text):
    what = refused(text).what
    assert what.startswith("holds something that is none of the claims ")
    assert all(name in what for name in CLAIMS)


def test_a_rule_that_names_a_claim_twice_is_told():
    assert refused("repository=o/n repository=o/m").what == "has a rule that names a claim twice"


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - IDENTIFYING))
def test_a_rule_that_would_hold_for_any_repository_is_refused(name):
    assert refused(f"{name}=x").what == "has a rule that holds for any repository on GitHub"
    assert refused(f"repository=o/n; {name}=x").what == "has a rule that holds for any repository on GitHub"


@pytest.mark.parametrize("name", sorted(IDENTIFYING))
def test_a_rule_that_names_the_repository_in_any_way_is_taken(name):
    assert claims_of(f"{name}=x") == [{name: "x"}]


@given(st.text(max_size=60) | st.text("repository=subf/o'\"; \n\\", max_size=40))
def test_whatever_the_text_every_rule_names_a_repository_or_it_is_refused(text):
    rules = ()
    with contextlib.suppress(Unusable):
        rules = parse_rules(text)
    for rule in rules:
        assert not IDENTIFYING.isdisjoint(dict(rule.claims))
        assert all(value for _, value in rule.claims)


@pytest.mark.parametrize(
    ("claims", "allowed"),
    [
        ({"repository": "org/library", "ref": "refs/heads/main", "actor": "me"}, True),
        ({"repository": "ORG/Library", "ref": "refs/heads/main"}, True),
        ({"repository": "org/library", "ref": "refs/heads/MAIN"}, False),
        ({"repository": "org/library"}, False),
        ({"repository": "org/other", "ref": "refs/heads/main"}, False),
        ({"repository": ["org/library"], "ref": "refs/heads/main"}, False),
        ({"repository": None, "ref": "refs/heads/main"}, False),
        ({}, False),
    ],
)
def test_all_claims_of_a_rule_must_hold(claims, allowed):
    assert TokenRule((REPOSITORY, ("ref", "refs/heads/main"))).allows(claims) is allowed


def test_a_number_is_no_text_however_alike_it_is_written():
    rule = TokenRule((("repository_id", "7"),))
    assert rule.allows({"repository_id": "7"})
    assert not rule.allows({"repository_id": 7})


@given(st.dictionaries(st.sampled_from(CLAIMS), st.none() | st.integers() | st.text(max_size=5)))
def test_a_rule_allows_its_own_claims_and_any_beside_them(more):
    assert TokenRule((REPOSITORY,)).allows(more | dict([REPOSITORY]))
