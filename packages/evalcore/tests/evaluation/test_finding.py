"""A finding: one thing that is wrong, in one line."""

from __future__ import annotations

from evalcore.errors import CaseError
from evalcore.evaluation.finding import Finding, finding_of


def test_the_line_says_where_what_and_what_to_do() -> None:
    assert (
        Finding("error", "memo", "prompt.md:3", "is empty", "write it").line
        == "prompt.md:3: is empty; write it"
    )


def test_an_error_becomes_a_finding_of_its_severity() -> None:
    error = CaseError("has no input", where="cases/one", hint="add input.md")
    assert finding_of(error, "memo") == Finding("error", "memo", "cases/one", "has no input", "add input.md")
    assert finding_of(error, None, "warning").severity == "warning"
    assert finding_of(error, None).line == error.line
