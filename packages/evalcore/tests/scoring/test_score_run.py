"""A plan and its replies make the record: the counts, the times, the money, and whether it is partial."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalcore.clients.reply import CallError, Usage
from evalcore.errors import StorageError
from evalcore.library.models import Model, Price
from evalcore.runs.record import record_object
from evalcore.scoring.score_run import score_run
from evalcore.version import SCORING_VERSION
from evalsim.testing import SHA, make_case, make_component, make_reply, make_run_plan

EXPECTED = {"kind": "memo", "pages": 3}
RIGHT = json.dumps(EXPECTED)
BROKEN = CallError("infrastructure", "timeout", "no byte within 120 s")
REFUSED = CallError("infrastructure", "unauthorized", "the key is not accepted")
MODELS_OWN = CallError("model", "context_exceeded", "the input is too long")


def scored(*replies, cases=("one",), **fields):
    """Score a run of as many replicates as there are replies; each case has the same ones."""
    plan = make_run_plan(
        cases=[make_case(name, EXPECTED) for name in cases], replicates=len(replies), **fields
    )
    return score_run(
        plan, lambda case: [make_reply(case.name, at, **given_of(one)) for at, one in enumerate(replies)]
    )


def given_of(reply):
    if isinstance(reply, CallError):
        return {"text": None, "finish_reason": None, "usage": None, "error": reply}
    return reply if isinstance(reply, dict) else {"text": reply}


def test_every_call_is_counted_once():
    record = scored(RIGHT, "no JSON", BROKEN, MODELS_OWN, cases=("one", "two"))
    calls = record.calls
    assert (calls.total, calls.ok, calls.parse_error, calls.api_error) == (8, 2, 4, 2)
    assert calls.total == calls.ok + calls.parse_error + calls.api_error


def test_a_call_that_infrastructure_failed_is_left_out_of_accuracy():
    record = scored(RIGHT, BROKEN)
    assert record.accuracy.mean == 1
    assert record.case_results[0].scores == (1, None)


def test_a_call_that_the_model_failed_counts_nought_whatever_text_had_come():
    half = {"text": RIGHT, "error": MODELS_OWN}
    record = scored(RIGHT, half)
    assert record.case_results[0].scores == (1, 0)


def test_a_case_weighs_the_same_however_many_replies_it_has():
    plan = make_run_plan(cases=[make_case("one", EXPECTED), make_case("two", EXPECTED)], replicates=10)
    wrong = json.dumps({"kind": "letter", "pages": 9})

    def replies_of(case):
        if case.name == "one":
            return [make_reply("one", at, RIGHT) for at in range(10)]
        return [
            make_reply("two", at, wrong) if at < 9 else make_reply("two", at, **given_of(BROKEN))
            for at in range(10)
        ]

    assert score_run(plan, replies_of).accuracy.mean == 0.5


@pytest.mark.parametrize(
    ("failed", "status"),
    [(0, "complete"), (1, "complete"), (2, "partial"), (10, "partial")],
)
def test_a_run_is_partial_over_a_tenth_of_calls_without_reply(failed, status):
    record = scored(*[BROKEN] * failed, *[RIGHT] * (10 - failed))
    assert record.status == status


def test_a_run_is_partial_over_a_fifth_in_any_one_case():
    plan = make_run_plan(cases=[make_case(str(at), EXPECTED) for at in range(10)], replicates=5)

    def replies_of(failed):
        return lambda case: [
            make_reply(case.name, at, **given_of(BROKEN if case.name == "0" and at < failed else RIGHT))
            for at in range(5)
        ]

    assert score_run(plan, replies_of(1)).status == "complete"
    assert score_run(plan, replies_of(2)).status == "partial"


def test_a_key_that_is_refused_makes_a_run_partial_at_the_first_call():
    record = scored(*[RIGHT] * 19, REFUSED)
    assert record.status == "partial"
    assert record.reason == ("1 of 20 calls were never answered: unauthorized, the key is not accepted")


def test_the_reason_names_the_commonest_failure():
    other = CallError("infrastructure", "refused", "503")
    record = scored(BROKEN, other, other, RIGHT)
    assert record.reason == "3 of 4 calls were never answered: refused, 503"


def test_of_failures_that_are_equally_common_the_first_by_name_is_told():
    other = CallError("infrastructure", "refused", "503")
    assert scored(BROKEN, other).reason == scored(other, BROKEN).reason
    assert scored(BROKEN, other).reason.endswith("refused, 503")


def test_of_one_code_the_commonest_words_are_told():
    words = [CallError("infrastructure", "timeout", text) for text in ("b", "a", "b")]
    assert scored(*words).reason == "3 of 3 calls were never answered: timeout, b"


def test_a_complete_run_has_no_reason():
    assert scored(RIGHT).reason is None


def test_a_run_without_any_reply_has_no_figures():
    record = scored(BROKEN, BROKEN)
    assert record.status == "partial"
    assert record.accuracy.mean is record.accuracy.ci95 is record.reproducibility.mean is None
    assert record.latency_ms.p50 is record.latency_ms.p95 is record.schema_valid_rate is None


def test_truncated_counts_what_was_cut_among_the_answered():
    cut = {"finish_reason": "length"}
    record = scored({"text": RIGHT, **cut}, {"text": "{", **cut}, RIGHT)
    assert (record.calls.truncated, record.calls.ok, record.calls.parse_error) == (2, 2, 1)


def test_a_reply_that_spent_its_tokens_on_thinking_is_counted_as_such():
    record = scored({"text": "", "usage": {"prompt": 1, "completion": 500}}, RIGHT)
    assert record.calls.empty_after_thinking == 1
    assert record.calls.parse_error == 1
    nothing = {"text": None, "usage": {"prompt": 1, "completion": 0}}
    assert scored(nothing, RIGHT).calls.empty_after_thinking == 0


def test_tokens_are_summed_over_the_replies_that_came():
    record = scored(RIGHT, RIGHT, BROKEN, cases=("one", "two"))
    assert (record.tokens.prompt, record.tokens.completion) == (4, 8)


def test_one_reply_without_counts_makes_the_sum_and_the_cost_unknown():
    model = Model(id="alpha", provider="mindrouter", price=Price(input=1.0, output=2.0))
    known = scored(RIGHT, RIGHT, model=model)
    assert known.cost_usd == pytest.approx((2 * 1 + 4 * 2) / 1e6)
    unknown = scored(RIGHT, {"text": RIGHT, "usage": None}, model=model)
    assert unknown.tokens.prompt is unknown.tokens.completion is unknown.cost_usd is None


def test_a_model_without_a_price_costs_nobody_knows_what():
    assert scored(RIGHT).cost_usd is None


def test_latencies_are_those_of_answered_calls_linear_between_ranks():
    times = [100.0, 200.0, 300.0, 400.0]
    replies = [{"text": RIGHT, "latency_ms": time} for time in times]
    record = scored(*replies, BROKEN)
    assert record.latency_ms.p50 == 250
    assert record.latency_ms.p95 == pytest.approx(385)


def test_a_run_lasts_from_its_first_call_to_its_last_answer_failed_ones_too():
    early = {**given_of(BROKEN), "started_at": "2026-01-05T08:00:00.000Z"}
    late = {"text": RIGHT, "finished_at": "2026-01-05T11:00:00.000Z"}
    record = scored(RIGHT, early, late)
    assert (record.started_at, record.finished_at) == ("2026-01-05T08:00:00.000Z", "2026-01-05T11:00:00.000Z")


def test_the_share_of_valid_replies_is_of_all_that_were_answered():
    component = make_component(schema={"properties": {"pages": {"maximum": 3}}}, schema_sha256=SHA)
    invalid = json.dumps({"kind": "memo", "pages": 4})
    record = scored(RIGHT, invalid, "no JSON", BROKEN, component=component)
    assert record.schema_valid_rate == pytest.approx(1 / 3)
    assert scored(RIGHT).schema_valid_rate is None


def test_calls_sent_without_streaming_are_counted():
    assert scored({"text": RIGHT, "unstreamed": True}, RIGHT).unstreamed == 1


def test_the_record_is_of_the_rules_that_were_applied():
    assert scored(RIGHT, scoring_version=1).scoring_version == SCORING_VERSION


def test_the_record_repeats_what_the_plan_says():
    server = {"version": "0.6", "backends": ["gpu1"]}
    record = scored(RIGHT, server=server, origin="vm", prompt_commit="a" * 40, dataset_commit="b" * 40)
    assert (record.server.version, record.server.backends) == ("0.6", ("gpu1",))
    assert (record.origin, record.prompt_commit, record.dataset_commit) == ("vm", "a" * 40, "b" * 40)


@pytest.mark.parametrize("present", [[], [0], [1, 0], [0, 0], [0, 2], [0, 1, 2]])
def test_a_run_whose_replies_are_not_all_there_is_not_scored(present):
    plan = make_run_plan(cases=[make_case("one", EXPECTED)], replicates=2)
    with pytest.raises(StorageError) as caught:
        score_run(plan, lambda case: [make_reply(case.name, at, RIGHT) for at in present])
    assert caught.value.what == f"case one has {len(present)} of 2 replies"
    assert caught.value.where == f"run {plan.run_id}"
    run_id = make_run_plan().run_id
    assert caught.value.hint == f"resume the run first: `evalcli evaluate memo --resume {run_id}`"


def test_a_trend_over_time_is_told():
    wrong = json.dumps({"kind": "letter", "pages": 9})

    def at_minute(text, minute):
        return {"text": text, "started_at": f"2026-01-05T09:{minute:02}:00.000Z"}

    falling = [at_minute(RIGHT if at < 15 else wrong, at) for at in range(30)]
    mixed = [at_minute(RIGHT if at % 2 else wrong, at) for at in range(30)]
    assert scored(*falling).drifting
    assert not scored(*mixed).drifting


OUTCOMES = st.sampled_from([RIGHT, "no JSON", json.dumps({"kind": "memo"}), BROKEN, MODELS_OWN])


@given(st.lists(OUTCOMES, min_size=1, max_size=6))
@settings(max_examples=40)
def test_a_record_can_be_made_again_byte_for_byte(replies):
    assert record_object(scored(*replies)) == record_object(scored(*replies))


@given(st.lists(OUTCOMES, min_size=1, max_size=6))
@settings(max_examples=40)
def test_counts_and_figures_are_consistent_whatever_the_replies(replies):
    record = scored(*replies)
    scores = record.case_results[0].scores
    assert len(scores) == len(replies) == record.calls.total
    assert sum(score is None for score in scores) == record.calls.api_error
    came = [score for score in scores if score is not None]
    assert record.accuracy.mean == (pytest.approx(sum(came) / len(came)) if came else None)
    if came:
        low, high = record.accuracy.ci95
        assert 0 <= low <= record.accuracy.mean <= high <= 1


def test_usage_is_what_the_provider_counted():
    record = scored({"text": RIGHT, "usage": Usage(prompt=7, completion=11)})
    assert (record.tokens.prompt, record.tokens.completion) == (7, 11)
