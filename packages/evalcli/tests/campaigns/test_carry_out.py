"""A run that goes from one worker to another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcli.campaigns.assignment import Assignment, Places
from evalcli.campaigns.carry_out import await_turn, carry_out
from evalcli.campaigns.plan import PlannedRun
from evalcli.leaderboards.places import Sources
from evalcore.errors import StorageError
from evalsim.testing import make_case

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
WAITER = """
import sys, pathlib
from evalcli.campaigns.carry_out import await_turn
await_turn(pathlib.Path(sys.argv[1]))
"""


def test_a_run_is_gone_on_with_once_its_last_process_has_ended(tmp_path: Path) -> None:
    """Its host may have been halted for longer than the lease: it has the files still."""
    replies = tmp_path / "replies.jsonl"
    replies.write_bytes(b"")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER, replies], **pipes) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with subprocess.Popen([sys.executable, "-c", WAITER, tmp_path], **pipes) as waiter:
            assert waiter.stderr is not None
            assert "another process is at work on it" in waiter.stderr.readline()
            assert waiter.poll() is None
            holder.kill()
            assert waiter.wait(timeout=60) == 0


def test_a_run_that_nobody_has_begun_is_not_waited_for(tmp_path: Path) -> None:
    await_turn(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_file_of_replies_is_said(tmp_path: Path) -> None:
    (tmp_path / "replies.jsonl").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        await_turn(tmp_path)


@pytest.mark.parametrize(("source", "is_quoted"), [("library", True), ("data_sets", False)])
def test_why_a_run_is_partial_leaves_the_machine_as_a_pull_request_would_tell_it(
    source: str,
    make_run: Callable[..., Path],
    make_planned: Callable[..., PlannedRun],
    *,
    is_quoted: bool,
) -> None:
    folder = make_run([{"decision": "approve"}], cases=[make_case("one", "{}", source=source)])
    record = json.loads((folder / "record.json").read_text())
    reason = "1 of 9 calls were never answered: bad_request, the server says: no letters of Acme"
    (folder / "record.json").write_text(json.dumps(record | {"status": "partial", "reason": reason}))
    assignment = Assignment("nightly", 1, "job", folder.name, make_planned("memo/big"))
    result = carry_out(assignment, Places(Sources(folder.parent, None, None), folder.parent), {})
    assert (result.status, "Acme" in str(result.reason)) == ("partial", is_quoted)
    assert "bad_request" in str(result.reason)
