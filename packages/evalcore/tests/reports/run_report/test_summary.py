"""The schema of summary.json, which others read by."""

from __future__ import annotations

import json

import jsonschema_rs
import msgspec

from evalcore.reports.run_report.check import summary_schema
from evalcore.reports.run_report.make import encode_summary
from evalcore.reports.run_report.summary import SUMMARY_SCHEMA_VERSION, Summary

HAD_BEFORE = {
    "Headline": {"n_documents", "n_replicates_attempted", "n_success", "n_api_error", "n_parse_error"}
    | {"chat_latency_ms", "prompt_tokens", "completion_tokens"},
    "Validation": {"n_total", "n_valid", "valid_rate_pct", "n_valid_ignoring_extra_top_keys"}
    | {"valid_rate_ignoring_extras_pct", "top_errors", "name_drift"},
    "NameDrift": {"extra_top_keys", "missing_top_keys"},
    "FieldAgreement": {"field", "n_docs", "pct_full_agreement", "n_full", "n_two_distinct", "n_three_plus"},
    "DocumentAgreement": {"doc", "n_fields_probed", "n_fields_with_disagreement", "pct_disagreement"},
    "ListLengths": {"array", "mean_cv", "max_cv", "pct_docs_stable", "worst_docs"},
    "DocumentLengths": {"doc", "lens", "cv"},
    "ScalarCoverage": {"field", "pct_populated", "n_non_null", "n_total", "schema_declared"},
    "ListCoverage": {"field", "pct_non_empty", "n_non_empty", "n_total"},
    "Summary": {"run_name", "generated_at", "config", "headline", "validation", "consistency", "coverage"},
}
"""Fields of the summaries that were made by hand: whoever reads those finds them here."""


def test_the_names_that_summaries_had_before_are_kept():
    definitions = summary_schema()["$defs"]
    for struct, names in HAD_BEFORE.items():
        assert names <= set(definitions[struct]["properties"]), struct


def test_a_summary_obeys_its_schema_and_reads_back_as_it_was(make_reported):
    summary = make_reported({"one": [{"award_title": "A"}, "no JSON"]}).report.summary
    written = encode_summary(summary)
    assert list(jsonschema_rs.validator_for(summary_schema()).iter_errors(json.loads(written))) == []
    again = msgspec.json.decode(written, type=Summary)
    assert json.loads(encode_summary(again)) == json.loads(written)
    assert again.schema_version == SUMMARY_SCHEMA_VERSION
