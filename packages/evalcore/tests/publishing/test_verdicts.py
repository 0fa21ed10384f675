"""Verdicts against the version before: which models are compared, and how each is said."""

from __future__ import annotations

import pytest

from evalcore.compare.verdict import NotComparable
from evalcore.publishing.verdicts import MOST_VERDICTS, compare_with, share, verdict_cell, verdict_list
from evalsim.testing import make_scored_record


def record(number, version, scores, model="good", **fields):
    return make_scored_record(number, scores, component_version=version, model=model, **fields)


OLD = record(1, "1.0.0", [0.9] * 10)
WORSE = record(2, "1.1.0", [0.5] * 10)
BETTER = record(2, "1.1.0", [1.0] * 10)
SAME = record(2, "1.1.0", [0.9] * 10)


@pytest.mark.parametrize(
    ("value", "interval", "shown"),
    [
        (None, None, "-"),
        (None, (0.1, 0.2), "-"),
        (0.0, None, "0.0 %"),
        (1.0, None, "100.0 %"),
        (0.1234, (0.1, 0.2), "12.3 % (10.0 to 20.0)"),
    ],
)
def test_a_share_is_shown_in_per_cent_with_its_interval(value, interval, shown):
    assert share(value, interval) == shown


def verdicts(new, *earlier):
    return compare_with("1.0.0", "1.1.0", list(earlier), [new])


@pytest.mark.parametrize(
    ("new", "cell"),
    [
        (WORSE, "**regression** (-40.0)"),
        (BETTER, "**improvement** (+10.0)"),
        (SAME, "no evidence (+0.0)"),
        (record(2, "1.1.0", [0.9] * 10, scoring_version=2), "not comparable"),
    ],
)
def test_a_verdict_has_its_cell(new, cell):
    assert verdict_cell(verdicts(new, OLD)["good"]) == cell


def test_without_a_verdict_there_is_a_dash():
    assert verdict_cell(None) == "-"


def test_only_models_that_both_versions_have_are_compared():
    other = record(3, "1.1.0", [0.5] * 10, model="new")
    assert verdicts(other, OLD) == {}
    partial = record(3, "1.1.0", [0.5] * 10, status="partial")
    assert verdicts(partial, OLD) == {}
    assert verdicts(WORSE) == {}


def test_earlier_runs_of_the_same_version_count_with_the_new_one():
    kept = record(3, "1.1.0", [1.0] * 10)
    outcome = verdicts(WORSE, OLD, kept)["good"]
    assert (outcome.after.mean, outcome.after.replies) == (0.75, 20)


def test_a_version_between_is_not_the_one_that_is_compared_with():
    between = record(3, "1.0.5", [0.1] * 10)
    assert verdicts(WORSE, OLD, between)["good"].before.mean == pytest.approx(0.9)


def test_regressions_are_listed_first_then_by_model():
    outcomes = {}
    for model, scores in (("b", [0.5]), ("a", [0.5]), ("z", [1.0]), ("m", [0.9])):
        old, new = record(1, "1.0.0", [0.9] * 10, model), record(2, "1.1.0", scores * 10, model)
        outcomes |= compare_with("1.0.0", "1.1.0", [old], [new])
    outcomes["k"] = NotComparable(model="k", reason="scored by two policies")
    lines = verdict_list(outcomes, "1.0.0").splitlines()
    assert lines[:2] == ["Compared with version `1.0.0`:", ""]
    assert [line.split("`")[1] for line in lines[2:]] == ["a", "b", "z", "m", "k"]
    assert lines[2].startswith("- `a`: regression, 90.0 % (")
    assert lines[-1] == "- `k`: not comparable, `scored by two policies`"


def test_of_no_verdicts_nothing_is_listed():
    assert verdict_list({}, "1.0.0") == ""


def test_many_verdicts_are_counted():
    many = {str(at): NotComparable(model=str(at), reason="x") for at in range(MOST_VERDICTS + 3)}
    lines = verdict_list(many, "1.0.0").splitlines()
    assert len(lines) == 2 + MOST_VERDICTS + 1
    assert lines[-1] == "- and 3 more"
