"""The process that makes reports: a line for each run, every failure an answer that quotes no case."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from evalcore.evaluation import report_worker
from evalcore.evaluation.report import labels_of
from evalcore.evaluation.report_process import ReportAnswer, ReportRequest
from evalcore.evaluation.report_worker import _made
from evalcore.runs.folder import RunFolder
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_reply, make_run_plan


@pytest.fixture
def request_of(tmp_path):
    """What is asked of a finished run, and of the same run in a folder that is not there."""
    plan = make_run_plan(cases=[make_case("one", {"a": 1})], replicates=1)
    folder = RunFolder.create(tmp_path, plan)
    folder.append(make_reply("one", 0, json.dumps({"a": 1})))
    folder.write_record(record := score_run(plan, folder.replies_of))
    folder.close()
    labels = labels_of(plan.component.slug, plan.cases, None)

    def make(path=folder.path):
        return ReportRequest(str(path), record, labels)

    return make


def test_each_run_has_a_line_whatever_becomes_of_another(request_of, tmp_path):
    requests = [request_of(), request_of(tmp_path / "nowhere"), request_of()]
    done = subprocess.run(
        [sys.executable, "-m", "evalcore.evaluation.report_worker"],
        input=b"".join(msgspec.json.encode(request) + b"\n" for request in requests),
        capture_output=True,
        check=True,
        timeout=120,
    )
    first, second, third = (msgspec.json.decode(line, type=ReportAnswer) for line in done.stdout.splitlines())
    assert any(path.endswith("/REPORT.md") for path in first.files)
    assert (second.files, "nowhere" in second.error) == ({}, True)
    assert third == first
    assert done.stderr == b""


def test_a_crash_says_where_and_never_what_which_may_be_of_a_case(request_of, monkeypatch):
    def crashing(*_arguments):
        raise KeyError("the confidential case")

    monkeypatch.setattr(report_worker, "published_files", crashing)
    answer = _made(request_of())
    assert answer.files == {}
    assert answer.error.startswith("KeyError in test_report_worker.py:")
    assert "confidential" not in answer.error
