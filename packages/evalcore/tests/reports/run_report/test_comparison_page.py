"""Two runs side by side as Markdown."""

from __future__ import annotations

from evalcore.reports.run_report.comparison import compare_runs
from evalcore.reports.run_report.comparison_page import comparison_page, figure_rows, sides, verdict_line

EXPECTED = {name: {"award_title": "A", "pages": 3} for name in ("one", "two", "three")}
RIGHT, WRONG = {"award_title": "A", "pages": 3}, {"award_title": "A", "pages": 9}
HOSTILE = "<b>|`x\n# h"


def compared(make_reported, before, after, version="1.1.0"):
    old = make_reported(dict.fromkeys(EXPECTED, before), EXPECTED)
    return compare_runs(old, make_reported(dict.fromkeys(EXPECTED, after), EXPECTED, version=version))


def test_the_page_shows_both_sides(make_reported):
    page = comparison_page(compared(make_reported, [RIGHT] * 4, [WRONG] * 4))
    assert page.startswith("# `memo`: `1.0.0` → `1.1.0`\n\n**regression: ")
    assert "| accuracy | 100.0 %" in page
    assert "| worse | `pages` |" in page
    assert "✓ as expected" in page


def test_what_did_not_change_is_said_not_to(make_reported):
    page = comparison_page(compared(make_reported, [RIGHT] * 4, [RIGHT] * 4))
    assert page.count("_No change._") == 5
    assert "differ in what is right" in page


def test_whatever_a_model_writes_is_code(make_reported):
    page = comparison_page(
        compared(make_reported, [RIGHT] * 4, [{"award_title": HOSTILE, HOSTILE: 1}] * 4, version=HOSTILE)
    )
    assert "\n# h" not in page
    assert "|`x" not in page


def test_two_runs_of_one_version_and_model_are_told_apart_by_their_ids(make_reported):
    found = compared(make_reported, [RIGHT] * 4, [WRONG] * 4, version="1.0.0")
    assert sides(found.before, found.after) == ("1.0.0", "1.0.0")
    assert verdict_line(found).startswith("regression: accuracy 100.0 % to ")


def test_figures_that_neither_has_are_left_out(make_reported):
    found = compared(make_reported, [RIGHT] * 4, [WRONG] * 4)
    names = [name for name, _, _ in figure_rows(found.before, found.after)]
    assert "accuracy" in names
    assert "cost" not in names
