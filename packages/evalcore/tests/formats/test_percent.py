"""Percentages are written in one way: a space, a point, and nothing rounded to all or none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalcore.formats.percent import around, between, percent, short_percent, whole_percent

PACKAGES = Path(__file__).parents[4] / "packages"
SIGN = re.compile(r"(?<!SPACE)\}%|:\.\d%|f\} %")


@pytest.mark.parametrize(
    ("share", "text", "whole"),
    [
        (1.0, "100.0 %", "100 %"),
        (0.99999, "99.9 %", "over 99 %"),
        (0.8765, "87.6 %", "88 %"),
        (0.00001, "0.1 %", "under 1 %"),
        (0.0, "0.0 %", "0 %"),
    ],
)
def test_only_what_is_whole_is_said_to_be_whole(share: float, text: str, whole: str) -> None:
    assert (percent(share), whole_percent(share)) == (text, whole)


def test_an_interval_is_written_alone_or_behind_its_figure() -> None:
    assert (between((0.8, 0.99999)), around((0.8, 0.925)), around(None)) == (
        "80.0–99.9 %",
        " (80.0 to 92.5)",
        "",
    )


def test_axes_write_no_more_than_they_need() -> None:
    assert [short_percent(value) for value in (0.5, 0.925, 1)] == ["50 %", "92.5 %", "100 %"]


def test_what_people_read_of_results_writes_its_percentages_here_alone() -> None:
    folders = (
        "evalcore/src/evalcore/reports",
        "evalcore/src/evalcore/publishing",
        "evalcli/src/evalcli/reports",
    )
    files = [path for folder in folders for path in (PACKAGES / folder).rglob("*.py")]
    assert len(files) > 50
    # Plotly's templates are its own: `%{x:.1f} %`.
    found = [path for path in files if SIGN.search(re.sub(r"%\{[xy]:.1f\} %", "", path.read_text()))]
    assert found == []
