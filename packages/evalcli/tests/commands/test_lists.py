"""`evalcli list`, `runs`, `models list --json` and `models remove`, by real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.ids import time_of
from evalsim.testing import write_leaderboard

Evalcli = Callable[..., Any]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for slug, version in (("memo", "1.1.0"), ("odd", "one")):
        folder = tmp_path / "components" / slug
        (folder / "evals" / "cases" / "one").mkdir(parents=True)
        (folder / "prompt.md").write_text(f"---\nname: {slug}\nversion: {version}\n---\nAnswer.\n")
        (folder / "evals" / "cases" / "one" / "input.md").write_text("?")
        (folder / "evals" / "cases" / "one" / "expected.md").write_text("!")
    (tmp_path / "components" / "memo" / "evals" / "cases" / "stub").mkdir()
    return tmp_path


def test_components_are_listed_with_what_was_evaluated_of_them(
    evalcli: Evalcli, library: Path, make_record: Callable[..., Any]
) -> None:
    write_leaderboard(
        library / "components/memo/leaderboard.json",
        make_record(1, component_version="1.0.0"),
        make_record(2, component_version="1.0.0", model="small"),
        make_record(3, component_version="1.1.0", status="partial"),
    )
    ended = evalcli("list", "--prompt-library", library)
    assert (ended.code, ended.err) == (0, "")
    heading, memo, odd = ended.out.splitlines()
    assert heading.split() == ["component", "version", "cases", "evaluated", "models", "problem"]
    assert memo.split() == ["memo", "1.1.0", "1", "of", "2", "1.0.0", "2"]
    assert "the version `one` is not a semantic version" in odd
    listed = json.loads(evalcli("list", "--prompt-library", library, "--json").out)
    assert [item["component"] for item in listed] == ["memo", "odd"]
    assert (listed[0]["models"], listed[0]["skipped_cases"]) == (["big", "small"], 1)


def test_a_folder_without_components_is_no_prompt_library(evalcli: Evalcli, tmp_path: Path) -> None:
    for command in ("list", "check", "runs"):
        ended = evalcli(command, "--prompt-library", tmp_path)
        assert (ended.code, "is not a prompt library" in ended.err) == (2, True)


def test_runs_of_a_component_that_is_not_there_are_not_to_be_made(evalcli: Evalcli, library: Path) -> None:
    for options in ((), ("--json",)):
        ended = evalcli("runs", "nosuch", "--prompt-library", library, *options)
        assert (ended.code, ended.out) == (2, "")
        assert "there is no component `nosuch`; `evalcli list`" in ended.err
    assert "did you mean `memo`" in evalcli("runs", "mem", "--prompt-library", library).err


def test_a_model_without_runs_is_answered_with_those_that_have_some(
    evalcli: Evalcli, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    make_run([{}], 1)
    ended = evalcli("runs", "--model", "nosuch", "--runs-dir", tmp_path / "runs")
    assert (ended.code, "there are runs of big" in ended.err) == (0, True)


def test_runs_are_listed_newest_first_with_how_they_ended(
    evalcli: Evalcli, make_run: Callable[..., Path], tmp_path: Path
) -> None:
    answer = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"]}
    first = make_run([answer], 1)
    second = make_run([answer], 2, is_recorded=False)
    third = make_run([answer], 3)
    (third / "record.json").write_text("[]")
    ended = evalcli("runs", "--runs-dir", tmp_path / "runs", "--json")
    runs = json.loads(ended.out)
    assert [run["folder"] for run in runs] == [str(third), str(second), str(first)]
    assert [run["status"] for run in runs] == ["unreadable", "unfinished", "complete"]
    assert [run["accuracy"] for run in runs] == [None, None, 1.0]
    assert runs[2]["time"].startswith("2026-01-05T09:00:00")
    # Without a record, from its id.
    assert runs[1]["time"] == time_of(runs[1]["run_id"])
    table = evalcli("runs", "memo", "--model", "big", "--runs-dir", tmp_path / "runs").out
    assert len(table.splitlines()) == 4
    ended = evalcli("runs", "other", "--runs-dir", tmp_path / "runs")
    assert (ended.code, ended.out, "no such run" in ended.err) == (0, "", True)
    assert json.loads(evalcli("runs", "other", "--runs-dir", tmp_path / "runs", "--json").out) == []


MODELS = "models:\n  - {id: a, provider: openai}  # ours\n  - {id: b, provider: google}\n"


def test_models_are_listed_as_json_and_removed(evalcli: Evalcli, library: Path) -> None:
    path = library / "models.yaml"
    path.write_text(MODELS)
    listed = json.loads(evalcli("models", "list", "--models", path, "--json", OPENAI_API_KEY="k").out)
    assert [(item["id"], item["usable"]) for item in listed] == [("a", True), ("b", False)]
    assert "k" not in json.dumps(listed[0]).split()
    assert evalcli("models", "remove", "b", "--models", path).code == 0
    assert path.read_text() == "models:\n  - {id: a, provider: openai}  # ours\n"
    ended = evalcli("models", "remove", "b", "--models", path)
    assert (ended.code, "there is no model 'b'" in ended.err) == (2, True)


@pytest.mark.parametrize(
    "data",
    [b"{", b"\xff", b'{"run_id": "\xff"}', b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=range(4),
)
@pytest.mark.parametrize("name", ["run.json", "record.json"])
def test_a_damaged_run_does_not_hide_the_others(
    evalcli: Evalcli, make_run: Callable[..., Path], tmp_path: Path, name: str, data: bytes
) -> None:
    answer = {"decision": "approve", "amount": 4125, "reasons": ["complete", "signed"]}
    damaged, whole = make_run([answer], 1), make_run([answer], 2)
    (damaged / name).write_bytes(data)
    ended = evalcli("runs", "--runs-dir", tmp_path / "runs", "--json")
    assert ended.code == 0
    assert str(whole) in {run["folder"] for run in json.loads(ended.out) if run["status"] == "complete"}
