"""Scoring in a process of its own: what goes wrong there is told here, and no secret goes there."""

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from evalcore.errors import ScoringError, StorageError
from evalcore.evaluation import scoring_process, scoring_worker
from evalcore.evaluation.scoring_process import ScoringProcess
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.folder import PLAN, REPLIES, RunFolder


async def score(folder):
    async with ScoringProcess() as scoring:
        return await scoring.score(folder)


@pytest.fixture
def whole(tmp_path, run_plan, make_reply):
    folder = RunFolder.create(tmp_path, run_plan)
    for replicate, case in folder.pending():
        folder.append(make_reply(case.name, replicate))
    folder.close()
    return folder.path


def test_a_run_is_scored_and_its_record_written(whole):
    record = asyncio.run(score(whole))
    assert record.calls.total == 4
    assert (whole / "record.json").exists()


def test_each_case_is_named_by_its_number_as_its_turn_comes(whole):
    async def story():
        async with ScoringProcess() as scoring:
            turns = []
            await scoring.score(whole, turns.append)
            return turns

    assert asyncio.run(story()) == [0, 1]


def test_a_case_that_is_never_done_ends_the_process_and_the_next_run_is_scored(whole, monkeypatch):
    async def story():
        async with ScoringProcess() as scoring:
            monkeypatch.setattr(scoring_process, "LONGEST_CASE_S", 0.0)
            with pytest.raises(ScoringError, match="scoring one case took over 0 s; the replies are kept"):
                await scoring.score(whole)
            monkeypatch.undo()
            return await scoring.score(whole)

    assert asyncio.run(story()).calls.total == 4


def test_a_folder_that_cannot_be_read_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match=r"run\.json"):
        asyncio.run(score(tmp_path))


def test_a_crash_of_scoring_is_told_with_its_traceback_and_the_next_run_is_scored(whole, run_plan, tmp_path):
    async def both():
        async with ScoringProcess() as scoring:
            with pytest.raises(ScoringError, match="scoring crashed") as caught:
                await scoring.score(broken)
            return caught.value, await scoring.score(whole)

    plan = msgspec.to_builtins(run_plan)
    plan["replicates"] = -1
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / PLAN).write_bytes(encode_canonical(plan))
    (broken / REPLIES).touch()
    error, record = asyncio.run(both())
    assert any("Traceback" in note and "score_run.py" in note for note in error.__notes__)
    assert record.calls.total == 4


def test_a_crash_of_scoring_quotes_nothing_that_it_scored(whole, monkeypatch):
    def crash(plan, _replies_of):
        raise KeyError(plan.cases[0].expected)

    monkeypatch.setattr(scoring_worker, "score_run", crash)
    answer = scoring_worker._score(whole)
    assert answer.error.startswith("KeyError in test_scoring_process.py:")
    assert "in crash" in answer.crash
    plan = json.loads((whole / PLAN).read_text())
    assert plan["cases"][0]["expected"] not in answer.crash


def test_a_scoring_process_that_is_killed_is_told_and_another_one_takes_its_place(whole):
    async def kill_once():
        async with ScoringProcess() as scoring:
            await scoring.score(whole)
            scoring._process.kill()
            with pytest.raises(ScoringError, match="died"):
                await scoring.score(whole)
            return await scoring.score(whole)

    assert asyncio.run(kill_once()).calls.total == 4


def test_a_scoring_process_that_is_killed_in_the_middle_of_its_answer_is_told(whole, monkeypatch, tmp_path):
    killed = tmp_path / "killed"
    killed.write_text('#!/bin/sh\nread request\nprintf \'{"case":null,"crash":"Traceback\'\nkill -KILL $$\n')
    killed.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(killed))
    with pytest.raises(ScoringError, match="died"):
        asyncio.run(score(whole))


def test_one_made_ready_scores_and_one_that_died_meanwhile_is_replaced(whole):
    async def pids():
        async with ScoringProcess() as scoring:
            await scoring.prepare(whole)
            first = scoring._process
            await scoring.score(whole)
            assert scoring._process is first
            first.kill()
            await first.wait()
            record = await scoring.score(whole)
            return first.pid, scoring._process.pid, record

    first, second, record = asyncio.run(pids())
    assert first != second
    assert record.calls.total == 4


def test_the_scoring_process_inherits_no_secret(whole, monkeypatch):
    async def environment():
        async with ScoringProcess() as scoring:
            await scoring.score(whole)
            return await asyncio.to_thread(Path(f"/proc/{scoring._process.pid}/environ").read_bytes)

    monkeypatch.setenv("MINDROUTER_API_KEY", "mr2_canary")
    assert b"PATH" in os.environb
    assert b"mr2_canary" not in asyncio.run(environment())
