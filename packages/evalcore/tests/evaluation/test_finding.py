"""A finding: one thing that is wrong, in one line."""

from __future__ import annotations

from evalcore.errors import CaseError, ConfigurationError
from evalcore.evaluation.finding import Finding, findings_of


def test_the_line_says_where_what_and_what_to_do() -> None:
    assert (
        Finding("error", "memo", "prompt.md:3", "is empty", "write it").line
        == "prompt.md:3: is empty; write it"
    )


def test_an_error_becomes_a_finding_of_its_severity() -> None:
    error = CaseError("has no input", where="cases/one", hint="add input.md")
    (found,) = findings_of(error, "memo")
    assert found == Finding("error", "memo", "cases/one", "has no input", "add input.md")
    assert found.line == error.line
    assert [one.severity for one in findings_of(error, None, "warning")] == ["warning"]


def test_each_error_of_a_file_is_a_finding_of_its_own() -> None:
    other = ConfigurationError("b", where="models.yaml:2")
    error = ConfigurationError("a", where="models.yaml:1", others=[other])
    assert [one.where for one in findings_of(error, None)] == ["models.yaml:1", "models.yaml:2"]
