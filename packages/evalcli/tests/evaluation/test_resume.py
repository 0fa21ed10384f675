from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.library.models import Provider


def test_a_finished_run_is_resumed_from_within_its_folder(
    evalcli: Callable[..., Any],
    make_run: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "components" / "memo").mkdir(parents=True)
    run = make_run([{"decision": "approve"}])
    monkeypatch.chdir(run)
    ended = evalcli("evaluate", "memo", "--resume", ".", "--prompt-library", tmp_path, "--json")
    assert ended.code == 0, ended.err
    assert [record["run_id"] for record in json.loads(ended.out)] == [run.name]
    assert json.loads((tmp_path / "components" / "memo" / "leaderboard.json").read_bytes())["runs"]


def test_the_plan_of_somebody_elses_run_sends_no_secret_to_the_server_that_it_names(
    evalcli: Callable[..., Any],
    make_run: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "components" / "memo").mkdir(parents=True)
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_canary")
    # Nothing may ask the server: a connection would be a run with a failed call, and another exit code.
    provider = Provider("mindrouter", "openai", "http://127.0.0.1:1", "GITHUB_TOKEN")
    run = make_run([{"decision": "approve"}], is_recorded=False, provider=provider)
    ended = evalcli("evaluate", "memo", "--resume", run, "--prompt-library", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "GITHUB_TOKEN holds no model's key: it is sent to no server" in ended.err
    assert "canary" not in ended.err
