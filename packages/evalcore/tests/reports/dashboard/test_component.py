"""One component's part: names and files of others, what is damaged, and models' states there."""

from __future__ import annotations

from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts, ModelFacts
from evalcore.runs.leaderboard import leaderboard_of
from evalcore.runs.record import record_object
from evalsim.testing import make_record, make_scored_record

MEMO = ComponentFacts(slug="memo", name="Memo", version="1.1.0", prompt_sha256="a" * 64)
LIBRARY = LibraryFacts(name="library", models=(ModelFacts("alpha", "mindrouter"),))


def digest_of(*records, **settings):
    return component_digest(MEMO, leaderboard_of("memo", records), LIBRARY, {}, **settings)


def test_of_a_damaged_leaderboard_there_is_the_reason_and_nothing_else():
    digest = component_digest(MEMO, None, LIBRARY, {}, leaderboard_problem="it is damaged")
    assert digest.view.leaderboard_problem == "it is damaged"
    assert (digest.view.gaps, digest.view.rankings, digest.models) == ((), (), {})


def test_halves_of_surrogate_pairs_are_replaced():
    record = record_object(make_record(1))
    hostile = record | {"model": "a\ud800b", "params": {"x\udc00": ["\ud83d\ude00"]}}
    view = digest_of(hostile).view
    assert view.history[0].model == "a\ufffdb"
    assert view.rankings[0].rows[0].params == {"x\ufffd": ["\U0001f600"]}


def test_records_of_others_are_counted_and_unknown_fields_passed_over():
    record = record_object(make_record(1))
    view = digest_of(record | {"theirs": 1}, {"run_id": "x", "what": "ever"}).view
    assert (view.runs, view.foreign_runs) == (1, 1)


def test_a_model_is_shown_at_its_newest_complete_version_with_the_rank_it_has_there():
    digest = digest_of(
        make_scored_record(1, [0.9] * 6),
        make_scored_record(2, [0.8] * 6, component_version="1.1.0", status="partial"),
        make_scored_record(3, [0.2] * 6, model="beta"),
    )
    alpha, beta = digest.models["alpha"].figures, digest.models["beta"].figures
    assert (alpha.validated_at, alpha.freshness, alpha.rank, alpha.of) == ("1.0.0", "outdated", (1, 1), 2)
    assert beta.rank == (2, 2)
    assert (alpha.accuracy, alpha.component_version) == (0.9, "1.1.0")


def test_a_model_of_an_older_version_has_its_figures_and_no_rank():
    digest = digest_of(
        make_record(1, model="old", mean=0.4),
        make_record(2, component_version="1.1.0"),
        make_record(3, component_version="1.1.0", model="beta"),
    )
    old = digest.models["old"].figures
    assert (old.accuracy, old.rank, old.ranking_id, old.validated_at) == (0.4, None, None, "1.0.0")


def test_a_model_that_never_ran_is_there_with_how_to_begin():
    digest = digest_of(make_record(1, model="beta"))
    alpha = digest.models["alpha"].figures
    assert (alpha.freshness, alpha.accuracy) == ("never", None)
    assert alpha.starts[0].command == "evalcli trigger memo --model alpha"


def test_replies_are_counted_once_however_often_they_were_scored():
    first = make_record(1)
    assert digest_of(first, make_record(2, scoring_version=3, rescored_from=first.run_id)).replies == 1
