"""How a result is put into a sentence: what is named, and what is only counted."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.publishing.verdicts import compare_with
from evalcore.reports.ranking import Ranking, rankings
from evalcore.reports.sentences import change_sentence, cost_of_replies, pool_labels, ranking_sentence
from evalcore.runs.plan import Server
from evalcore.runs.record import Calls, RunRecord
from evalsim.testing import make_scored_record

TEN = [0.5, 0.6, 0.7, 0.8, 0.9, 0.5, 0.6, 0.7, 0.8, 0.9]


def run(number: int, model: str, by: float = 0.0, **fields) -> RunRecord:
    """Ten replies to one case, each worse by `by` than those of a run without."""
    values = {"calls": Calls(total=10, ok=10, api_error=0, parse_error=0, truncated=0)} | fields
    return make_scored_record(number, [score - by for score in TEN], model=model, **values)


def ranked(*records: RunRecord) -> Ranking:
    (ranking,) = rankings(records)
    return ranking


def test_two_that_the_replies_do_not_tell_apart_are_level_and_the_worse_one_is_behind() -> None:
    ranking = ranked(run(1, "alpha"), run(2, "beta", 0.01), run(3, "gamma", 0.45))
    assert ranking_sentence(ranking) == (
        "alpha and beta are level on the one case, accuracy 69.0 to 70.0 %; gamma is behind."
    )


def test_one_that_is_better_than_all_others_is_ahead() -> None:
    ranking = ranked(run(1, "alpha"), run(2, "beta", 0.44), run(3, "gamma", 0.45))
    assert ranking_sentence(ranking) == "alpha is ahead, accuracy 70.0 %; beta and gamma are behind."
    # Below a table that has 0.700, so that one figure is written in one way.
    said = ranking_sentence(ranking, shares="fraction")
    assert said == "alpha is ahead, accuracy 0.700; beta and gamma are behind."


def test_a_model_without_others_is_ranked_alone() -> None:
    assert ranking_sentence(ranked(run(1, "alpha"))) == "alpha alone is ranked, accuracy 70.0 %."


def test_where_no_run_is_complete_that_is_said() -> None:
    ranking = ranked(run(1, "alpha", status="partial"))
    assert ranking_sentence(ranking) == "No run is complete, so that no model is ranked."


def test_a_partial_run_is_neither_level_nor_behind() -> None:
    assert "beta" not in ranking_sentence(ranked(run(1, "alpha"), run(2, "beta", status="partial")))


def test_of_many_models_the_number_is_told() -> None:
    level = [run(at, f"m{at}") for at in range(7)]
    behind = [run(at, f"m{at}", 0.49) for at in range(7, 12)]
    assert ranking_sentence(ranked(*level, *behind)) == (
        "m0, m1, m2 and 4 more are level on the one case, accuracy 70.0 %; the 5 others are behind."
    )


def test_one_more_than_a_few_is_named_too() -> None:
    level = ranked(*(run(at, f"m{at}") for at in range(4)))
    assert ranking_sentence(level).startswith("m0, m1, m2 and m3 are level")


def test_the_cheapest_of_those_that_are_level_is_named_with_its_price() -> None:
    ranking = ranked(
        run(1, "alpha", cost_usd=0.5), run(2, "beta", cost_usd=0.02), run(3, "gamma", 0.45, cost_usd=0.001)
    )
    assert "; the cheapest of the best, beta, costs 2.00 USD per 1,000 replies." in ranking_sentence(ranking)


def test_where_one_of_the_best_has_no_price_none_is_called_the_cheapest() -> None:
    assert "cheapest" not in ranking_sentence(ranked(run(1, "alpha", cost_usd=0.5), run(2, "beta")))


def test_where_nothing_is_paid_nothing_is_said_of_it() -> None:
    assert "cost" not in ranking_sentence(ranked(run(1, "alpha", cost_usd=0.0), run(2, "beta", cost_usd=0.0)))


def test_the_price_of_the_only_best_is_told() -> None:
    ranking = ranked(run(1, "alpha", cost_usd=0.00001), run(2, "beta", 0.45))
    assert ranking_sentence(ranking) == (
        "alpha is ahead, accuracy 70.0 %, at 0.001 USD per 1,000 replies; beta is behind."
    )


def test_a_price_is_of_the_replies_of_all_runs_that_count_together() -> None:
    (row,) = ranked(run(1, "alpha", cost_usd=0.5), run(2, "alpha", cost_usd=1.5)).rows
    assert cost_of_replies(row) == pytest.approx(100.0)


def test_names_are_written_as_the_place_needs_them() -> None:
    said = ranking_sentence(ranked(run(1, "<b>"), run(2, "c", 0.45)), lambda name: f"`{name}`")
    assert said.startswith("`<b>` is ahead")
    assert "`c` is behind" in said


def test_pools_of_one_model_are_told_apart_by_what_differs() -> None:
    ranking = ranked(
        run(1, "alpha", params={"temperature": 0, "top_p": 1}),
        run(2, "alpha", 0.45, params={"temperature": 1, "top_p": 1}),
        run(3, "beta", 0.47),
    )
    assert pool_labels(ranking) == ["alpha (temperature 0)", "alpha (temperature 1)", "beta"]
    assert ranking_sentence(ranking).startswith("alpha (temperature 0) is ahead")


def test_a_setting_that_only_one_pool_has_is_unset_in_the_other() -> None:
    ranking = ranked(run(1, "alpha", params={}), run(2, "alpha", 0.45, params={"seed": 1, "top_p": 0.5}))
    assert pool_labels(ranking) == ["alpha (top_p unset)", "alpha (top_p 0.5)"]


def test_of_one_that_is_level_with_few_replies_and_a_low_accuracy_it_is_said_that_they_are_too_few() -> None:
    few = make_scored_record(2, [0.0, 0.45], model="beta")
    ranking = ranked(run(1, "alpha"), few, run(3, "gamma", 0.45))
    assert [(row.model, row.rank and row.rank.best) for row in ranking.rows] == [
        ("alpha", 1), ("beta", 1), ("gamma", 2),
    ]  # fmt: skip
    assert ranking_sentence(ranking).endswith("gamma is behind; of beta there are too few replies to tell.")


def test_a_server_that_was_replaced_is_said_to_be_so_and_never_called_the_cheapest() -> None:
    def served(number: int, version: str, by: float) -> RunRecord:
        server = Server(version=version)
        return run(
            number, "beta", by, server=server, cost_usd=0.01, finished_at=f"2026-0{number}-01T00:00:00Z"
        )

    ranking = ranked(run(1, "alpha", cost_usd=0.5), served(2, "0.11", 0.0), served(3, "0.12", 0.45))
    assert ranking_sentence(ranking) == (
        "alpha and beta (server 0.11) are level on the one case, accuracy 70.0 %; "
        "beta (server 0.12) is behind; beta (server 0.11) is not what was served last."
    )
    # Of params that were both asked for, neither replaces the other.
    asked = ranked(
        run(1, "beta", params={"temperature": 0}),
        run(2, "beta", 0.45, params={"temperature": 1}, finished_at="2026-09-01T00:00:00Z"),
    )
    assert "served last" not in ranking_sentence(asked)


@given(offsets=st.lists(st.sampled_from([0.0, 0.01, 0.2, 0.49]), min_size=1, max_size=3))
def test_every_ranked_model_of_a_few_is_named_once(offsets: list[float]) -> None:
    ranking = ranked(*(run(at, f"model-{at}", by) for at, by in enumerate(offsets)))
    said = ranking_sentence(ranking)
    assert all(said.count(f"model-{at}") == 1 for at in range(len(offsets)))


def changes(*pairs: tuple[str, float, float]) -> str:
    """The sentence of models with an accuracy before and after."""
    old = [
        make_scored_record(at, [before] * 10, component_version="1.0.0", model=model)
        for at, (model, before, _) in enumerate(pairs)
    ]
    new = [
        make_scored_record(50 + at, [after] * 10, component_version="1.1.0", model=model)
        for at, (model, _, after) in enumerate(pairs)
    ]
    return change_sentence(compare_with("1.0.0", "1.1.0", old, new), "1.0.0")


def test_what_got_worse_stands_before_what_got_better_and_what_did_not_change() -> None:
    assert changes(("alpha", 0.5, 0.9), ("beta", 0.9, 0.5), ("gamma", 0.7, 0.7)) == (
        "Since 1.0.0: beta got worse by 40.0 points; alpha got better by 40.0 points; "
        "no evidence of a change for gamma."
    )


def test_several_changes_are_each_told_the_largest_first() -> None:
    assert changes(("alpha", 0.9, 0.6), ("beta", 0.9, 0.5)) == (
        "Since 1.0.0: beta and alpha got worse by 40.0 and 30.0 points."
    )


def test_many_changes_are_counted() -> None:
    assert changes(*((f"m{at}", 0.9, 0.5 - at / 100) for at in range(5))) == (
        "Since 1.0.0: 5 models got worse by up to 44.0 points."
    )


def test_what_cannot_be_compared_is_said() -> None:
    old = make_scored_record(1, [0.9] * 10, component_version="1.0.0", model="alpha")
    new = msgspec.structs.replace(old, run_id="x", component_version="1.1.0", scoring_version=99)
    assert change_sentence(compare_with("1.0.0", "1.1.0", [old], [new]), "1.0.0") == (
        "Since 1.0.0: alpha cannot be compared."
    )


def test_without_anything_compared_there_is_no_sentence() -> None:
    assert change_sentence({}, "1.0.0") == ""
