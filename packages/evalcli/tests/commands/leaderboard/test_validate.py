"""What is wrong with a leaderboard, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.record import RunRecord
from evalsim.testing import write_leaderboard

MakeRecord = Callable[..., RunRecord]
Evalcli = Callable[..., Any]


def test_a_valid_leaderboard_is_valid(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    path = write("memo", 1, 2)
    ended = evalcli("leaderboard", "validate", path)
    assert (ended.code, ended.out) == (0, f"{path}: valid, 2 runs of memo\n")


def test_validate_without_a_name_looks_at_every_leaderboard_of_the_library(
    evalcli: Evalcli, make_record: MakeRecord, tmp_path: Path
) -> None:
    assert evalcli("leaderboard", "validate", "--prompt-library", tmp_path).code == 2
    paths = [tmp_path / "components" / slug / "leaderboard.json" for slug in ("memo", "notice")]
    for path in paths:
        path.parent.mkdir(parents=True)
        write_leaderboard(path, make_record(1))
    ended = evalcli("leaderboard", "validate", "--prompt-library", tmp_path)
    assert ended.code == 0
    assert [line.partition(": ")[0] for line in ended.out.splitlines()] == [str(path) for path in paths]


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


def test_validate_tells_of_text_that_is_no_unicode(evalcli: Evalcli, tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    path.write_text(r'{"schema_version": 1, "component": "memo", "runs": [{"run_id": "a", "new": "\ud800"}]}')
    ended = evalcli("leaderboard", "validate", path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"{path}: a text holds half of a surrogate pair; mend it by hand\n"
