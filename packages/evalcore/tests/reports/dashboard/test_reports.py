"""What is read of a published report: this program's and those of before it."""

from __future__ import annotations

import json

import pytest

from evalcore.reports.dashboard.facts import LibraryFacts
from evalcore.reports.dashboard.reports import MOST_SHOWN, published_report

LIBRARY = LibraryFacts(name="library", url="https://github.com/acme/prompts")
FOLDER = "components/memo/evals/reports/2026-04-20-a b"


def read(summary):
    text = summary if isinstance(summary, str) or summary is None else json.dumps(summary)
    return published_report("2026-04-20-a b", FOLDER, text, LIBRARY)


def test_an_old_summary_says_what_was_missed_and_invented():
    report = read(
        {
            "generated_at": "2026-04-20T16:05:51Z",
            "config": {"model": "openai/gpt-oss-120b", "n_replicates": 5},
            "headline": {"n_success": 138},
            "validation": {
                "name_drift": {"extra_top_keys": [["note", 3]], "missing_top_keys": [["start", 118]]}
            },
            "consistency": {},
        }
    )
    assert (report.model, report.replies, report.run_id) == ("openai/gpt-oss-120b", 138, None)
    assert [(one.field, one.count) for one in report.missed] == [("start", 118)]
    assert [(one.field, one.count) for one in report.invented] == [("note", 3)]
    assert report.url == f"https://github.com/acme/prompts/blob/HEAD/{FOLDER}/REPORT.md".replace(" ", "%20")
    assert report.problem is None


def test_a_summary_of_ours_also_names_its_run_and_has_examples():
    example = {"doc": "one", "replicate": 0, "status": "missed", "expected": '"x"', "answered": ""}
    report = read(
        {
            "config": {"run_id": "run-1", "component_version": "1.0.0"},
            "accuracy": {"fields": [{"field": "title", "examples": [example] * (MOST_SHOWN + 1)}]},
        }
    )
    assert (report.run_id, report.component_version) == ("run-1", "1.0.0")
    assert len(report.examples) == MOST_SHOWN
    first = report.examples[0]
    assert (first.field, first.case, first.status, first.expected) == ("title", "one", "missed", '"x"')


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (None, "it has no readable summary.json"),
        ("{", "summary.json: "),
        ({"config": {"model": 7}}, "summary.json: Expected `str | null`, got `int` - at `$.config.model`"),
        ([], "summary.json: Expected `object`, got `array`"),
    ],
)
def test_a_summary_that_cannot_be_read_is_said(summary, said):
    report = read(summary)
    assert report.problem.startswith(said)
    assert (report.missed, report.examples) == ((), ())


def test_without_a_repository_there_is_no_link():
    assert published_report("r", "f", "{}", LibraryFacts(name="library")).url is None
