"""The one way into scoring: a scorer for a component's case."""

from __future__ import annotations

import json

import pytest

from evalcore.errors import CaseError
from evalcore.library.component import Case, Component, OutputFormat
from evalcore.scoring.scorer import make_scorer
from evalsim.testing import make_case, make_component


def component(output: OutputFormat) -> Component:
    return make_component("notes", output=output)


def case(expected: str) -> Case:
    return make_case("first", expected)


@pytest.mark.parametrize("output", ["json", "json_object", "json_array"])
def test_a_json_answer_is_compared_with_the_parsed_expectation(output: OutputFormat) -> None:
    scorer = make_scorer(component(output), case('{"title": "Call", "pages": 2}'))
    result = scorer.score({"title": "call", "pages": 3})
    assert result.accuracy == result.anls_star == 0.5
    assert result.by_field == {"pages": 0, "title": 1}


def test_a_markdown_answer_is_compared_with_the_tree_of_the_expectation() -> None:
    scorer = make_scorer(component("markdown"), case("# Dates\n\n- June\n- July\n"))
    result = scorer.score({"sections": [{"heading": "Dates", "items": ["July"]}]})
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.by_field == {"sections[Dates].heading": 1, "sections[Dates].items[]": 0.5}


def test_json_as_a_markdown_expectation_stays_text() -> None:
    scorer = make_scorer(component("markdown"), case('{"a": 1}'))
    assert scorer.score({"a": 1}).accuracy == 0


@pytest.mark.parametrize("expected", ["{", "", "[1, NaN]", "[" * 100_000])
def test_an_expectation_that_is_not_json_names_the_case(expected: str) -> None:
    with pytest.raises(CaseError, match="notes, case first: the expected answer is not JSON"):
        make_scorer(component("json_object"), case(expected))


def test_an_answer_of_a_thousand_near_copies_scores_low() -> None:
    item = {"code": "cover", "label": "Cover letter", "pages": 1}
    scorer = make_scorer(component("json_array"), case(json.dumps([item])))
    answer = [{**item, "label": f"Cover letter {at}"} for at in range(1000)]
    assert 0 < scorer.score(answer).accuracy < 0.01
    assert scorer.agree(answer, answer[::-1]).value == 1
