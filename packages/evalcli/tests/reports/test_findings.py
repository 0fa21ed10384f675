"""What `check` shows: each finding a line, errors first, and how many there are."""

from __future__ import annotations

import pytest

from evalcli.reports.findings import counts, finding_lines, findings_object
from evalcli.terminal.text import plain_line
from evalcore.evaluation.finding import Finding

WARNING = Finding("warning", "memo", "components/memo/prompt.md", "the category is unknown", "use one")
ERROR = Finding("error", "memo", "components/memo/prompt.md:3", "the version is no version", "write 1.0.0")


def lines(components, *findings):
    return [plain_line(spans).rstrip("\n") for spans in finding_lines(components, findings)]


def test_errors_come_first_and_the_rest_in_its_order():
    other = Finding("warning", None, "models.yaml:2", "is unknown", "remove it")
    assert lines(2, WARNING, other, ERROR) == [
        "error: components/memo/prompt.md:3: the version is no version; write 1.0.0",
        "warning: components/memo/prompt.md: the category is unknown; use one",
        "warning: models.yaml:2: is unknown; remove it",
        "2 components: 1 error, 2 warnings",
    ]


def test_where_nothing_is_wrong_that_is_said():
    assert lines(3) == ["3 components: 0 errors, 0 warnings"]


def test_a_finding_is_one_line_whatever_it_quotes():
    odd = Finding("error", "memo", "a\nb", "c\x1b[2J", "d\u202e")
    assert len(lines(1, odd)) == 2
    assert "\x1b" not in lines(1, odd)[0]


def test_errors_and_warnings_are_counted():
    assert counts([]) == (0, 0)
    assert counts([ERROR, WARNING, WARNING]) == (1, 2)


def test_json_has_every_field():
    assert findings_object(["memo"], [ERROR]) == {
        "components": ["memo"],
        "errors": 1,
        "warnings": 0,
        "findings": [
            {
                "severity": "error",
                "component": "memo",
                "where": "components/memo/prompt.md:3",
                "what": "the version is no version",
                "hint": "write 1.0.0",
            }
        ],
    }


def _of(*paths: str) -> list[Finding]:
    return [Finding("warning", "memo", path, "is old", "look at it") for path in paths]


def test_what_is_the_same_of_several_files_is_one_line_that_names_them_as_a_shell_does():
    assert lines(1, *_of("cases/a/metadata.yaml", "cases/b/metadata.yaml"), WARNING) == [
        "warning: cases/{a,b}/metadata.yaml: is old; look at it",
        "warning: components/memo/prompt.md: the category is unknown; use one",
        "1 component: 0 errors, 3 warnings",
    ]


@pytest.mark.parametrize(
    "paths",
    [
        ("cases/a/metadata.yaml", "other/b/metadata.yaml"),
        ("cases/a/metadata.yaml", "cases/metadata.yaml"),
        ("cases/a/metadata.yaml", "cases/a/metadata.yaml"),
        tuple(f"cases/{number}/metadata.yaml" for number in range(21)),
    ],
)
def test_files_that_differ_otherwise_and_those_of_too_many_cases_have_a_line_each(paths):
    assert len(lines(1, *_of(*paths))) == len(paths) + 1
