"""The parts of a pull request's body: figures, verdicts, and what gives way where it is too long."""

from __future__ import annotations

import pytest

from evalcore.compare.verdict import NotComparable
from evalcore.compare.versions import previous_version
from evalcore.publishing.pull_request import (
    LONGEST,
    MOST_VERDICTS,
    Results,
    _fitted,
    compare_with,
    percent,
    pull_request_body,
    verdict_cell,
    verdict_list,
)
from evalcore.runs.leaderboard import leaderboard_of
from evalsim.testing import COMMIT, make_record


def record(number, version, scores, model="good", **fields):
    """Make a run of one case, given the scores of its replies."""
    result = {
        "case": "one",
        "sha256": "c" * 64,
        "validated_against_version": None,
        "scores": scores,
        "reproducibility": None,
    }
    mean = sum(scores) / len(scores)
    values = {
        "component_version": version,
        "model": model,
        "case_results": [result],
        "replicates": len(scores),
    }
    return make_record(number, mean=mean, **values | fields)


def results(*records, earlier=(), **changes):
    values = {
        "job_id": "job-1",
        "slug": "memo",
        "version": "1.1.0",
        "prompt_commit": COMMIT,
        "replicates": 10,
        "records": records,
        "skipped_models": {},
        "skipped_cases": (),
        "earlier": leaderboard_of("memo", earlier),
    }
    return Results(**values | changes)


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
    assert percent(value, interval) == shown


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


@pytest.mark.parametrize(
    ("earlier", "version", "previous"),
    [
        ([], "1.1.0", None),
        (["1.1.0"], "1.1.0", None),
        (["1.2.0"], "1.1.0", None),
        (["0.9.0", "0.10.0"], "1.1.0", "0.10.0"),
        (["1.0.0", "1.1.0-rc.1"], "1.1.0", "1.1.0-rc.1"),
    ],
)
def test_the_previous_version_is_the_highest_below(earlier, version, previous):
    records = [record(at, one, [0.9]) for at, one in enumerate(earlier, 1)]
    assert previous_version(records, version) == previous


def test_a_partial_run_makes_no_previous_version():
    partial = record(1, "1.0.0", [0.9], status="partial")
    assert previous_version([partial], "1.1.0") is None


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


def test_parts_next_to_the_last_give_way_where_the_body_is_too_long():
    assert _fitted(["opening", "table", "note", "end"]) == "opening\n\ntable\n\nnote\n\nend\n"
    long = "x" * (LONGEST // 2)
    assert (
        _fitted(["opening", "table", long, "listing", long, "end"])
        == f"opening\n\ntable\n\n{long}\n\nlisting\n\nend\n"
    )


def test_opening_table_and_end_stay_whatever_their_length():
    long = "x" * LONGEST
    assert _fitted([long, long, "note", long]) == f"{long}\n\n{long}\n\n{long}\n"


def test_a_body_says_what_was_evaluated_and_that_only_the_leaderboard_changes():
    body = pull_request_body(results(WORSE, earlier=[OLD]))
    assert body.startswith(
        f"Evaluated `memo` version `1.1.0` at commit {COMMIT}: 1 cases, 10 replicates each"
    )
    assert "*before* is version `1.0.0`" in body
    assert "**regression** (-40.0)" in body
    assert body.endswith("Only the component's leaderboard.json changes. Job `job-1`.\n")


def test_without_an_earlier_version_that_is_said_and_no_verdict_is():
    body = pull_request_body(results(WORSE))
    assert "nothing earlier to compare with" in body
    assert "Compared with version" not in body
    assert "| Change |" not in body


def test_without_any_record_there_is_a_body_still():
    body = pull_request_body(results(skipped_models={"good": "it is not served"}))
    assert "- `good`: `it is not served`" in body


def test_the_same_results_make_the_same_body_whatever_their_order():
    other = record(3, "1.1.0", [0.7] * 10, model="other")
    assert pull_request_body(results(WORSE, other, earlier=[OLD])) == pull_request_body(
        results(other, WORSE, earlier=[OLD])
    )
