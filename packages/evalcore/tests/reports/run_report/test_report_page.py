"""REPORT.md: all sections, and nothing in it that a model wrote is markup."""

from __future__ import annotations

import re

import pytest

from evalcore.formats.markdown import parse_markdown
from evalcore.library.models import Model
from evalcore.reports.run_report.make import report_files

GOOD = {"award_title": "A", "pages": 3, "items": [{"name": "x", "amount": 1}]}
HOSTILE = (
    "<script>alert(1)</script>|`` ` @everyone\n# heading\n[x](javascript:y) ![i](http://e) {: onclick=z}"
)


def page_of(run):
    return report_files(run.report, None)["REPORT.md"].decode()


def test_all_sections_are_there_in_the_order_of_the_published_ones(make_reported):
    answers = {"one": [GOOD, GOOD | {"pages": 4, "extra": 1}], "two": [{"pages": 3}, GOOD]}
    page = page_of(make_reported(answers))
    headings = [line.split(" (")[0] for line in page.splitlines() if line.startswith("## ")]
    assert headings == [
        "## 1. Run-level headline",
        "## 2. Structural validity",
        "## 3. Within-case consistency",
        "## 4. Field coverage",
        "## 5. Accuracy",
        "## Reproduction",
    ]
    for said in (
        "Strict pass rate",
        "Naming drift",
        "absent from answers",
        "Top validation errors",
        "CV",
        "git",
    ):
        assert said in page or said == "git"


def test_charts_that_are_there_are_shown_and_others_are_not(make_reported):
    run = make_reported({"one": [GOOD, GOOD]})
    files = report_files(run.report, None)
    shown = set(re.findall(r"\(charts/([a-z_]+)\.svg\)", files["REPORT.md"].decode()))
    assert shown == {
        name.removeprefix("charts/").removesuffix(".svg") for name in files if name.startswith("charts/")
    }
    # nothing differs, so that there is no map of what does
    assert "consistency_heatmap" not in shown


def test_of_documents_in_markdown_agreement_and_accuracy_are_told(make_reported):
    document = "# Memo\n\n- Due: 5 May\n- Amount: {}\n"
    answers = {"one": [document.format("$4,125"), document.format("$9")]}
    run = make_reported(answers, {"one": document.format("$4,125")}, schema=None, output="markdown")
    page = page_of(run)
    assert "### 3a. Per-field agreement" in page
    assert "fields.Amount" in page
    assert "_No answer has keys whose values could be counted._" in page
    assert "declared" not in page
    assert "field_agreement" in page


def test_how_to_make_it_again_is_told(make_reported):
    page = page_of(make_reported({"one": [GOOD]}))
    assert "evalcli evaluate memo" in page
    assert "--model alpha --replicates 1" in page


def test_a_partial_run_says_so(make_reported):
    from evalcore.clients.reply import CallError  # noqa: PLC0415

    lost = {"text": None, "error": CallError("infrastructure", "timeout", "no byte | within")}
    page = page_of(make_reported({"one": [GOOD, lost]}))
    assert "**This run is partial**" in page


@pytest.mark.parametrize("line", HOSTILE.splitlines())
def test_whatever_a_model_writes_is_code_on_a_line_that_begins_otherwise(make_reported, line):
    answers = {"one": [{HOSTILE: HOSTILE, "award_title": HOSTILE}, GOOD]}
    model = Model(f"alpha/{HOSTILE}", "mindrouter", params={HOSTILE: HOSTILE})
    page = page_of(make_reported(answers, model=model, names={"one": HOSTILE}))
    outside = re.sub(
        r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"```bash.*?```", "", page, flags=re.DOTALL)
    )
    assert line.strip() not in outside
    assert "script" not in outside
    assert not any(row.startswith(line) for row in page.splitlines())


def test_a_hostile_model_name_stays_one_argument_in_the_commands(make_reported):
    model = Model("a'; rm -rf ~ #\n```\n# x", "mindrouter")
    page = page_of(make_reported({"one": [GOOD]}, model=model))
    assert sum(line.startswith("```") for line in page.splitlines()) == 4
    assert "\n# x" not in page
    assert parse_markdown(page)


def test_its_size_is_bounded_whatever_the_run_is(make_reported):
    answers = {f"case-{at}": [{f"key {at} {name}": "v" * 5000 for name in range(30)}] * 2 for at in range(12)}
    files = report_files(make_reported(answers).report, None)
    assert len(files["REPORT.md"]) < 40_000


def test_what_intervals_are_of_is_said_and_of_one_reply_that_they_are_over_cases(make_reported):
    several, single = page_of(make_reported({"one": [GOOD, GOOD]})), page_of(make_reported({"one": [GOOD]}))
    assert "if nothing drifts while a run is under way" in several
    assert "Below 5 replicates the interval of reproducibility is rough." in several
    assert "is rough" not in single + page_of(make_reported({"one": [GOOD] * 5}))
    assert "One reply to each case" not in several
    assert "One reply to each case" in single


def test_a_case_is_called_one_in_all_of_the_text(make_reported):
    """Only keys of summary.json, which reports had before, call it a document."""
    page = page_of(
        make_reported({"one": [GOOD, GOOD | {"pages": 4, "extra": 1}], "two": [{"pages": 3}, GOOD]})
    )
    assert "document" not in page.lower()
    assert "docs" not in page
