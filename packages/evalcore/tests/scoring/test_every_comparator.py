"""Whatever a policy can name compares, alike from both sides, and stands in docs/scoring.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalcore.scoring.leaves import _COMPARATORS, LeafComparison, Reading
from evalcore.scoring.rules.policy import _OPTIONS, COMPARATORS
from evalcore.scoring.rules.rules import Comparator, Rule

VALUES = [True, 3, 2.5, "", "3", "2026-07-01", "$1,200", "a, b", "b,a", "NSF 22-1"]


@pytest.mark.parametrize("name", COMPARATORS)
def test_every_comparator_compares_any_two_values_alike_from_both_sides(name: Comparator) -> None:
    rule = Rule(compare=name, weight=1.0, why="", options=("a", "b"), low=1.0, high=4.0)
    known = name == "contained_in_input" or name in _COMPARATORS
    assert known, f"scoring/leaves.py: give {name} a function and a row in _COMPARATORS, at the end"
    leaves = LeafComparison("the input")
    for one in VALUES:
        for other in VALUES:
            likeness = leaves.compare(rule, Reading(one), Reading(other))
            assert 0 <= likeness <= 1
            assert likeness == leaves.compare(rule, Reading(other), Reading(one))


def named_in_table(page: str, header: str) -> set[str]:
    """The names in the first column of the table with this header, options without their values."""
    lines = page.partition(f"| {header} |")[2].splitlines()[2:]
    rows = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    cells = [row.split("|")[1] for row in rows]
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)[:`]", cell)}


def test_the_page_has_a_row_for_every_comparator(project_root: Path) -> None:
    page = (project_root / "docs" / "scoring.md").read_text("utf-8")
    differ = named_in_table(page, "`compare:`") ^ set(COMPARATORS)
    assert not differ, (
        f"docs/scoring.md, the table under `compare:`: add or remove the rows of {sorted(differ)}"
    )


def test_every_comparator_has_a_worked_example(project_root: Path) -> None:
    page = (project_root / "docs" / "scoring.md").read_text("utf-8")
    policies = re.findall(r"`policy (fields: [^`]+)`", page.partition("## Worked examples")[2])
    missing = [name for name in COMPARATORS if not re.search(rf"\b{name}\b", " ".join(policies))]
    assert not missing, f"docs/scoring.md, Worked examples: add a row, scored on paper, for each of {missing}"


def test_the_page_names_every_option_of_a_field(project_root: Path) -> None:
    page = (project_root / "docs" / "scoring.md").read_text("utf-8")
    policy = page.partition("`evals/scoring.yaml` in the component")[2].partition("## Worked examples")[0]
    missing = [option for option in _OPTIONS if not re.search(rf"\b{option}\b", policy)]
    assert not missing, f"docs/scoring.md, before Worked examples: say what {missing} of a field mean"
