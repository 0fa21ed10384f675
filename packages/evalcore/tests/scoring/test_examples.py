"""Every row of the table in docs/scoring.md scores what it says on paper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evalcore.scoring.answers import Parsed, parse_answer
from evalcore.scoring.scorer import make_scorer
from evalsim.testing import make_case, make_component

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "scoring.md"
SPAN = re.compile(r"`([^`]+)`")
ROW = re.compile(r"\| *(\d+) *\|(.*)\|")


def rows() -> list[tuple[int, list[str]]]:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := ROW.fullmatch(line.strip()))]
    return [(int(match[1]), match[2].split("|")) for match in found]


def given(cell: str) -> dict[str, str]:
    spans = SPAN.findall(cell)
    return dict(span.split(" ", 1) if " " in span else (span, "") for span in spans)


def test_the_table_has_at_least_25_rows() -> None:
    assert [number for number, _ in rows()] == list(range(1, len(rows()) + 1))
    assert len(rows()) >= 25


@pytest.mark.parametrize(("number", "cells"), rows(), ids=[str(number) for number, _ in rows()])
def test_a_row_scores_what_it_says(number: int, cells: list[str]) -> None:
    expected, answer, conditions, score = (cell.strip() for cell in cells[:4])
    options = given(conditions)
    expected_text, answer_text = expected.strip("`"), answer.strip("`")
    if "markdown" in options:
        expected_text, answer_text = json.loads(expected_text), json.loads(answer_text)
    component = make_component(
        category=options.get("category"),
        output="markdown" if "markdown" in options else "json",
        schema=json.loads(options["schema"]) if "schema" in options else None,
        policy=options.get("policy"),
        policy_where="scoring.yaml" if "policy" in options else None,
    )
    text = json.loads(options.get("input", '"?"'))
    case = make_case(str(number), expected_text, input=text)
    parsed = parse_answer(answer_text, component.output)
    assert isinstance(parsed, Parsed)
    scorer = make_scorer(component, case)
    assert scorer.score(parsed.value).accuracy == pytest.approx(float(score), abs=1e-9)
