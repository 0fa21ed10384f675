"""What a report's folder is called, and what it holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.reports.run_report.files import REPORT_FILE, report_name
from evalsim.testing import make_record


def test_a_report_is_named_by_day_model_and_the_beginning_of_the_runs_id():
    record = make_record(model="openai/gpt-oss-120b", run_id="0199a1b2-c3d4-7aaa-8bbb-000000000001")
    assert report_name(record) == "2026-01-05-openai-gpt-oss-120b-0199a1b2-c3d4"


@given(st.text(max_size=300), st.text(max_size=60))
def test_a_name_is_one_folder_whatever_model_and_id_are(model, run_id):
    name = report_name(make_record(model=model, run_id=run_id))
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,90}", name)
    assert not name.startswith(".")


@pytest.mark.parametrize(
    "path", ["REPORT.md", "summary.json", "charts/coverage.svg", "charts/field_agreement.png"]
)
def test_these_files_are_a_reports(path):
    assert REPORT_FILE.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "report.md",
        "x/REPORT.md",
        "charts/a.html",
        "charts/../x.svg",
        "charts/.svg",
        "charts/a.svg\n",
        "summary.json.svg",
        "charts/x/y.svg",
        "",
    ],
)
def test_these_are_not(path):
    assert not REPORT_FILE.fullmatch(path)
