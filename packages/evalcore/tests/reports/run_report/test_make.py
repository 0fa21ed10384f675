"""The files of a report: the same bytes for the same run, and a summary that its own check passes."""

from __future__ import annotations

import json
import subprocess
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalcore.reports.run_report.check import check_summary
from evalcore.reports.run_report.make import encode_summary, report_files
from evalcore.reports.run_report.png import draw_png

GOOD = {"award_title": "A", "pages": 3, "items": [{"name": "x", "amount": 1}]}
ANSWERS = st.lists(
    st.sampled_from(["no JSON", json.dumps(GOOD), json.dumps([1]), "{}"])
    | st.fixed_dictionaries(
        {"award_title": st.sampled_from(["A", None, 1])},
        optional={
            "pages": st.integers(0, 4),
            "items": st.lists(st.just({"name": "x"}), max_size=3),
            "x": st.none(),
        },
    ),
    min_size=2,
    max_size=4,
)


def test_the_same_run_gives_the_same_bytes_charts_included(make_reported):
    answers = {"one": [GOOD, GOOD | {"pages": 4}], "two": [GOOD, "no JSON"]}
    first, second = (report_files(make_reported(answers).report, draw_png) for _ in range(2))
    assert first == second
    assert {name for name in first if name.endswith(".png")} == {
        name.replace(".svg", ".png") for name in first if name.endswith(".svg")
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(one=ANSWERS, two=ANSWERS)
def test_every_summary_that_is_made_passes_its_own_check(make_reported, one, two):
    most = max(len(one), len(two))
    padded = [answers + [GOOD] * (most - len(answers)) for answers in (one, two)]
    report = make_reported({"one": padded[0], "two": padded[1]}).report
    checked = check_summary(encode_summary(report.summary))
    assert (checked.problems, checked.notes) == ((), ())
    assert report_files(report, None)


def test_no_drawing_of_pngs_is_loaded_where_none_is_asked_for():
    code = "import sys, evalcore.evaluation.report; print('resvg_py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
