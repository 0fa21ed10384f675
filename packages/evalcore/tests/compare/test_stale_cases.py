"""Cases that were validated against an older version than the one evaluated are told."""

import pytest

from evalcore.compare.versions import stale_cases
from evalcore.runs.plan import Server
from evalcore.runs.record import Accuracy, Calls, CaseResult, Latency, Reproducibility, RunRecord, Tokens

SHA = "0" * 64


def run(version, **validated):
    return RunRecord(
        run_id="r", job_id="j", origin="local", component_version=version, prompt_commit=None,
        prompt_sha256=SHA, dataset_commit=None, schema_sha256=None, policy_sha256=None, cases_sha256=SHA,
        model="m", provider="p", params={}, structured_output="none", server=Server(),
        evaluator_version="0.1.0", scoring_version=2, replicates=1, cases=1, skipped_cases=(),
        case_results=tuple(CaseResult(case, SHA, at, (1.0,), None) for case, at in validated.items()),
        started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:00:00Z", status="complete",
        calls=Calls(1, 1, 0, 0, 0), accuracy=Accuracy(1.0, None, 1.0, {}),
        reproducibility=Reproducibility(None, None, None, {}), schema_valid_rate=None,
        latency_ms=Latency(None, None), tokens=Tokens(None, None), cost_usd=None,
    )  # fmt: skip


def test_only_older_versions_are_told_sorted_by_case():
    told = stale_cases([run("1.10.0", b="1.9.0", a="1.2.0", now="1.10.0", later="2.0.0", unsaid=None)])
    assert list(told.items()) == [("a", "1.2.0"), ("b", "1.9.0")]


@pytest.mark.parametrize(
    ("version", "validated", "is_told"),
    [
        ("1.2.0", "1.2", False),
        ("1.2.1", "1.2", True),
        ("1.2.0", "1.2.0-rc.1", True),
        ("1.2.0", "draft", False),
        ("odd", "1.0.0", False),
    ],
)
def test_versions_count_as_semver(version, validated, is_told):
    assert bool(stale_cases([run(version, a=validated)])) is is_told


def test_all_records_are_looked_at():
    assert stale_cases([run("2.0.0", a="1.0.0"), run("2.0.0", b="1.0.0")]) == {"a": "1.0.0", "b": "1.0.0"}
    assert stale_cases([]) == {}
