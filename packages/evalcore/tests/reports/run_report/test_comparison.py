"""Two runs side by side: the verdict, what moved, and examples of it."""

from __future__ import annotations

from evalcore.compare.verdict import Comparison, NotComparable
from evalcore.reports.run_report.comparison import compare_runs
from evalcore.reports.run_report.comparison_page import comparison_page

EXPECTED = {name: {"award_title": "A", "pages": 3} for name in ("one", "two", "three")}
RIGHT, WRONG = {"award_title": "A", "pages": 3}, {"award_title": "A", "pages": 9}


def compared(make_reported, before, after, **after_fields):
    old = make_reported(dict.fromkeys(EXPECTED, before), EXPECTED)
    new = make_reported(dict.fromkeys(EXPECTED, after), EXPECTED, version="1.1.0", **after_fields)
    return compare_runs(old, new)


def test_a_regression_is_told_with_what_moved(make_reported):
    found = compared(make_reported, [RIGHT] * 4, [WRONG] * 4)
    assert isinstance(found.outcome, Comparison)
    assert found.outcome.verdict == "regression"
    assert [(row.name, row.before, row.after) for row in found.fields] == [("pages", 1.0, 0.0)]
    assert {row.name for row in found.docs} == {"one", "two", "three"}


def test_examples_show_what_the_side_that_is_wrong_says(make_reported):
    worse = compared(make_reported, [RIGHT] * 3 + [WRONG], [WRONG] * 3 + [RIGHT]).examples
    assert {(one.way, one.field, one.expected, one.wrong) for one in worse} == {("worse", "pages", "3", "9")}
    assert len({one.doc for one in worse}) == 3
    better = compared(make_reported, [{"award_title": "A"}] * 4, [RIGHT] * 4).examples
    assert {(one.way, one.wrong) for one in better} == {("better", "")}


def test_nothing_is_quoted_of_confidential_documents(make_reported):
    assert compared(make_reported, [RIGHT] * 4, [WRONG] * 4, quoted=False).examples == ()


def test_drift_and_violations_are_counted_on_both_sides(make_reported):
    found = compared(make_reported, [RIGHT] * 2, [RIGHT | {"titel": 1}, {"pages": 3}])
    assert [(row.name, row.before, row.after) for row in found.undeclared] == [("titel", (0, 6), (3, 6))]
    assert ("award_title", (0, 6), (3, 6)) in [(row.name, row.before, row.after) for row in found.missing]
    assert found.errors


def test_a_document_whose_contents_changed_has_no_example(make_reported):
    old = make_reported({"one": [RIGHT] * 3}, {"one": RIGHT})
    new = make_reported({"one": [WRONG] * 3}, {"one": RIGHT | {"items": []}}, version="1.1.0")
    assert compare_runs(old, new).examples == ()


def test_two_models_are_compared_too(make_reported):
    from evalcore.library.models import Model  # noqa: PLC0415

    old = make_reported({name: [RIGHT] * 4 for name in EXPECTED}, EXPECTED)
    new = make_reported({name: [WRONG] * 4 for name in EXPECTED}, EXPECTED, model=Model("beta", "mindrouter"))
    found = compare_runs(old, new)
    assert found.outcome.verdict == "regression"
    assert "`alpha` → `beta`" in comparison_page(found)


def test_a_partial_run_says_that_nothing_can_be_said(make_reported):
    from evalcore.clients.reply import CallError  # noqa: PLC0415

    lost = {"text": None, "error": CallError("infrastructure", "timeout", "no byte")}
    found = compared(make_reported, [RIGHT, RIGHT], [RIGHT, lost])
    assert isinstance(found.outcome, NotComparable)
    assert "**not comparable:" in comparison_page(found)
