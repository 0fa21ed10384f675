"""What is handed to Plotly: the same figures as the pages have, with names that it cannot take for tags."""

from __future__ import annotations

import json

import pytest
from tests.made_sites import HOSTILE, hostile, partial_only, small

from evalcore.reports.pages.plots import accuracy_plot, agreement_plot, data_block, history_plot


def test_models_of_a_ranking_have_their_figures_and_intervals() -> None:
    ranking = small().components[0].rankings[0]
    rows = [row for row in ranking.rows if row.status == "complete"]
    (trace,) = accuracy_plot(ranking)["data"]
    assert trace["x"] == [pytest.approx(100 * row.accuracy, abs=0.005) for row in rows]
    assert trace["y"] == [row.label for row in rows]
    for row, up, down in zip(rows, trace["error_x"]["array"], trace["error_x"]["arrayminus"], strict=True):
        low, high = row.ci95
        assert abs(100 * row.accuracy + up - 100 * high) < 0.02
        assert abs(100 * row.accuracy - down - 100 * low) < 0.02


def test_the_best_are_filled_and_the_others_are_rings() -> None:
    ranking = small().components[0].rankings[0]
    (trace,) = agreement_plot(ranking)["data"]
    filled = [symbol == "circle" for symbol in trace["marker"]["symbol"]]
    assert filled[: len(ranking.rows) - 1] == [row.is_level_with_best for row in ranking.rows if row.rank]


def test_a_history_has_every_complete_point_and_no_partial_one() -> None:
    component = small().components[0]
    traces = history_plot(component)["data"]
    complete = [[p for p in line.points if p.status == "complete"] for line in component.history]
    assert [len(trace["x"]) for trace in traces] == list(map(len, complete))
    assert len({(trace["marker"]["symbol"]) for trace in traces}) == len(traces)
    assert history_plot(partial_only().components[0])["data"][0]["x"] == []


def test_a_name_is_text_to_plotly_and_ends_no_element() -> None:
    block = data_block(accuracy_plot(hostile().components[0].rankings[0]))
    assert "<" not in block
    assert "&" not in block
    (trace,) = json.loads(block)["data"]
    assert "&lt;script&gt;" in trace["y"][0]
    assert HOSTILE[0] not in json.dumps(trace)
