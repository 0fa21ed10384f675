"""How answers disobey the schema, without a word of theirs."""

from __future__ import annotations

from evalcore.library.schema import make_validator
from evalcore.reports.run_report import violations
from evalcore.reports.run_report.declared import declared_by
from evalcore.reports.run_report.violations import ViolationKind, ViolationTally

SCHEMA = {
    "type": "object",
    "properties": {
        "pages": {"type": ["integer", "null"]},
        "kind": {"enum": ["memo"]},
        "items": {"type": "array", "minItems": 2, "items": {"type": "string", "pattern": "^a"}},
        "by_name": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["pages"],
    "additionalProperties": False,
}


def counted(*answers, values=10):
    tally = ViolationTally(make_validator(SCHEMA), declared_by(SCHEMA, []))
    for answer in answers:
        tally.add(answer, values, 1)
    return tally


def test_violations_of_one_kind_count_together_whatever_the_value():
    tally = counted({"pages": "SECRET"}, {"pages": 1.5}, {"pages": 1, "items": ["b", "c"]})
    assert tally.replies == {
        ViolationKind("pages", "type", "is not of type integer or null"): 2,
        ViolationKind("items[]", "pattern", "disobeys pattern"): 1,
    }
    assert tally.occurrences.total() == 4


def test_no_word_of_an_answer_is_kept():
    tally = counted({"SECRET": 1, "kind": "SECRET", "by_name": {"SECRET": "SECRET"}, "items": ["SECRET"]})
    assert "SECRET" not in repr(tally.replies)
    assert {kind.path for kind in tally.replies} == {"", "kind", "by_name.*", "items", "items[]"}
    assert ViolationKind("", "required", "lacks the key pages") in tally.replies
    assert ViolationKind("items", "minItems", "disobeys minItems 2") in tally.replies


def test_of_a_large_answer_the_first_violation_alone_is_looked_at():
    tally = counted({"pages": 1, "items": [1] * 200_000}, values=200_001)
    assert tally.occurrences.total() == 1
    assert tally.is_cut


def test_of_very_many_violations_only_so_many_are_made(monkeypatch):
    monkeypatch.setattr(violations, "MOST_VIOLATIONS", 30)
    tally = counted(*[{"pages": 1, "items": [1] * 20}] * 10)
    assert tally.occurrences.total() == 2 * 20 + 8
    assert tally.is_cut
