"""The pages' pictures: what of the site's data is drawn, and what is marked."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from msgspec import structs
from tests.made_sites import large, partial_only, small

from evalcore.reports.dashboard.site import HistoryPoint
from evalcore.reports.pages import charts

SVG = "{http://www.w3.org/2000/svg}"


def texts(chart: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(chart).iter(f"{SVG}text")]


def link(target: str) -> str:
    return f"../{target}"


def test_partial_runs_are_in_no_picture_of_a_ranking() -> None:
    ranking = small().components[0].rankings[0]
    assert len(charts.shown_rows(ranking)) == len(ranking.rows) - 1
    assert charts.shown_rows(partial_only().components[0].rankings[0]) == []


def test_a_picture_of_fifty_models_has_the_best() -> None:
    ranking = large().components[0].rankings[0]
    assert charts.shown_rows(ranking) == [row for row in ranking.rows if row.rank][: charts.MOST_ROWS]


def test_a_picture_links_to_the_models_and_says_its_sentence() -> None:
    ranking = small().components[0].rankings[0]
    root = ET.fromstring(charts.intervals(ranking, link))
    assert [one.get("href") for one in root.iter(f"{SVG}a")] == [
        f"../{row.page}" for row in charts.shown_rows(ranking)
    ]
    assert ranking.sentence in (root.findtext(f"{SVG}desc") or "")
    assert not list(ET.fromstring(charts.intervals(ranking, lambda _: "")).iter(f"{SVG}a"))


def test_strips_are_on_one_axis() -> None:
    site = small()
    reach = charts.strip_range(site)
    for component in site.components:
        for ranking in component.rankings[:1]:
            assert all(reach[0] <= (row.accuracy or 1) <= reach[1] for row in charts.shown_rows(ranking))
            assert "axis from" in charts.strip(ranking, reach)


def test_a_strip_of_nothing_is_nothing() -> None:
    assert charts.strip(partial_only().components[0].rankings[0], (0, 1)) == ""


@pytest.mark.parametrize(
    ("verdict", "change"),
    [("improvement", "better"), ("regression", "worse"), ("no evidence", "quiet"), ("cannot alarm", "quiet")],
)
def test_only_what_holds_is_marked(verdict: str, change: str) -> None:
    point: HistoryPoint = small().components[0].history[0].points[1]
    assert point.verdict is not None
    told = structs.replace(point, verdict=structs.replace(point.verdict, verdict=verdict))
    assert charts.change_of(told) == change


def test_one_change_is_as_steep_in_every_history() -> None:
    """Pictures differ in where their axis begins, and not in how much a percent is."""
    component = small().components[0]
    steps = set()
    for line in component.history:
        root = ET.fromstring(charts.history(line, component, link))
        shares = [
            (float(one.get("y", "0")), float((one.text or "").removesuffix(" %")))
            for one in root.iter(f"{SVG}text")
            if (one.text or "").endswith(" %")
        ]
        (low_y, low), (high_y, high) = shares[0], shares[-1]
        steps.add(round((low_y - high_y) / (high - low), 1))
    assert len(steps) == 1
