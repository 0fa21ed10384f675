from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


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
