"""The charts of a report."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from evalcore.reports.run_report.drawings import MOST_BARS, MOST_CASES, MOST_COLUMNS, charts_of

GOOD = {"award_title": "A", "pages": 3, "items": [{"name": "x", "amount": 1}]}
OTHER = GOOD | {"pages": 4}


def drawn(run):
    return charts_of(run.report.summary, run.report.tally)


def test_there_are_four_where_there_is_something_to_show(make_reported):
    charts = drawn(make_reported({"one": [GOOD, OTHER], "two": [GOOD, GOOD]}))
    assert list(charts) == ["completion_tokens", "consistency_heatmap", "field_agreement", "coverage"]
    for text in charts.values():
        root = ET.fromstring(text)
        assert root.find("{http://www.w3.org/2000/svg}title").text


def test_a_cell_has_the_number_of_different_values(make_reported):
    chart = drawn(make_reported({"one": [GOOD, OTHER], "two": [GOOD, GOOD]}))["consistency_heatmap"]
    texts = [element.text for element in ET.fromstring(chart).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["pages", "one", "2", "two", "1"]


def test_the_cap_is_drawn_among_the_tokens(make_reported):
    assert "cap (100)" in drawn(make_reported({"one": [GOOD, GOOD]}))["completion_tokens"]


def test_a_run_without_answers_agrees_in_nothing_and_has_no_other_charts_of_fields(make_reported):
    charts = drawn(make_reported({"one": ["no JSON", "no JSON"]}))
    assert set(charts) == {"completion_tokens", "field_agreement"}
    assert "award_title with 0.0 %" in charts["field_agreement"]


def test_large_runs_have_charts_of_a_size_that_can_be_read(make_reported):
    schema = {"type": "object", "properties": {f"f{at}": {"type": "integer"} for at in range(90)}}
    answers = {
        f"case-{at:03}": [{f"f{name}": name for name in range(90)}, {f"f{name}": -1 for name in range(90)}]
        for at in range(MOST_CASES + 10)
    }
    charts = drawn(make_reported(answers, {name: {"f1": 1} for name in answers}, schema=schema))
    assert charts["consistency_heatmap"].count("<rect") <= MOST_CASES * MOST_COLUMNS + 1
    assert charts["coverage"].count("<rect") <= 2 * MOST_BARS
