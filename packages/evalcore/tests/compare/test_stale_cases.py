"""Cases that were validated against an older version than the one evaluated are told."""

import pytest

from evalcore.compare.versions import stale_cases
from evalcore.runs.record import CaseResult
from evalsim.testing import SHA, make_record


def run(version, **validated):
    cases = tuple(CaseResult(case, SHA, at, (1.0,), None) for case, at in validated.items())
    return make_record(component_version=version, case_results=cases)


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
