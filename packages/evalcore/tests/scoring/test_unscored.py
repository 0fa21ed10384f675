"""A reply that would take more work to score than one is worth has no figure, and the run is partial."""

from __future__ import annotations

from evalcore.evaluation.outcome import outcome_of
from evalcore.runs.record import record_object
from evalcore.scoring.score_run import score_run
from evalsim.testing import SHA, make_case, make_component, make_reply, make_run_plan

TWICE = {"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}


def nested(depth: int) -> str:
    return "[" * depth + "1" + "]" * depth


def scored(*texts: str, **fields: object):
    plan = make_run_plan(
        component=make_component(schema=TWICE, schema_sha256=SHA, output="json_array"),
        cases=[make_case("one", nested(3))],
        replicates=len(texts),
    )
    replies = [make_reply("one", at, text, **fields) for at, text in enumerate(texts)]
    return score_run(plan, lambda case: replies)  # noqa: ARG005


def test_it_has_no_score_and_counts_as_a_call_without_reply(tmp_path) -> None:
    record = scored(nested(3), nested(60), nested(3), finish_reason="length")
    assert record.case_results[0].scores == (1.0, None, 1.0)
    calls = record.calls
    assert (calls.total, calls.ok, calls.api_error, calls.unscored, calls.truncated) == (3, 2, 1, 1, 2)
    assert (record.accuracy.mean, record.schema_valid_rate) == (1.0, 1.0)
    assert record.reproducibility.mean == 1.0
    assert record.status == "partial"
    reason = "1 of 3 replies would take more work to score than one is worth"
    assert outcome_of(record, tmp_path).reason == record.reason == reason


def test_one_of_many_makes_the_run_partial_and_the_same_again() -> None:
    texts = [nested(3)] * 40 + [nested(60)]
    record = scored(*texts)
    assert record.status == "partial"
    assert record_object(record) == record_object(scored(*texts))


def test_a_run_without_such_a_reply_counts_none() -> None:
    record = scored(nested(3), nested(3))
    assert (record.status, record.calls.unscored) == ("complete", 0)
