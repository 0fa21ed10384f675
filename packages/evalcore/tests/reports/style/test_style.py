"""The one stylesheet: every colour of the charts is in it, for light and dark, with contrast for text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from evalcore.reports.charts.heat import HEAT
from evalcore.reports.charts.svg import INKS
from evalcore.reports.style import base_css

CSS = base_css().decode()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
)
THEMES = {"light": LIGHT, "dark": DARK}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_both_themes_have_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("ink", INKS)
def test_every_ink_of_the_charts_is_a_class(ink: str) -> None:
    variable = {"grid": "line", "ground": "card"}.get(ink, ink)
    assert f".ink-{ink} {{ color: var(--{variable}); }}" in CSS
    # What stands alone looks as it does on a page in the light.
    assert INKS[ink] == LIGHT[variable]


def test_every_step_of_a_matrix_is_a_class() -> None:
    for step, colour in enumerate(HEAT):
        assert f".heat-{step} {{ background: var(--heat-{step}); fill: var(--heat-{step}); }}" in CSS
        assert LIGHT[f"heat-{step}"] == colour


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_contrast_on_everything_it_stands_on(theme: str) -> None:
    colours = THEMES[theme]
    for ground in ("card", "ground"):
        for ink in ("text", "quiet", "accent", "good", "bad", "wait"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("good", "bad", "wait"):
        assert contrast(colours[ink], colours[f"{ink}-ground"]) >= 4.5
    for step in range(len(HEAT)):
        on = "#000000" if step == 4 else colours["on-heat-bad" if step < 4 else "on-heat-good"]
        assert contrast(on, colours[f"heat-{step}"]) >= 4.5, step


@pytest.mark.parametrize("theme", THEMES)
def test_marks_stand_out_and_steps_differ_in_lightness(theme: str) -> None:
    colours = THEMES[theme]
    for number in range(8):
        assert contrast(colours[f"series-{number}"], colours["card"]) >= 3
    steps = [luminance(colours[f"heat-{step}"]) for step in range(len(HEAT))]
    assert steps == sorted(steps, reverse=theme == "dark")
    assert all(
        contrast(colours[f"heat-{a}"], colours[f"heat-{b}"]) > 1.05 for a, b in pairwise(range(len(HEAT)))
    )
