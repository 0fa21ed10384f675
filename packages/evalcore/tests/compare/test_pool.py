"""Which runs are replicates of each other, and count together as one figure."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.compare.pool import (
    changed_conditions,
    changed_server,
    params_but_seed,
    pools,
    pools_by_one_policy,
    pools_of_models,
    pools_of_run,
    pools_of_version,
    spread_of_records,
    why_models_not_comparable,
    why_not_comparable,
)
from evalcore.compare.verdict import compare_models
from evalcore.runs.plan import Server
from evalcore.runs.record import Accuracy, CaseResult
from evalcore.stats.power import Spread
from evalsim.testing import make_record

OTHER = "d" * 64


def result(name="one", sha="c", scores=(0.9,), **fields):
    values = {
        "case": name,
        "sha256": sha * 64,
        "validated_against_version": None,
        "scores": scores,
        "reproducibility": None,
    }
    return msgspec.convert(values | fields, CaseResult)


def the_pool(*records):
    (found,) = pools(records)
    return found


def ids(pool):
    return [record.run_id for record in pool.records]


# What is one pool


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "beta"),
        ("provider", "openai"),
        ("component_version", "1.0.1"),
        ("prompt_sha256", OTHER),
        ("schema_sha256", OTHER),
        ("policy_sha256", OTHER),
        ("cases_sha256", OTHER),
        ("params", {"temperature": 0.5}),
        ("structured_output", "json_schema"),
        ("scoring_version", 2),
    ],
)
def test_runs_that_were_asked_or_scored_otherwise_are_two_pools(field, value):
    assert len(pools([make_record(1), make_record(2, **{field: value})])) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("job_id", "another"),
        ("origin", "local"),
        ("evaluator_version", "9.9.9"),
        ("replicates", 7),
        ("prompt_commit", "e" * 40),
        ("dataset_commit", "e" * 40),
        ("cost_usd", 3.0),
    ],
)
def test_what_does_not_change_an_answer_does_not_part_runs(field, value):
    assert len(pools([make_record(1), make_record(2, **{field: value})])) == 1


def test_another_seed_is_another_replicate():
    records = [make_record(at, params={"temperature": 0.1, "seed": at}) for at in (1, 2)]
    assert len(pools(records)) == 1
    assert params_but_seed(records[0]) == {"temperature": 0.1}


def test_params_in_another_order_are_the_same_params():
    first = make_record(1, params={"temperature": 0.1, "top_p": 1})
    second = make_record(2, params={"top_p": 1, "temperature": 0.1})
    assert len(pools([first, second])) == 1


def test_a_partial_run_counts_nowhere():
    assert pools([make_record(1, status="partial")]) == []
    assert ids(the_pool(make_record(1), make_record(2, status="partial"))) == [make_record(1).run_id]


def test_of_no_records_there_is_no_pool():
    assert pools([]) == []
    assert pools_of_version([], "1.0.0") == []


def test_a_pool_may_be_of_any_cases():
    records = [make_record(1), make_record(2, cases_sha256=OTHER)]
    assert len(pools(records)) == 2
    assert len(pools(records, of_any_cases=True)) == 1


@given(st.permutations(range(1, 7)))
def test_the_order_of_records_plays_no_part(order):
    def made(at):
        return make_record(at, model="ab"[at % 2], server={"version": [None, "1", "2"][at % 3]}, mean=at / 10)

    assert pools(map(made, order)) == pools(map(made, range(1, 7)))


def test_the_oldest_run_of_a_pool_stands_first():
    pool = the_pool(make_record(3), make_record(1), make_record(2))
    assert ids(pool) == [make_record(at).run_id for at in (1, 2, 3)]
    assert pool.newest == make_record(3)
    assert (pool.model, pool.version) == ("alpha", "1.0.0")


def test_pools_stand_by_model_then_by_their_last_run():
    records = [
        make_record(4, model="beta"),
        make_record(3, structured_output="json_object"),
        make_record(1),
        make_record(2),
    ]
    found = [(pool.model, pool.newest.structured_output) for pool in pools(records)]
    assert found == [("alpha", "none"), ("alpha", "json_object"), ("beta", "none")]


# Servers


def test_runs_of_two_server_versions_do_not_count_together():
    records = [make_record(1, server={"version": "1"}), make_record(2, server={"version": "2"})]
    assert len(pools(records)) == 2


def test_two_quantizations_do_not_count_together():
    records = [make_record(1, server={"quantization": "q4"}), make_record(2, server={"quantization": "q8"})]
    assert len(pools(records)) == 2


def test_a_server_that_does_not_say_counts_with_the_one_that_does():
    records = [make_record(1, server={"version": "1", "quantization": "q4"}), make_record(2)]
    assert len(pools(records)) == 1


def test_a_server_that_does_not_say_stands_apart_where_two_could_be_meant():
    records = [
        make_record(1, server={"version": "1"}),
        make_record(2, server={"version": "2"}),
        make_record(3),
    ]
    assert sorted(len(pool.records) for pool in pools(records)) == [1, 1, 1]


def test_a_chain_of_silences_ends_in_one_pool():
    servers = [{"version": "1", "quantization": "q4"}, {"version": "1"}, {}]
    records = [make_record(at, server=server) for at, server in enumerate(servers, 1)]
    assert len(pools(records)) == 1


def test_what_else_a_server_says_parts_nothing():
    records = [make_record(1, server={"context_length": 1}), make_record(2, server={"context_length": 2})]
    assert len(pools(records)) == 1


def test_a_pools_server_is_what_its_newest_run_says_of_each():
    pool = the_pool(
        make_record(1, server={"version": "1", "context_length": 4096}),
        make_record(2, server={"context_length": 8192}),
    )
    assert pool.server == Server(version="1", context_length=8192)


def test_a_server_that_changed_between_pools_is_named():
    before = the_pool(make_record(1, server={"version": "1", "backends": ["a"]}))
    after = the_pool(make_record(2, server={"version": "2", "backends": ["a"]}))
    assert changed_server(before, after) == ("version",)
    assert changed_server(before, before) == ()


# What a pool says


def test_scores_of_all_runs_are_pooled_by_case_without_the_calls_that_failed():
    pool = the_pool(
        make_record(1, case_results=[result(scores=(0.9, None, 0.1))], replicates=3),
        make_record(2, case_results=[result(scores=(0.5,))]),
    )
    assert pool.scores() == {("c" * 64, 0): [0.1, 0.5, 0.9]}


def test_a_case_without_any_reply_has_no_scores():
    pool = the_pool(make_record(1, case_results=[result(scores=(None, None)), result("two", "d")]))
    assert pool.scores().keys() == {("d" * 64, 0)}


def test_a_case_is_known_by_its_contents_not_by_its_name():
    pool = the_pool(
        make_record(1, case_results=[result("old name")]), make_record(2, case_results=[result("new name")])
    )
    assert pool.scores() == {("c" * 64, 0): [0.9, 0.9]}


def test_cases_of_equal_contents_are_told_apart_by_their_place_among_each_other():
    pool = the_pool(
        make_record(1, case_results=[result("b", scores=(0.2,)), result("a", scores=(0.1,))]),
        make_record(2, case_results=[result("a", scores=(0.3,)), result("b", scores=(0.4,))]),
    )
    assert pool.scores() == {("c" * 64, 0): [0.1, 0.3], ("c" * 64, 1): [0.2, 0.4]}


def test_records_of_before_exactness_say_nothing_of_it():
    pool = the_pool(
        make_record(1, case_results=[result()]),
        make_record(2, case_results=[result(scores=(0.9, 1.0, None), exact=(False, True, None))]),
    )
    assert pool.rightness() == {("c" * 64, 0): [False, True]}
    assert the_pool(make_record(1)).rightness() == {}


def test_accuracy_by_field_is_the_mean_over_runs_that_have_the_field():
    def accuracy(**by_field):
        return Accuracy(mean=0.5, ci95=None, anls_star=None, by_field=by_field)

    pool = the_pool(make_record(1, accuracy=accuracy(a=1.0, b=0.4)), make_record(2, accuracy=accuracy(a=0.0)))
    assert pool.by_field == {"a": 0.5, "b": 0.4}


# Which pools are chosen


def test_of_a_version_each_model_has_the_pool_that_was_run_last():
    records = [
        make_record(1, params={"temperature": 1}),
        make_record(2, params={"temperature": 0}),
        make_record(3, component_version="2.0.0"),
        make_record(4, model="beta"),
    ]
    chosen = pools_of_version(records, "1.0.0")
    assert [(pool.model, pool.newest.params) for pool in chosen] == [
        ("alpha", {"temperature": 0}),
        ("beta", {}),
    ]


def test_a_run_finds_its_pool_under_its_own_id_and_under_that_of_its_rescoring():
    first = make_record(1)
    again = make_record(2, rescored_from=first.run_id, scoring_version=2, finished_at=first.finished_at)
    by_first, by_again = (pools_of_run([first, again], one.run_id) for one in (first, again))
    assert by_first == by_again
    assert [ids(pool) for pool in by_first] == [[again.run_id]]


def test_a_run_that_is_partial_or_unknown_has_no_pool():
    assert pools_of_run([make_record(1)], "unknown") == []
    assert pools_of_run([make_record(1, status="partial")], make_record(1).run_id) == []
    assert pools_of_run([], "unknown") == []


def test_pools_of_two_versions_are_chosen_by_one_policy_where_both_have_one():
    before = pools([make_record(1), make_record(2, policy_sha256=OTHER)])
    after = pools([make_record(3, component_version="2.0.0")])
    old, new = pools_by_one_policy(before, after)
    assert [pool.newest.policy_sha256 for pool in (*old, *new)] == [None, None]


def test_where_no_policy_is_shared_the_last_pool_of_each_side_is_chosen():
    before = pools([make_record(1, policy_sha256="e" * 64), make_record(2, policy_sha256=OTHER)])
    after = pools([make_record(3, component_version="2.0.0")])
    old, new = pools_by_one_policy(before, after)
    assert (old, new) == ([before[-1]], [after[-1]])


def test_a_model_that_only_one_version_has_is_chosen_there():
    before, after = pools([make_record(1)]), pools([make_record(2, model="beta")])
    assert pools_by_one_policy(before, after) == (before, after)


def test_two_models_are_paired_by_the_pools_that_may_be_compared():
    records = [
        make_record(1),
        make_record(2, model="beta"),
        make_record(3, model="beta", scoring_version=2),
    ]
    one, other = pools_of_models(records, "alpha", "beta", "1.0.0")
    assert (one.newest.scoring_version, other.newest.scoring_version) == (1, 1)


def test_of_several_pairs_the_one_that_was_run_last_is_taken():
    records = [
        make_record(1),
        make_record(2, model="beta"),
        make_record(3, params={"temperature": 1}),
    ]
    one, _ = pools_of_models(records, "alpha", "beta", "1.0.0")
    assert one.newest.params == {"temperature": 1}


def test_two_models_are_paired_by_all_their_runs_whose_cases_alone_differ():
    """A case was mended, and only one model was run again since."""
    mended = {"cases": 2, "cases_sha256": OTHER, "case_results": (result(), result("two", "e"))}
    records = [make_record(1), make_record(2, model="beta"), make_record(3, **mended)]
    one, other = pools_of_models(records, "alpha", "beta", "1.0.0")
    assert ids(one) == [records[0].run_id, records[2].run_id]
    (compared,) = compare_models({"1.0.0": (one, other)})
    assert (compared.cases, compared.cases_left_out) == (1, 1)
    assert [len(side.run_ids) for side in (compared.before, compared.after)] == [2, 1]
    assert compared.fields == ()


def test_two_models_of_which_one_has_no_complete_run_are_no_pair():
    records = [make_record(1), make_record(2, model="beta", status="partial")]
    assert pools_of_models(records, "alpha", "beta", "1.0.0") is None
    assert pools_of_models(records, "alpha", "alpha", "3.0.0") is None


# What may be compared


def test_two_models_are_not_two_versions_and_the_command_for_them_is_named():
    why = why_not_comparable(the_pool(make_record(1)), the_pool(make_record(2, model="beta")))
    assert why == "two models: alpha and beta (`evalcli compare --models` compares two)"


def test_two_scoring_versions_are_not_compared():
    why = why_not_comparable(the_pool(make_record(1)), the_pool(make_record(2, scoring_version=2)))
    assert why == "scored by two versions of the rules (1 and 2): rescore the older one"


def test_two_policies_are_not_compared():
    why = why_not_comparable(the_pool(make_record(1)), the_pool(make_record(2, policy_sha256=OTHER)))
    assert why.startswith("scored by two policies (scoring.yaml differs): ")


def test_pools_without_a_common_case_are_not_compared():
    after = make_record(2, case_results=[result(sha="d")], cases_sha256=OTHER)
    why = why_not_comparable(the_pool(make_record(1)), the_pool(after))
    assert why == "no case has the same input and expected answer in both"


def test_a_common_case_that_no_reply_came_to_is_none():
    after = make_record(2, case_results=[result(scores=(None,)), result("two", "d")], cases_sha256=OTHER)
    assert why_not_comparable(the_pool(make_record(1)), the_pool(after)) is not None


def test_two_models_asked_with_two_texts_are_not_compared():
    one, other = the_pool(make_record(1)), the_pool(make_record(2, model="beta", prompt_sha256=OTHER))
    assert why_models_not_comparable(one, other).startswith("asked with two texts of the prompt")


def test_alike_pools_may_be_compared():
    one, other = the_pool(make_record(1)), the_pool(make_record(2, component_version="2.0.0"))
    assert why_not_comparable(one, other) is None
    assert why_models_not_comparable(one, the_pool(make_record(3, model="beta"))) is None


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("schema_sha256", OTHER, "schema"),
        ("params", {"temperature": 1}, "params"),
        ("structured_output", "json_object", "structured_output"),
        ("provider", "openai", "provider"),
    ],
)
def test_what_was_asked_differently_is_named(field, value, name):
    before, after = the_pool(make_record(1)), the_pool(make_record(2, **{field: value}))
    assert changed_conditions(before, after) == changed_conditions(after, before) == (name,)


def test_a_seed_is_no_changed_condition():
    before, after = the_pool(make_record(1)), the_pool(make_record(2, params={"seed": 4}))
    assert changed_conditions(before, after) == ()


def test_the_spread_of_records_leaves_out_calls_that_failed():
    record = make_record(1, case_results=[result(scores=(0.2, None, 0.4))])
    assert spread_of_records([record]).mean == pytest.approx(0.3)
    assert spread_of_records([record]).replies == 2
    assert spread_of_records([]) == Spread()
