"""What `check` shows: each finding a line, errors first, and how many there are."""

from __future__ import annotations

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
        "2 component(s): 1 error(s), 2 warning(s)",
    ]


def test_where_nothing_is_wrong_that_is_said():
    assert lines(3) == ["3 component(s): 0 error(s), 0 warning(s)"]


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
