from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from evalcli.leaderboards.files import add_to_leaderboard, check_leaderboard
from evalcore.errors import LeaderboardError
from evalcore.runs.leaderboard import encode_leaderboard, leaderboard_of, parse_leaderboard
from evalcore.runs.record import RunRecord

MakeRecord = Callable[..., RunRecord]


def test_the_first_runs_make_the_file_and_later_ones_join(tmp_path: Path, make_record: MakeRecord) -> None:
    path = tmp_path / "leaderboard.json"
    add_to_leaderboard(path, "memo", [make_record(1)])
    add_to_leaderboard(path, "memo", [make_record(2), make_record(3)])
    assert path.read_bytes() == encode_leaderboard(
        leaderboard_of("memo", [make_record(n) for n in (1, 2, 3)])
    )


def test_adding_the_same_run_again_leaves_the_file_untouched(tmp_path: Path, make_record: MakeRecord) -> None:
    path = tmp_path / "leaderboard.json"
    add_to_leaderboard(path, "memo", [make_record(1)])
    before = path.stat()
    add_to_leaderboard(path, "memo", [make_record(1)])
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_another_evaluator_wrote_stays(tmp_path: Path, make_record: MakeRecord) -> None:
    path = tmp_path / "leaderboard.json"
    path.write_text(
        '{"schema_version": 1, "component": "memo", "note": 1, "runs": [{"run_id": "z", "new": [1]}]}'
    )
    add_to_leaderboard(path, "memo", [make_record(1)])
    kept = parse_leaderboard(path.read_bytes(), "x")
    assert kept.extra == {"note": 1}
    assert {"run_id": "z", "new": [1]} in kept.runs


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema_version": 2}', '{"schema_version":1,"component":"no","runs":[]}']
)
def test_an_unusable_file_is_refused_and_left_as_it_is(
    tmp_path: Path, make_record: MakeRecord, text: str
) -> None:
    path = tmp_path / "leaderboard.json"
    path.write_text(text)
    with pytest.raises(LeaderboardError):
        check_leaderboard(path, "memo")
    with pytest.raises(LeaderboardError):
        add_to_leaderboard(path, "memo", [make_record(1)])
    assert path.read_text() == text


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.json"
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(LeaderboardError, match="symbolic link"):
        check_leaderboard(path, "memo")


# Adds its records one by one, from the moment its standard input is written to.
ADDING = """
import sys, pathlib, msgspec
from evalcli.leaderboards.files import add_to_leaderboard
from evalcore.runs.record import RunRecord
path, records = pathlib.Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=list[RunRecord])
print("ready", flush=True)
sys.stdin.readline()
for record in records:
    add_to_leaderboard(path, "memo", [record])
"""


def test_processes_that_add_at_the_same_instant_lose_no_run(tmp_path: Path, make_record: MakeRecord) -> None:
    path = tmp_path / "leaderboard.json"
    records = [make_record(n) for n in range(40)]
    shares = [msgspec.json.encode(records[first::4]).decode() for first in range(4)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING, path, share],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert (process.communicate(timeout=60)[1], process.returncode) == ("", 0)
    assert path.read_bytes() == encode_leaderboard(leaderboard_of("memo", records))
    assert [entry.name for entry in tmp_path.iterdir()] == ["leaderboard.json"]
