"""The scoring process: run folders in by name, records out, every failure an answer."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from evalcore.evaluation import scoring_worker
from evalcore.evaluation.scoring_process import ScoringAnswer, ScoringRequest
from evalcore.evaluation.scoring_worker import _score
from evalcore.runs.folder import RECORD, REPLIES, RunFolder, read_record
from evalsim.testing import make_case, make_reply, make_run_plan


@pytest.fixture
def run_dir(tmp_path):
    plan = make_run_plan(cases=[make_case(name, {"a": 1}) for name in ("one", "two")], replicates=2)
    folder = RunFolder.create(tmp_path, plan)
    for name in ("one", "two"):
        for replicate in range(2):
            folder.append(make_reply(name, replicate, '{"a": 1}'))
    folder.close()
    return folder.path


def test_a_run_is_scored_case_by_case_and_its_record_written(run_dir):
    turns = []
    assert _score(run_dir, turns.append) == ScoringAnswer()
    assert turns == [0, 1]
    assert read_record(run_dir).accuracy.mean == 1


def test_a_folder_that_is_none_is_an_answer_in_one_line(tmp_path):
    answer = _score(tmp_path)
    assert answer.crash is None
    assert str(tmp_path) in answer.error
    assert "\n" not in answer.error


def test_a_run_whose_replies_are_not_all_there_gets_no_record(run_dir):
    lines = (run_dir / REPLIES).read_text().splitlines(keepends=True)
    (run_dir / REPLIES).write_text("".join(lines[:-1]))
    assert "has 1 of 2 replies" in _score(run_dir).error
    assert not (run_dir / RECORD).exists()


def test_a_crash_says_where_and_never_what_which_may_be_of_a_case(run_dir, monkeypatch):
    def crashing(*_arguments):
        raise RuntimeError("the confidential case")

    monkeypatch.setattr(scoring_worker, "score_run", crashing)
    answer = _score(run_dir)
    assert answer.error.startswith("RuntimeError in test_scoring_worker.py:")
    assert "confidential" not in answer.error
    assert "the confidential case" not in answer.crash.replace(
        'raise RuntimeError("the confidential case")', ""
    )
    assert answer.crash.startswith("Traceback:\n")


def test_the_process_answers_line_by_line_until_its_input_ends(run_dir, tmp_path):
    paths = [run_dir, tmp_path / "nowhere", run_dir]
    requests = [ScoringRequest(str(path), is_complete=True) for path in paths]
    # Preparing for a run has no answer, whether it can be read or not.
    requests[1:1] = [ScoringRequest(str(path), is_complete=False) for path in paths]
    done = subprocess.run(
        [sys.executable, "-m", "evalcore.evaluation.scoring_worker"],
        input=b"".join(msgspec.json.encode(request) + b"\n" for request in requests),
        capture_output=True,
        check=True,
        timeout=60,
    )
    answers = [msgspec.json.decode(line, type=ScoringAnswer) for line in done.stdout.splitlines()]
    assert [answer.case for answer in answers] == [0, 1, None, None, 0, 1, None]
    assert [bool(answer.error) for answer in answers if answer.case is None] == [False, True, False]
    assert done.stderr == b""
