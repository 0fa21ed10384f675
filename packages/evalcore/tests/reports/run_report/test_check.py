"""Whether a summary.json is one: its own, and those that were made by hand before."""

from __future__ import annotations

import copy
import json
import time

import pytest

from evalcore.reports.run_report.check import check_summary, summary_schema
from evalcore.reports.run_report.make import encode_summary

SPREAD = {"p50": 70, "p95": 90.5, "min": 20, "max": 99}
EARLIER = {
    "run_name": "2026-04-20-model",
    "generated_at": "2026-04-20T16:05:51Z",
    "config": {"model": "m", "n_replicates": 5, "pdf_count": 2, "ocr_provider": "some", "temperature": 0.1},
    "headline": {
        "n_documents": 2,
        "n_replicates_attempted": 10,
        "n_success": 9,
        "n_api_error": 0,
        "n_parse_error": 1,
        "ocr_latency_ms": {"p50": 0.0, "p95": 0.0, "min": 0, "max": 0},
        "chat_latency_ms": {"p50": 5.0, "p95": 7.5, "min": 4, "max": 8},
        "completion_tokens": SPREAD | {"n_over_80pct_of_cap": 2, "n_over_95pct_of_cap": 1, "cap": 100},
    },
    "validation": {
        "n_total": 9,
        "n_valid": 3,
        "valid_rate_pct": 33.3,
        "n_valid_ignoring_extra_top_keys": 6,
        "valid_rate_ignoring_extras_pct": 66.7,
        "top_errors": [["'x' is not of type 'integer'", 3], {"message": "m", "count": 2}],
        "name_drift": {"extra_top_keys": [["titel", 2]], "missing_top_keys": [["title", 9]]},
    },
    "consistency": {
        "field_rollup": [
            {
                "field": "a",
                "n_docs": 2,
                "pct_full_agreement": 50.0,
                "n_full": 1,
                "n_two_distinct": 1,
                "n_three_plus": 0,
            }
        ],
        "doc_rollup": [
            {"doc": "one", "n_fields_probed": 3, "n_fields_with_disagreement": 1, "pct_disagreement": 33.3}
        ],
        "array_rollup": [
            {
                "array": "items",
                "mean_cv": 0.1,
                "max_cv": 0.2,
                "pct_docs_stable": 50.0,
                "worst_docs": [{"doc": "one", "lens": [2, 3], "cv": 0.2}],
            }
        ],
    },
    "coverage": {
        "scalars": [
            {"field": "a", "pct_populated": 55.6, "n_non_null": 5, "n_total": 9, "schema_declared": True}
        ],
        "arrays": [{"field": "items", "pct_non_empty": 100.0, "n_non_empty": 9, "n_total": 9}],
    },
}


def checked(value):
    return check_summary(json.dumps(value).encode())


def changed(place, value):
    """Return the earlier summary with another value at a place such as `headline.n_success`."""
    copied = copy.deepcopy(EARLIER)
    *around, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    inner = copied
    for part in around:
        inner = inner[part]
    inner[last] = value
    return copied


def test_one_of_before_is_valid_and_may_have_unknown_fields_and_lack_known_ones():
    assert checked(EARLIER) == ("2026-04-20-model", (), ())
    assert not checked(EARLIER | {"more": {"of": [1]}, "notes": None}).problems
    for section in ("config", "validation", "consistency", "coverage"):
        assert not checked({name: value for name, value in EARLIER.items() if name != section}).problems


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("run_name", 5, "run_name: is not of type string"),
        ("headline.n_success", "9", "headline.n_success: "),
        ("headline.n_success", 8, "is 9, and not n_replicates_attempted (10)"),
        ("headline.n_success", -1, "headline.n_success: "),
        ("headline.n_success", 9.5, "headline.n_success: "),
        ("headline.n_success", True, "headline.n_success: "),
        ("headline.n_documents", 1, "is more than documents x replicates (5)"),
        ("headline.chat_latency_ms.p50", 9.0, "headline.chat_latency_ms: p50 (9) is more than p95 (7.5)"),
        ("headline.chat_latency_ms.p95", "slow", "headline.chat_latency_ms.p95: "),
        (
            "headline.completion_tokens.n_over_95pct_of_cap",
            3,
            "headline.completion_tokens: n_over_95pct_of_cap",
        ),
        ("validation.n_valid", 10, "validation.n_valid: 10 is more than n_total (9)"),
        ("validation.n_total", 10, "validation.n_total: 10 is more than headline.n_success (9)"),
        ("validation.valid_rate_pct", 43.3, "validation.valid_rate_pct: 43.3, and not 33.3"),
        ("validation.valid_rate_pct", 101, "validation.valid_rate_pct: is not from 0 to 100"),
        ("validation.valid_rate_pct", -0.1, "validation.valid_rate_pct: is not from 0 to 100"),
        ("validation.n_valid_ignoring_extra_top_keys", 2, "is more than n_valid_ignoring_extra_top_keys (2)"),
        ("validation.top_errors", "none", "validation.top_errors: is not of type array"),
        ("validation.name_drift.missing_top_keys.0", ["title", 10], "10 replies are more than n_total (9)"),
        ("validation.name_drift.extra_top_keys.0", ["titel"], "extra_top_keys[0]"),
        (
            "consistency.field_rollup.0.n_full",
            2,
            "n_full + n_two_distinct + n_three_plus is 3, and not n_docs (2)",
        ),
        ("consistency.field_rollup.0.n_docs", 3, "consistency.field_rollup[0].n_docs: 3 is more than"),
        (
            "consistency.field_rollup.0.pct_full_agreement",
            51.0,
            "consistency.field_rollup[0].pct_full_agreement",
        ),
        ("consistency.doc_rollup.0.n_fields_with_disagreement", 4, "4 is more than n_fields_probed (3)"),
        ("consistency.array_rollup.0.mean_cv", 0.3, "mean_cv: 0.3 is more than max_cv (0.2)"),
        (
            "consistency.array_rollup.0.worst_docs.0.lens",
            [2, 4],
            "cv: 0.2, and not 0.333, which its lens give",
        ),
        ("consistency.array_rollup.0.worst_docs.0.lens", [2, "3"], "lens[1]: is not of type integer"),
        ("coverage.scalars.0.n_non_null", 10, "coverage.scalars[0].n_non_null: 10 is more than n_total (9)"),
        ("coverage.arrays.0.pct_non_empty", 90.0, "coverage.arrays[0].pct_non_empty: 90, and not 100.0"),
        ("coverage.scalars.0.schema_declared", "yes", "schema_declared: is not of type boolean"),
        ("config.n_replicates", "5", "config.n_replicates: is not of type integer"),
        ("extra", {"hit_rate": 1.5}, "extra.hit_rate: is not from 0 to 1"),
        ("extra", {"n_things": -1}, "extra.n_things: is no count"),
    ],
)
def test_what_cannot_be_is_named_by_its_place(place, value, said):
    problems = checked(changed(place, value)).problems
    assert any(said in problem for problem in problems), problems


def test_what_is_merely_odd_is_a_note():
    odd = changed("config.pdf_count", 3)
    odd["headline"] |= {"n_replicates_attempted": 9, "n_success": 8}
    odd["validation"] = {"n_total": 8, "n_valid": 8}
    found = checked(odd)
    assert found.problems == ()
    assert len(found.notes) == 2


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"run_name": "x"}', b"\xff", b'{"a": NaN}', b"null"])
def test_what_is_no_summary_says_so(data):
    assert check_summary(data).problems


def test_a_summary_of_this_program_is_held_to_its_schema(make_reported):
    answers = {"one": [{"award_title": "A"}, {"award_title": "B"}]}
    value = json.loads(encode_summary(make_reported(answers).report.summary))
    assert not checked(value).problems
    del value["accuracy"]
    assert checked(value).problems == ("the whole: lacks accuracy",)


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("headline", "accuracy", 1.2, "headline.accuracy: disobeys maximum 1"),
        ("headline", "accuracy", "0.5", "headline.accuracy: is not of type null or number"),
        ("headline", "accuracy", 0.9, "headline.accuracy: 0.9, and not 0.25"),
        ("headline", "accuracy_ci95", [0.1], "headline.accuracy_ci95: "),
        ("headline", "n_success", 3, "headline: n_success + n_api_error + n_parse_error is 3"),
        ("headline", "status", "done", "headline.status: disobeys enum"),
        ("config", "prompt_sha256", "abc", "config.prompt_sha256: disobeys pattern"),
        ("validation", "n_valid", 9, "validation.n_valid: 9 is more than n_total (2)"),
    ],
)
def test_a_figure_that_cannot_be_is_named_in_a_summary_of_this_program(
    make_reported, section, key, value, said
):
    answers = {"one": [{"award_title": "A"}, {"award_title": "B"}]}
    summary = json.loads(encode_summary(make_reported(answers).report.summary))
    summary[section][key] = value
    problems = checked(summary).problems
    assert any(problem.startswith(said) for problem in problems), problems


def test_a_newer_version_is_checked_as_far_as_it_is_known():
    found = checked(EARLIER | {"schema_version": 9})
    assert not found.problems
    assert "newer" in found.notes[0]
    assert checked(changed("headline.n_success", 8) | {"schema_version": 9}).problems


def test_the_schema_names_its_version():
    assert "schema_version" in json.dumps(summary_schema())


def test_a_hostile_summary_is_refused_quickly_with_few_words():
    value = EARLIER | {"coverage": {"scalars": [{"n_x": -1, "pct": "k" * 1000}] * 2_000}}
    found = checked(value)
    assert 0 < len(found.problems) <= 100


def test_a_summary_of_more_values_than_a_run_can_have_is_refused_before_they_are_looked_at():
    value = EARLIER | {"consistency": {"field_rollup": [{"field": "f", "n_docs": 0}] * 400_000}}
    data = json.dumps(value).encode()
    started = time.process_time()
    found = check_summary(data)
    assert found.problems == ("the whole: holds over 500,000 values, which the summary of no run does",)
    assert time.process_time() - started < 8


def test_what_takes_too_much_work_to_be_held_against_the_schema_is_said(monkeypatch):
    monkeypatch.setattr("evalcore.library.schema_work.MOST_VISITS", 1_000)
    monkeypatch.setattr("evalcore.library.schema_work.MOST_PAIRS", 10)
    found = checked(EARLIER)
    assert found.problems == ("the whole: takes too much work to be held against the schema",)


def test_of_many_values_that_disobey_the_schema_the_first_is_named():
    value = EARLIER | {"consistency": {"field_rollup": [{}] * 100_000}}
    assert checked(value).problems == ("consistency.field_rollup[0]: lacks field",)
