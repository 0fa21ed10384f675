"""The body of a pull request: what it says of results, and what gives way where it is too long."""

from __future__ import annotations

import msgspec

from evalcore.publishing.pull_request import (
    LONGEST,
    PullRequestOptions,
    Results,
    _fitted,
    pull_request_body,
)
from evalcore.runs.leaderboard import leaderboard_of
from evalcore.runs.record import Accuracy
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


def test_details_give_way_where_the_body_is_too_long_the_last_first():
    assert _fitted(["sentence", "opening", "table"], ["note"], "end") == (
        "sentence\n\nopening\n\ntable\n\n<details>\n<summary>Details</summary>\n\nnote\n\n</details>\n\nend\n"
    )
    long = "x" * (LONGEST // 2)
    fitted = _fitted(["sentence", "opening", "table", "links"], ["first", long, long], "end")
    assert "first" in fitted
    assert "links" in fitted
    assert fitted.count(long) == 1


def test_the_sentence_the_opening_and_the_table_stay_whatever_their_length():
    long = "x" * LONGEST
    assert _fitted([long, long, long, "links"], ["note"], "end") == f"{long}\n\n{long}\n\n{long}\n\nend\n"


def test_a_body_says_what_was_evaluated_and_that_only_the_leaderboard_changes():
    body = pull_request_body(results(WORSE, earlier=[OLD]))
    assert body.startswith(
        "**`good` alone is ranked, accuracy 50.0 %.** Since `1.0.0`: `good` got worse by 40.0 points.\n\n"
        f"Evaluated `memo` version `1.1.0` at commit {COMMIT}: 1 case, 10 replicates each"
    )
    assert "; compared with version `1.0.0`." in body
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


def test_what_moved_most_is_named_of_changes_that_are_no_accident_alone():
    fields = [{"by_field": {"due": each, "sum": 0.5}} for each in (0.9, 0.5, 0.4)]
    before, after, other = (
        make_scored_record(
            at,
            [share] * 10,
            component_version=version,
            model=model,
            accuracy=msgspec.convert({"mean": share, "ci95": None, "anls_star": share} | field, Accuracy),
        )
        for at, (share, version, model, field) in enumerate(
            [
                (0.9, "1.0.0", "good", fields[0]),
                (0.5, "1.1.0", "good", fields[1]),
                (0.9, "1.0.0", "even", fields[2]),
            ]
        )
    )
    same = msgspec.structs.replace(other, run_id="same", component_version="1.1.0")
    body = pull_request_body(results(after, same, earlier=[before, other]))
    assert "What changed most since `1.0.0`:\n\n- `due` of `good`: 90.0 % to 50.0 %\n\n" in body


def test_the_dashboard_is_linked_where_there_is_one():
    body = pull_request_body(results(WORSE, options=PullRequestOptions(dashboard_url="https://a.example/x/")))
    assert "\n\n[Dashboard](https://a.example/x/components/memo.html)\n\n" in body
    assert "Dashboard" not in pull_request_body(results(WORSE))


def test_an_address_with_a_bracket_does_not_end_the_link():
    options = PullRequestOptions(dashboard_url="https://a.example/x)[y](z")
    body = pull_request_body(results(WORSE, options=options))
    assert "[Dashboard](https://a.example/x%29[y]%28z/components/memo.html)" in body


def test_details_are_folded_behind_the_table():
    body = pull_request_body(results(WORSE, earlier=[OLD]))
    table, folded = body.split("<details>")
    assert "| 90.0 % |" in folded
    assert "Accuracy before" not in table
    assert "Compared with version `1.0.0`:" in folded


def test_models_asked_other_cases_are_ranked_over_those_in_common_too():
    """One case that is `local_only` is enough: a model of the cloud would stand beside nobody else."""
    cloud = make_scored_record(3, [0.5] * 10, component_version="1.1.0", model="cloud", cases_sha256="1" * 64)
    more = msgspec.structs.replace(cloud.case_results[0], case="two", sha256="d" * 64)
    local = msgspec.structs.replace(
        make_scored_record(4, [0.9] * 10, component_version="1.1.0", model="local", cases_sha256="2" * 64),
        cases=2,
    )
    local = msgspec.structs.replace(local, case_results=(*local.case_results, more))
    heading = "Over the 1 case that all sets of cases of this version have in common:\n\n"
    body = pull_request_body(results(cloud, earlier=[local]))
    assert f"{heading}- `local`: `1, accuracy 90.0 % (" in body
    assert "\n- `cloud`: `2, accuracy 50.0 % (" in body
    assert heading not in pull_request_body(results(cloud))
