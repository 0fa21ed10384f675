"""The body of a pull request: what it says of results, and what gives way where it is too long."""

from __future__ import annotations

from evalcore.publishing.pull_request import LONGEST, Results, _fitted, pull_request_body
from evalcore.runs.leaderboard import leaderboard_of
from evalsim.testing import COMMIT, make_scored_record


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


OLD = make_scored_record(1, [0.9] * 10, component_version="1.0.0", model="good")
WORSE = make_scored_record(2, [0.5] * 10, component_version="1.1.0", model="good")


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
    other = make_scored_record(3, [0.7] * 10, component_version="1.1.0", model="other")
    assert pull_request_body(results(WORSE, other, earlier=[OLD])) == pull_request_body(
        results(other, WORSE, earlier=[OLD])
    )
