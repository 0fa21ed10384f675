"""Runs are named by folder, id or what they are of; a name that is not there is answered with a near one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.library.models import Model
from evalcore.runs.folder import read_record
from evalsim.testing import write_component, write_leaderboard

Evalcli = Callable[..., Any]
MakeRun = Callable[..., Path]

RIGHT = {"decision": "approve", "amount": 4125, "reasons": ["signed", "complete"]}
WRONG = {"decision": "reject", "amount": 4125, "reasons": []}
FIRST, SECOND, THIRD = 1, 1 << 40, 3 << 40
"""Numbers of runs whose ids begin differently."""


@pytest.fixture
def library(tmp_path: Path, make_run: MakeRun) -> Path:
    """A library with three runs, two of them in the leaderboard; the third is a look."""
    root = tmp_path / "library"
    write_component(root, schema={"type": "object"}, cases={"one": RIGHT})
    runs = [
        make_run([RIGHT, WRONG], FIRST),
        make_run([RIGHT, RIGHT], SECOND, model=Model("small", "mindrouter")),
        make_run([WRONG, WRONG], THIRD),
    ]
    write_leaderboard(root / "components" / "memo" / "leaderboard.json", *map(read_record, runs[:2]))
    places = root / ".evaluator" / "runs"
    (places / "scratch").mkdir(parents=True)
    for run in runs[:2]:
        run.rename(places / run.name)
    runs[2].rename(places / "scratch" / runs[2].name)
    models = "models:\n  - {id: big, provider: openai}\n  - {id: small, provider: openai}\n"
    (root / ".evaluator" / "models.yaml").write_text(models)
    return root


def _ids(library: Path) -> list[str]:
    return sorted(path.parent.name for path in (library / ".evaluator" / "runs").glob("**/run.json"))


@pytest.mark.parametrize("length", [4, 8, 36])
@pytest.mark.parametrize("command", ["show", "rescore"])
def test_a_run_is_found_by_the_beginning_of_its_id(
    evalcli: Evalcli, library: Path, command: str, length: int
) -> None:
    for run_id in _ids(library)[-2:]:
        ended = evalcli(command, run_id[:length], "--prompt-library", library)
        assert (ended.code, run_id in ended.out) == (0, True), ended.err


def test_a_run_is_compared_by_the_beginning_of_its_id_also_one_that_is_in_no_leaderboard(
    evalcli: Evalcli, library: Path
) -> None:
    first, second, look = _ids(library)
    ended = evalcli("compare", first, second[:6], "--json", "--prompt-library", library)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["models"][0]["reason"].startswith("two models: big and small")
    ended = evalcli("compare", first, look[:4], "--prompt-library", library)
    assert (ended.code, "big: " in ended.out) == (0, True), ended.err


def test_runs_are_named_by_version_and_model(evalcli: Evalcli, library: Path) -> None:
    for selector in ("memo@1.0.0/small", "memo/small"):
        for command in ("show", "rescore"):
            ended = evalcli(command, selector, "--prompt-library", library)
            assert (ended.code, _ids(library)[1] in ended.out) == (0, True), ended.err
    ended = evalcli("compare", "memo@1.0.0/big", "memo/small", "--prompt-library", library)
    assert (ended.code, "two models: big and small" in ended.out) == (0, True), ended.err


def test_a_finished_run_is_gone_on_with_by_its_id(evalcli: Evalcli, library: Path) -> None:
    line = ["evaluate", "memo", "--resume", _ids(library)[1][:8], "--prompt-library", library]
    ended = evalcli(*line, OPENAI_API_KEY="k")
    assert (ended.code, "small" in ended.out) == (0, True), ended.err
    assert "every run of this job is finished already" in ended.err


@pytest.mark.parametrize(
    ("line", "near"),
    [
        (["compare", "mem"], "memo"),
        (["compare", "memo/smal"], "memo@1.0.0/small"),
        (["compare", "--models", "bigg", "small"], "big"),
        (["leaderboard", "show", "memos"], "memo"),
        (["leaderboard", "validate", "memos"], "memo"),
        (["leaderboard", "resolve", "memos"], "memo"),
        (["leaderboard", "rescore", "memos"], "memo"),
        (["score", "memo", "--case", "onee", "-"], "one"),
        (["score", "explain", "memos"], "memo"),
        (["evaluate", "memos"], "memo"),
        (["evaluate", "memo", "--model", "smal"], "small"),
        (["evaluate", "memo", "--case", "onne"], "one"),
        (["evaluate", "memo", "--resume", "memo@1.0.0/smal"], "memo@1.0.0/small"),
        (["check", "memos"], "memo"),
        (["show", "memo/smal"], "memo@1.0.0/small"),
        (["show", "memo/small", "--case", "onne"], "one"),
        (["rescore", "memo@1.0.0/smal"], "memo@1.0.0/small"),
        (["runs", "memos"], "memo"),
        (["runs", "--model", "smal"], "small"),
        (["models", "remove", "smal"], "small"),
        (["models", "add", "x", "--provider", "opnai"], "openai"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_name_that_is_not_there_is_answered_with_what_is_near(
    evalcli: Evalcli, library: Path, line: list[str], near: str
) -> None:
    ended = evalcli(*line, "--prompt-library", library, OPENAI_API_KEY="k")
    assert f"did you mean `{near}`?" in ended.err
    assert ended.err.count("\n") == 1


def test_a_folder_that_holds_no_run_is_named(evalcli: Evalcli, library: Path) -> None:
    ended = evalcli("rescore", library / ".evaluator")
    assert (ended.code, "so it is no run's folder" in ended.err) == (2, True)
