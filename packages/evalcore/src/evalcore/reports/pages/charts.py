"""The pages' pictures: what the site's data says, handed to the charts that draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from evalcore.formats.percent import percent, short_percent
from evalcore.reports.charts.history import Change, HistoryMark, history_chart
from evalcore.reports.charts.intervals import Ranked, interval_chart
from evalcore.reports.charts.scale import Scale, fitted_range
from evalcore.reports.charts.scatter import Point, scatter_chart
from evalcore.reports.charts.svg import INKS, Ink, chart, element, number
from evalcore.reports.dashboard.site import (
    ComponentView,
    History,
    HistoryPoint,
    ModelInComponent,
    RankingRow,
    RankingView,
    Site,
)
from evalcore.reports.pages import figures

MOST_ROWS: Final = 20
"""Rows that a picture of a ranking has; the table has all."""
MOST_PICTURES: Final = 12
"""Models whose history is drawn: the best."""
MOST_MOMENTS: Final = 72
"""Points that all pictures of histories have together: of each model the newest."""
FEWEST_MOMENTS: Final = 4
"""Of each picture, however many there are."""
PICTURE: Final = 400.0
"""Pixels: drawn for half a page, and still readable where a telephone shrinks it."""
# A change of one point must not fill a picture.
LEAST_SPAN: Final = 0.15
"""Of the axis of all histories of a component, as a share."""
_STRIP_WIDTH: Final = 170.0
_STRIP_HEIGHT: Final = 22.0

Linker = Callable[[str], str]
"""The address of a page or of a place on the web, as a picture has it; empty for no link."""


def shown_rows(ranking: RankingView) -> list[RankingRow]:
    """Return the rows that the pictures have: the best complete ones."""
    return [row for row in ranking.rows if row.status == "complete" and row.accuracy is not None][:MOST_ROWS]


def intervals(ranking: RankingView, link: Linker) -> str:
    """Draw the models of a ranking with their intervals."""
    rows = [
        Ranked(
            name=row.model,
            detail=row.label.removeprefix(row.model).strip(" ()"),
            rank=figures.rank(row.rank),
            value=row.accuracy,
            interval=row.ci95,
            is_best=row.is_level_with_best,
            href=link(row.page),
        )
        for row in shown_rows(ranking)
    ]
    return interval_chart(
        rows,
        title=f"Accuracy of {figures.counted(len(rows), 'model')} at version {ranking.component_version}",
        description=f"{ranking.sentence} A dot is a model's accuracy, the line its 95 % interval; the table "
        "below has every figure.",
        axis="Accuracy with 95 % interval",
        width=PICTURE,
    )


def agreement(ranking: RankingView, link: Linker) -> str:
    """Draw accuracy against reproducibility."""
    points = [
        Point(
            name=row.label,
            x=row.accuracy,
            y=row.reproducibility,
            is_best=row.is_level_with_best,
            href=link(row.page),
        )
        for row in shown_rows(ranking)
        if row.accuracy is not None and row.reproducibility is not None
    ]
    if not points:
        return ""
    return scatter_chart(
        points,
        title=f"Accuracy against reproducibility of {figures.counted(len(points), 'model')}",
        description="The further right, the more is right; the further up, the more alike are answers to one "
        "input. The table below has every figure.",
        across="Accuracy",
        upward="Reproducibility",
        width=PICTURE,
    )


def over_components(lines: Sequence[ModelInComponent], link: Linker, model: str) -> str:
    """Draw a model's accuracy at each component."""
    rows = [
        Ranked(
            name=line.component,
            detail="",
            rank=figures.rank(line.rank),
            value=line.accuracy,
            interval=line.ci95,
            is_best=line.rank is not None and line.rank[0] == 1,
            href=link(line.component_page),
        )
        for line in lines
        if line.accuracy is not None
    ]
    # A band of the best would say that components are level with each other, which are never compared.
    return interval_chart(
        rows,
        title=f"Accuracy of {model} at {figures.counted(len(rows), 'component')}",
        description="A dot is the accuracy, the line its 95 % interval; filled where the model is best or "
        "level with the best. The table below has every figure.",
        axis="Accuracy with 95 % interval",
        width=PICTURE,
        has_band=False,
    )


def strip_range(site: Site) -> tuple[float, float]:
    """Return the one axis of all strips of the first page."""
    return fitted_range(
        row.accuracy
        for component in site.components
        for ranking in component.rankings[:1]
        for row in ranking.rows
        if row.accuracy is not None and row.status == "complete"
    )


def strip(ranking: RankingView, reach: tuple[float, float]) -> str:
    """Draw the models of a ranking as dots on one line, the best ones filled."""
    scale = Scale(*reach, 7, _STRIP_WIDTH - 7)
    rows = [row for row in ranking.rows if row.status == "complete" and row.accuracy is not None]
    found = [row.accuracy for row in rows if row.accuracy is not None]
    if not found:
        return ""
    best = [row.accuracy for row in rows if row.is_level_with_best and row.accuracy is not None]
    others = [row.accuracy for row in rows if not row.is_level_with_best and row.accuracy is not None]
    middle = number(_STRIP_HEIGHT / 2)
    parts = [_dots([(scale.start, scale.end - scale.start)], middle, "grid", 2)]
    parts.append(_dots([(scale.at(value), 0.0) for value in others], middle, "quiet", 7))
    parts.append(_dots([(scale.at(value), 0.0) for value in best], middle, "accent", 10))
    low, high = percent(min(found)), percent(max(found))
    return chart(
        f"{figures.counted(len(found), 'model')} from {low} to {high}",
        f"{len(best)} of them may be the best,"
        f" on an axis from {short_percent(reach[0])} to {short_percent(reach[1])}",
        _STRIP_WIDTH,
        _STRIP_HEIGHT,
        [part for part in parts if part.get("d")],
    )


def history(line: History, component: ComponentView, link: Linker) -> str:
    """Draw one model's accuracy over versions and time."""
    points = _newest(line, component)
    low, high = _ends(points)
    middle, half = (low + high) / 2, _history_span(component) / 2
    # Of equal height in all pictures, so that one change is as steep as another; but around its own figures.
    middle = min(max(middle, half), 1 - half) if half < 0.5 else 0.5  # noqa: PLR2004 - half of all there is
    reach = middle - half, middle + half
    return history_chart(
        [_moment(point, link) for point in points],
        title=f"Accuracy of {line.model} over versions of {component.slug}",
        description=f"{figures.counted(len(points), 'point')}, the newest last; the table below has them.",
        reach=reach,
    )


def change_of(point: HistoryPoint) -> Change:
    """Return how a point is marked: better or worse only where that is more than chance."""
    for verdict in (point.verdict, point.since_server_changed):
        if verdict is not None and verdict.verdict == "improvement":
            return "better"
        if verdict is not None and verdict.verdict == "regression":
            return "worse"
    return "quiet"


def _newest(line: History, component: ComponentView) -> Sequence[HistoryPoint]:
    pictures = min(len(component.history), MOST_PICTURES)
    # A page's pictures share MOST_MOMENTS, so that twelve models take no more bytes than one.
    return line.points[-max(FEWEST_MOMENTS, MOST_MOMENTS // max(pictures, 1)) :]


def _history_span(component: ComponentView) -> float:
    """Return how many percent the highest picture needs, as a share."""
    spans = [high - low for low, high in (_ends(_newest(line, component)) for line in component.history)]
    low, high = fitted_range([0.0, max([*spans, LEAST_SPAN])])
    return high - low


def _ends(points: Sequence[HistoryPoint]) -> tuple[float, float]:
    """Return the least and the greatest figure; a partial run's counts where there is no other."""
    counted = [point for point in points if point.status == "complete"] or points
    figures_of = [
        value
        for point in counted
        for value in (*(point.ci95 or ()), *(() if point.accuracy is None else (point.accuracy,)))
    ]
    return (min(figures_of), max(figures_of)) if figures_of else (0.0, 1.0)


def _moment(point: HistoryPoint, link: Linker) -> HistoryMark:
    links = point.runs[-1].links if point.runs else None
    # The best that there is to look it up: its report, else its pull request, else its commit.
    href = "" if links is None else links.report or links.pull_request or links.commit or ""
    said = f"{point.component_version}, {figures.day(point.last_at)}: {figures.share(point.accuracy)}"
    if point.verdict is not None and point.verdict.verdict is not None:
        said += f", {point.verdict.verdict} since {point.verdict.against_version}"
    return HistoryMark(
        version=point.component_version,
        when=figures.day(point.last_at),
        value=point.accuracy,
        interval=point.ci95,
        change=change_of(point),
        is_partial=point.status == "partial",
        server_changed=bool(point.server_changed),
        drifting=point.drifting,
        href=link(href) if href else "",
        tip=said,
    )


def _dots(places: Sequence[tuple[float, float]], middle: str, ink: Ink, size: float) -> ET.Element:
    """Draw all dots as one path: a line of no length with a round end is a dot."""
    return element(
        "path",
        {
            "class": f"ink-{ink}",
            "color": INKS[ink],
            "d": "".join(f"M{number(x)} {middle}h{number(length)}" for x, length in places),
            "stroke": "currentColor",
            "stroke-linecap": "round",
            "stroke-width": number(size),
        },
    )
