"""A model over versions and time: which runs count together, what changed, what the comparison says."""

from __future__ import annotations

from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.runs.leaderboard import leaderboard_of
from evalsim.testing import make_record, make_scored_record

MEMO = ComponentFacts(slug="memo", name="Memo", version="1.1.0", prompt_sha256="a" * 64)
GOOD, BAD = [0.9, 0.91, 0.92, 0.93, 0.94], [0.5, 0.51, 0.52, 0.53, 0.54]


def view_of(*records, cache=None):
    library = LibraryFacts(name="library")
    return component_digest(
        MEMO, leaderboard_of("memo", records), library, {} if cache is None else cache
    ).view


def test_a_version_that_got_worse_is_a_regression_at_its_point():
    view = view_of(make_scored_record(1, GOOD), make_scored_record(2, BAD, component_version="1.1.0"))
    (history,) = view.history
    before, after = history.points
    assert before.verdict is None
    assert after.verdict.verdict == "regression"
    assert after.verdict.is_significant
    assert (after.verdict.against_version, after.verdict.against_run_ids) == (
        "1.0.0",
        (before.runs[0].run_id,),
    )
    (change,) = view.changes
    assert change.sentence.startswith("Since 1.0.0: alpha got worse by 40.0 points")


def test_versions_come_in_the_order_of_semver_whenever_they_were_run():
    view = view_of(
        make_record(1, component_version="1.10.0"),
        make_record(2, component_version="1.9.0"),
        make_record(3, component_version="odd"),
    )
    assert [point.component_version for point in view.history[0].points] == ["odd", "1.9.0", "1.10.0"]
    assert [one.component_version for one in view.versions] == ["1.10.0", "1.9.0", "1.1.0", "odd"]


def test_runs_that_count_together_are_one_point_with_all_their_runs():
    view = view_of(make_scored_record(1, GOOD), make_scored_record(2, BAD))
    (point,) = view.history[0].points
    assert [run.accuracy for run in point.runs] == [0.92, 0.52]
    assert point.accuracy == 0.72
    assert point.ci95[0] < 0.72 < point.ci95[1]


def test_another_server_is_marked_and_compared_with_the_runs_before():
    view = view_of(
        make_scored_record(1, GOOD, server={"version": "1", "quantization": "bf16"}),
        make_scored_record(2, BAD, server={"version": "1", "quantization": "fp8"}),
    )
    before, after = view.history[0].points
    assert (before.server_changed, after.server_changed) == ((), ("quantization",))
    assert after.since_server_changed.verdict == "regression"
    assert after.since_server_changed.against_run_ids == (before.runs[0].run_id,)
    assert after.verdict is None


def test_a_server_that_is_silent_has_not_changed():
    view = view_of(
        make_scored_record(1, GOOD, server={"version": "1"}),
        make_scored_record(2, GOOD, component_version="1.1.0"),
    )
    assert view.history[0].points[1].server_changed == ()


def test_other_cases_policy_and_scoring_are_named():
    view = view_of(
        make_record(1, scoring_version=2),
        make_record(2, component_version="1.1.0", cases_sha256="d" * 64, policy_sha256="e" * 64),
    )
    after = view.history[0].points[1]
    assert set(after.also_changed) == {"cases", "policy", "scoring"}
    assert after.verdict.verdict is None
    assert "scored by two versions of the rules" in after.verdict.reason


def test_a_partial_run_is_a_point_of_its_own_without_a_verdict():
    view = view_of(
        make_scored_record(1, GOOD),
        make_scored_record(2, BAD, component_version="1.1.0", status="partial", reason="cut"),
    )
    partial = view.history[0].points[1]
    assert (partial.status, partial.verdict) == ("partial", None)


def test_a_run_that_was_scored_again_is_shown_as_it_was_scored_last():
    first = make_record(1)
    again = make_record(2, scoring_version=3, rescored_from=first.run_id, mean=0.4)
    view = view_of(first, again)
    (point,) = view.history[0].points
    assert [(run.run_id, run.is_rescored) for run in point.runs] == [(again.run_id, True)]
    assert view.runs == 1


def test_a_run_that_was_scored_by_another_policy_replaces_its_first_scoring():
    first = make_record(1)
    again = make_record(2, policy_sha256="e" * 64, rescored_from=first.run_id)
    (point,) = view_of(first, again).history[0].points
    assert [run.run_id for run in point.runs] == [again.run_id]


def test_what_was_compared_before_is_not_compared_again():
    records = make_scored_record(1, GOOD), make_scored_record(2, BAD, component_version="1.1.0")
    cache: dict = {}
    first = view_of(*records, cache=cache)
    known = dict(cache)
    assert view_of(*records, cache=cache) == first
    assert cache == known
    # A cache that is damaged is done without.
    damaged = {key: {"verdicts": 1} for key in known}
    assert view_of(*records, cache=damaged) == first


def test_a_drifting_run_marks_its_point():
    (point,) = view_of(make_record(1, drifting=True)).history[0].points
    assert point.drifting
    assert point.runs[0].drifting
