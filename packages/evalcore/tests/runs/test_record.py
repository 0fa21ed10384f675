"""A run record: what it may hold, in which order it is written, and what is said of it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.record import NEARLY, RunRecord, record_object
from evalsim.testing import make_record

CASE = {
    "case": "one",
    "sha256": "c" * 64,
    "validated_against_version": None,
    "scores": [0.9],
    "reproducibility": None,
}


def test_fields_are_written_in_the_order_of_the_contract():
    assert list(record_object(make_record()))[:12] == [
        "run_id",
        "job_id",
        "origin",
        "component_version",
        "prompt_commit",
        "prompt_sha256",
        "dataset_commit",
        "schema_sha256",
        "policy_sha256",
        "cases_sha256",
        "model",
        "provider",
    ]
    assert list(record_object(make_record())) == list(RunRecord.__struct_fields__)


def test_a_record_reads_back_equal():
    record = make_record(server={"version": "1", "backends": ["a"]}, params={"temperature": 0.1})
    again = msgspec.json.decode(encode_canonical(record_object(record)), type=RunRecord)
    assert again == record
    assert record_object(again) == record_object(record)


@given(st.floats(0, 1))
def test_a_written_record_is_within_its_bounds_and_reads_back(mean):
    written = encode_canonical(record_object(make_record(mean=mean)))
    again = msgspec.json.decode(written, type=RunRecord)
    assert again.accuracy.mean == pytest.approx(mean, abs=1e-9, rel=1e-8)
    assert encode_canonical(record_object(again)) == written


def test_a_record_of_before_the_later_fields_is_read():
    value = record_object(make_record())
    for name in ("reason", "unstreamed", "drifting", "replies_sha256", "plan_sha256", "rescored_from"):
        del value[name]
    for name in ("precision", "recall", "prose", "exact_rate", "all_right_rate", "precision_by_field"):
        value["accuracy"].pop(name)
    record = msgspec.convert(value, RunRecord)
    assert record.reason is record.drifting is record.rescored_from is None
    assert record.accuracy.precision_by_field == {}


def test_a_field_of_a_later_evaluator_is_passed_over():
    value = record_object(make_record()) | {"from_the_future": 1}
    assert msgspec.convert(value, RunRecord) == make_record()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origin", "elsewhere"),
        ("prompt_sha256", "A" * 64),
        ("prompt_sha256", "a" * 63),
        ("prompt_commit", "a" * 39),
        ("schema_sha256", ""),
        ("replicates", 0),
        ("cases", 0),
        ("status", "skipped"),
        ("structured_output", "yaml"),
        ("started_at", "2026-01-05 09:00:00"),
        ("started_at", "2026-01-05T09:00:00+00:00"),
        ("schema_valid_rate", 1.1),
        ("schema_valid_rate", -0.1),
        ("calls", {"total": -1, "ok": 0, "api_error": 0, "parse_error": 0, "truncated": 0}),
        ("case_results", [CASE | {"scores": [1.5]}]),
        ("replicates", 10**17),
        ("cost_usd", -0.01),
        ("cost_usd", 1e308),
        ("latency_ms", {"p50": 1e308, "p95": 1e308}),
        ("latency_ms", {"p50": -1.0, "p95": 1.0}),
        ("tokens", {"prompt": 10**400, "completion": 1}),
        ("case_results", [CASE | {"sha256": "c"}]),
        ("case_results", [CASE | {"scores": ["0.5"]}]),
    ],
)
def test_a_record_that_could_not_exist_is_refused(field, value):
    written = json.dumps(record_object(make_record()) | {field: value})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(written, type=RunRecord)


def agreeing(mean, chance):
    reproducibility = {
        "mean": mean,
        "ci95": None,
        "identical_rate": None,
        "by_field": {},
        "by_chance": chance,
    }
    return make_record(reproducibility=reproducibility)


@pytest.mark.parametrize(
    ("mean", "chance", "hardly"),
    [
        (0.9, 0.9, True),
        (0.9, 0.9 - NEARLY / 2, True),
        (0.9, 0.9 - 2 * NEARLY, False),
        (0.5, 0.9, True),
        (None, 0.9, False),
        (0.9, None, False),
    ],
)
def test_a_model_hardly_reads_its_input_where_other_inputs_agree_nearly_as_much(mean, chance, hardly):
    assert agreeing(mean, chance).hardly_reads_its_input is hardly


def test_identical_replies_are_told_with_what_they_leave_open():
    reproducibility = {"mean": 1.0, "ci95": None, "identical_rate": 1.0, "by_field": {}, "may_differ": 0.2589}
    cases = [
        CASE | {"scores": [1.0] * 12, "may_differ": 0.22},
        CASE | {"case": "two", "scores": [1.0] * 10 + [None] * 2, "may_differ": 0.2589},
        CASE | {"case": "three", "scores": [1.0] + [None] * 11},
    ]
    record = make_record(reproducibility=reproducibility, case_results=cases, cases=3, replicates=12)
    assert record.identical_note == "10 identical replies: up to 26 % may still differ"


def test_where_any_two_replies_differ_nothing_is_said_of_identical_ones():
    assert make_record().identical_note is None


def test_of_a_model_without_an_answer_nothing_is_said_of_its_input():
    silent = agreeing(0.0, 0.0)
    calls = msgspec.structs.replace(silent.calls, ok=0, parse_error=silent.calls.total, api_error=0)
    assert silent.hardly_reads_its_input
    assert not msgspec.structs.replace(silent, calls=calls).hardly_reads_its_input
