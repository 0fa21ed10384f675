"""A run's summary: its record's figures, and rows of what was counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.run_report.summarize import token_cap, variation

GOOD = {"award_title": "A", "pages": 3, "items": [{"name": "x", "amount": 1}]}
OTHER = GOOD | {"pages": 4}


def test_the_headline_is_the_records(make_reported):
    run = make_reported({"one": [GOOD, OTHER], "two": [GOOD, "no JSON"]})
    headline, record = run.report.summary.headline, run.record
    assert headline.accuracy == record.accuracy.mean
    assert headline.accuracy_ci95 == record.accuracy.ci95
    assert headline.all_right_rate == record.accuracy.all_right_rate
    assert (
        (headline.n_success, headline.n_parse_error) == (record.calls.ok, record.calls.parse_error) == (3, 1)
    )
    assert headline.n_replicates_attempted == 4


def test_tokens_stand_against_the_cap(make_reported):
    tokens = make_reported({"one": [GOOD, GOOD]}).report.summary.headline.completion_tokens
    assert (tokens.max, tokens.cap, tokens.n_over_80pct_of_cap) == (2, 100, 0)


@pytest.mark.parametrize(
    ("params", "cap"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": "5"}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": 0}, None),
    ],
)
def test_the_cap_is_what_the_parameters_say(params, cap):
    assert token_cap(params) == cap


def test_fields_are_rolled_up_over_documents_the_worst_first(make_reported):
    summary = make_reported({"one": [GOOD, OTHER], "two": [GOOD, GOOD]}).report.summary
    first = summary.consistency.field_rollup[0]
    assert (first.field, first.n_docs, first.n_full, first.n_two_distinct) == ("pages", 2, 1, 1)
    assert first.pct_full_agreement == 50.0
    assert [row.doc for row in summary.consistency.doc_rollup] == ["one", "two"]


def test_a_list_varies_by_its_lengths(make_reported):
    longer = GOOD | {"items": GOOD["items"] * 3}
    (row,) = make_reported(
        {"one": [GOOD, longer], "two": [GOOD, GOOD]}
    ).report.summary.consistency.array_rollup
    assert (row.array, row.max_cv, row.mean_cv, row.pct_docs_stable) == ("items", 0.5, 0.25, 50.0)
    assert [(one.doc, one.lens) for one in row.worst_docs] == [("one", (1, 3))]


def test_the_variation_of_the_published_report_comes_out_the_same():
    assert round(variation([47, 23, 29, 47, 29]), 3) == 0.287
    assert round(variation([0, 1, 1, 0, 0]), 3) == 1.225
    assert variation([0, 0]) == 0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_a_variation_is_never_negative_and_none_of_equal_lengths(lengths):
    assert variation(lengths) >= 0
    assert (variation(lengths) == 0) == (len(set(lengths)) == 1)


def test_coverage_is_of_the_objects_that_could_have_a_field(make_reported):
    half = GOOD | {"items": [{"name": "x"}, {"name": "y", "amount": 2}], "award_title": None}
    coverage = make_reported({"one": [GOOD, half]}).report.summary.coverage
    scalars = {row.field: (row.n_non_null, row.n_total) for row in coverage.scalars}
    assert scalars["award_title"] == (1, 2)
    assert scalars["items[].amount"] == (2, 3)
    assert [(row.field, row.n_non_empty, row.n_total) for row in coverage.arrays] == [("items", 2, 2)]


def test_drift_names_what_an_undeclared_key_likely_stands_for(make_reported):
    drift = make_reported({"one": [{"awardTitle": "A"}, GOOD]}).report.summary.validation.name_drift
    assert drift.extra_top_keys == (("awardTitle", 1),)
    (key,) = drift.extra_keys
    assert key.likely[0].key == "award_title"
    missing = {row.field: (row.required, row.n_replies) for row in drift.missing_keys}
    assert missing["award_title"] == (True, 1)
    assert missing["pages"] == (False, 1)


def test_top_keys_with_dots_in_them_stay_one_key(make_reported):
    schema = {"type": "object", "properties": {"a.b": {"type": "string"}}, "required": ["a.b"]}
    drift = make_reported({"one": [{}, {"a.b": "x"}]}, schema=schema).report.summary.validation.name_drift
    assert drift.missing_top_keys == (("a.b", 1),)
    assert drift.missing_keys[0].required


def test_documents_that_may_not_be_named_count_and_are_not_shown(make_reported):
    run = make_reported({"one": [GOOD, OTHER]}, names={"one": None}, quoted=False)
    assert run.report.summary.consistency.field_rollup[0].n_docs == 1
    assert run.report.summary.consistency.doc_rollup == ()
