"""Reports made in a process of their own."""

from __future__ import annotations

import json
import sys

import pytest

from evalcore.errors import ScoringError
from evalcore.evaluation import report_process
from evalcore.evaluation.report_process import reports_of_job
from evalcore.formats.strict_json import sha256_of
from evalcore.runs.case_privacy import KEY_BYTES, CasePrivacy
from evalcore.runs.folder import RunFolder
from evalcore.scoring.score_run import score_run
from evalsim.testing import make_case, make_component, make_job_plan, make_reply, make_run_plan

PRIVACY = CasePrivacy(None, b"k" * KEY_BYTES)


@pytest.fixture
def job(tmp_path):
    """A job with one finished run in a folder of runs: the folder, the plan, and the records."""
    cases = [make_case("own", {"title": "expected"}), make_case("secret", {"title": "x"}, source="data_sets")]
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    component = make_component(schema=schema, schema_sha256=sha256_of(schema))
    plan = make_run_plan(component=component, cases=cases, replicates=1)
    folder = RunFolder.create(tmp_path, plan)
    for case in cases:
        folder.append(make_reply(case.name, 0, json.dumps({"title": "answered"})))
    folder.write_record(record := score_run(plan, folder.replies_of))
    folder.close()
    return tmp_path, make_job_plan(component=component, cases=cases, replicates=1), [record]


def test_the_files_lie_where_the_library_keeps_reports(job):
    files = reports_of_job(*job, PRIVACY)
    (folder,) = {path.removesuffix("/REPORT.md") for path in files if path.endswith("REPORT.md")}
    assert folder.startswith("components/memo/evals/reports/2026-01-05-alpha-")
    assert f"{folder}/charts/completion_tokens.png" in files
    page = files[f"{folder}/REPORT.md"].decode()
    assert "expected" in page
    assert "secret" not in page


def test_the_same_job_gives_the_same_bytes(job):
    assert reports_of_job(*job, PRIVACY) == reports_of_job(*job, PRIVACY)


def test_a_run_whose_files_are_gone_is_told(job):
    runs_dir, plan, records = job
    (runs_dir / records[0].run_id / "replies.jsonl").unlink()
    with pytest.raises(ScoringError, match="a report cannot be made"):
        reports_of_job(runs_dir, plan, records, PRIVACY)


def test_one_that_takes_too_long_is_ended(job, monkeypatch):
    monkeypatch.setattr(report_process, "LONGEST_S", 0.0)
    with pytest.raises(ScoringError, match="took over"):
        reports_of_job(*job, PRIVACY)


def test_one_that_is_killed_in_the_middle_of_its_answer_is_told(job, monkeypatch, tmp_path):
    killed = tmp_path / "killed"
    killed.write_text('#!/bin/sh\nprintf \'{"files":{"components/\'\nkill -KILL $$\n')
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(ScoringError, match="the process died"):
        reports_of_job(*job, PRIVACY)


def test_it_is_given_no_secret_and_no_key_of_the_hashes(job, monkeypatch, tmp_path):
    given = tmp_path / "given"
    given.write_text(f"#!/bin/sh\n{{ env; cat; }} > {tmp_path}/heard\n")
    given.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(given))
    monkeypatch.setenv("MINDROUTER_API_KEY", "mr2_canary")
    with pytest.raises(ScoringError, match="the process died"):
        reports_of_job(*job, PRIVACY)
    heard = (tmp_path / "heard").read_text()
    assert "mr2_canary" not in heard
    assert "k" * KEY_BYTES not in heard
    (asked,) = [line for line in heard.splitlines() if line.startswith("{")]
    assert {case["case"] for case in json.loads(asked)["record"]["case_results"]} == {
        "own",
        PRIVACY.case_name("memo", make_case("secret", source="data_sets")),
    }
