from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from evalcore.canonical import encode_canonical
from evalcore.leaderboard import encode_leaderboard, leaderboard_of
from evalcore.record import RunRecord, record_object

MakeRecord = Callable[..., RunRecord]
Evalcli = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path, make_record: MakeRecord) -> Callable[..., Path]:
    """Write a leaderboard with these runs, given by number."""

    def write_runs(name: str, *numbers: int, slug: str = "memo", **fields: Any) -> Path:
        path = tmp_path / "components" / name / "leaderboard.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        runs = [make_record(number, **fields) for number in numbers]
        path.write_bytes(encode_leaderboard(leaderboard_of(slug, runs)))
        return path

    return write_runs


def test_show_finds_a_component_of_the_library(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    write("memo", 1, model="gpt", mean=0.875)
    ended = evalcli("leaderboard", "show", "memo", "--prompt-library", tmp_path)
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "memo"
    assert ended.out.splitlines()[2].split() == ["1.0.0", "1", "gpt", "0.875", "-", "-", "1", "0", "complete"]


def test_show_without_a_name_shows_all(evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path) -> None:
    write("memo", 1)
    write("note", 2, slug="note")
    out = evalcli("leaderboard", "show", "--prompt-library", tmp_path).out
    assert "memo\n" in out
    assert "note\n" in out


def test_show_json_is_the_records_and_nothing_else(
    evalcli: Evalcli, write: Callable[..., Path], make_record: MakeRecord
) -> None:
    ended = evalcli("leaderboard", "show", write("memo", 1, 2), "--json")
    assert json.loads(ended.out) == [record_object(make_record(n)) for n in (1, 2)]
    assert ended.err == ""


def test_show_tells_of_runs_it_cannot_read(evalcli: Evalcli, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(encode_canonical({"schema_version": 1, "component": "x", "runs": [{"run_id": "new"}]}))
    ended = evalcli("leaderboard", "show", path)
    assert ended.code == 0
    assert "1 run(s) of another evaluator" in ended.err


def test_merging_is_the_same_in_any_order_and_again(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    left, right, both = write("a", 1, 2), write("b", 2, 3), write("c", 1, 2, 3)
    merged = evalcli("leaderboard", "merge", left, right).out
    assert merged == both.read_text()
    assert evalcli("leaderboard", "merge", right, left, both).out == merged


def test_merge_writes_a_file(evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    left = write("a", 1)
    ended = evalcli("leaderboard", "merge", left, write("b", 2), "--out", out)
    assert (ended.code, ended.out) == (0, "")
    assert len(json.loads(out.read_bytes())["runs"]) == 2
    assert evalcli("leaderboard", "merge", out, left, "--out", out).code == 0
    assert len(json.loads(out.read_bytes())["runs"]) == 2


def test_merge_never_overwrites_what_is_no_leaderboard(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "notes.json"
    out.write_text("my notes")
    assert evalcli("leaderboard", "merge", write("a", 1), "--out", out).code == 2
    assert out.read_text() == "my notes"


def test_a_conflict_is_refused_and_nothing_written(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    ended = evalcli("leaderboard", "merge", write("a", 1), write("b", 1, mean=0.1), "--out", out)
    assert ended.code == 2
    assert "two different contents" in ended.err
    assert not out.exists()


def test_a_valid_leaderboard_is_valid(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    path = write("memo", 1, 2)
    ended = evalcli("leaderboard", "validate", path)
    assert (ended.code, ended.out) == (0, f"{path}: valid, 2 run(s) of memo\n")


def test_validate_says_what_is_wrong_where_and_goes_on(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    bad = write("bad", 1)
    value = json.loads(bad.read_bytes())
    value["runs"][0]["accuracy"]["mean"] = 7
    bad.write_bytes(encode_canonical(value))
    broken = tmp_path / "broken.json"
    broken.write_text('{"schema_version": 1')
    ended = evalcli("leaderboard", "validate", bad, broken, write("good", 2))
    assert ended.code == 2
    lines = ended.err.splitlines()
    assert f"{bad}: runs[0].accuracy.mean: " in lines[0]
    assert f"{broken}: the leaderboard is not valid JSON" in lines[1]
    assert "good" in ended.out


def test_the_schema_is_one_that_our_leaderboards_meet(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    schema = json.loads(evalcli("leaderboard", "schema").out)
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validate(schema, json.loads(write("memo", 1).read_bytes()))
