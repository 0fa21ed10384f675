"""Figures for Plotly, worked out here so that the browser only draws them: zoom, hover, selection.

Plotly reads a few tags and entities in the texts that it is given, so that names are escaped for it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

import msgspec
from markupsafe import Markup

from evalcore.reports.charts.svg import plain
from evalcore.reports.dashboard.site import ComponentView, Interval, ModelInComponent, RankingView
from evalcore.reports.pages.charts import MOST_ROWS, change_of
from evalcore.structs import JsonObject, JsonValue

SYMBOLS: Final[tuple[str, ...]] = (
    "circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "circle-open",
)  # fmt: skip


def data_block(value: JsonObject) -> Markup:
    """Write JSON so that it can stand in a page's data block: nothing in it ends the element."""
    text = msgspec.json.encode(value).decode()
    # A model may be called `</script>`.
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - escaped here


def accuracy_plot(ranking: RankingView) -> JsonObject:
    """Return the models of a ranking with their intervals."""
    rows = [row for row in ranking.rows if row.status == "complete" and row.accuracy is not None]
    return _intervals([(row.label, row.accuracy, row.ci95) for row in rows])


def components_plot(lines: Sequence[ModelInComponent]) -> JsonObject:
    """Return a model's accuracy at each component, with intervals."""
    return _intervals(
        [(line.component, line.accuracy, line.ci95) for line in lines if line.accuracy is not None]
    )


def agreement_plot(ranking: RankingView) -> JsonObject:
    """Return accuracy against reproducibility, all models of a ranking."""
    rows = [row for row in ranking.rows if row.accuracy is not None and row.reproducibility is not None]
    trace: JsonObject = {
        "type": "scatter",
        # Plotly moves no names apart: of many they would lie over each other.
        "mode": "markers+text" if len(rows) <= MOST_ROWS else "markers",
        "textposition": "top center",
        "text": [_text(row.label) for row in rows],
        "x": [_percents(row.accuracy) for row in rows],
        "y": [_percents(row.reproducibility) for row in rows],
        "hovertemplate": "%{text}<br>accuracy %{x:.1f} %<br>reproducibility %{y:.1f} %<extra></extra>",
        "marker": {"size": 11, "symbol": [_filled(is_filled=row.is_level_with_best) for row in rows]},
    }
    return {"data": [trace], "layout": {"xaxis": _axis("Accuracy"), "yaxis": _axis("Reproducibility")}}


def history_plot(component: ComponentView) -> JsonObject:
    """Return all models of a component over time, with intervals; partial runs are left out."""
    traces: list[JsonValue] = []
    for index, line in enumerate(component.history):
        points = [point for point in line.points if point.status == "complete" and point.accuracy is not None]
        trace: JsonObject = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": _text(line.model),
            "x": [point.last_at[:16] for point in points],
            "y": [_percents(point.accuracy) for point in points],
            "error_y": _error([(point.accuracy, point.ci95) for point in points]),
            "text": [
                _text(point.component_version)
                + {"better": ", improvement", "worse": ", regression", "quiet": ""}[change_of(point)]
                for point in points
            ],
            "hovertemplate": "%{text}, %{x}<br>%{y:.1f} %",
            "marker": {"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 8},
        }
        traces.append(trace)
    return {"data": traces, "layout": {"yaxis": _axis("Accuracy"), "xaxis": {"type": "date"}}}


def _intervals(rows: Sequence[tuple[str, float | None, Interval | None]]) -> JsonObject:
    trace: JsonObject = {
        "type": "scatter",
        "mode": "markers",
        "y": [_text(name) for name, _, _ in rows],
        "x": [_percents(value) for _, value, _ in rows],
        "error_x": _error([(value, ends) for _, value, ends in rows]),
        "hovertemplate": "%{y}<br>%{x:.1f} %<extra></extra>",
        "marker": {"size": 10},
    }
    layout: JsonObject = {
        "xaxis": _axis("Accuracy with 95 % interval"),
        "yaxis": {"autorange": "reversed", "type": "category", "automargin": True},
    }
    return {"data": [trace], "layout": layout}


def _error(values: Sequence[tuple[float | None, Interval | None]]) -> JsonObject:
    known = [(value or 0.0, ends or (value or 0.0, value or 0.0)) for value, ends in values]
    return {
        "type": "data",
        "symmetric": False,
        "array": [_percents(high - value) for value, (_, high) in known],
        "arrayminus": [_percents(value - low) for value, (low, _) in known],
        "thickness": 1.5,
    }


def _percents(share: float | None) -> float | None:
    """Write a share in percents, for Plotly's own percentages have no space; rounded, for pages are small."""
    return None if share is None else round(100 * share, 2)


def _axis(title: str) -> JsonObject:
    return {"title": {"text": title}, "tickformat": ".1f", "ticksuffix": " %"}


def _filled(*, is_filled: bool) -> str:
    return "circle" if is_filled else "circle-open"


def _text(name: str) -> str:
    return html.escape(plain(name, 120), quote=False)
