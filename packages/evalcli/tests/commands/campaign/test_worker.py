"""`evalcli campaign worker`: runs of whatever campaigns there are, and kept replies scored again."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalcore.ids import uuid7

Make = Callable[..., Any]
MakeRun = Callable[..., Path]


def test_without_anything_to_do_it_ends_or_waits_until_it_is_told_to_end(
    make_world: Make, eventually: Callable[[Callable[[], object], str], None]
) -> None:
    world = make_world()
    nothing = world.look("worker")
    assert (nothing.code, nothing.out, nothing.err) == (3, "", "nothing is left to do\n")
    process = world.start("worker", "--wait")
    world.look("run", world.file, "--no-work")
    eventually(lambda: world.status()["workers"], "the worker is seen")
    eventually(lambda: world.status()["counts"] == {"complete": 2}, "what was queued meanwhile is done")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    done = world.ended(process)
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1].split() == ["evalcli", "campaign", "worker", "--wait"]
    assert world.status()["workers"] == []


def test_where_its_database_is_not_there_it_waits_and_may_be_ended_in_order(make_world: Make) -> None:
    """A task of a job array that begins while the database is restarted is not lost."""
    world = make_world()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"postgresql://user@127.0.0.1:{free.getsockname()[1]}/name"
        process = world.start("worker", "--database", address)
        said = process.stderr.readline()
        assert said.startswith(f"{address}: the database cannot be used (")
        assert said.endswith("; it is waited for, 10 min 0 s at most\n")
        process.send_signal(signal.SIGTERM)
        done = world.ended(process)
    assert (done.returncode, done.stderr.strip()) == (130, "evalcli: interrupted")


def test_in_a_folder_that_is_no_library_it_is_one_line(make_world: Make, tmp_path: Path) -> None:
    done = make_world().look("worker", "--prompt-library", tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "is not a prompt library" in done.err


def test_kept_replies_are_scored_again_by_the_policy_that_there_is_now(
    make_world: Make, make_run: MakeRun
) -> None:
    world = make_world()
    wrong = {"decision": "approve", "amount": 1, "reasons": ["complete", "signed"]}
    before = {}
    for number in (1, 2):
        folder = make_run([wrong], number)
        before[folder.name] = json.loads((folder / "record.json").read_text())["accuracy"]["mean"]
    policy = world.library / "components" / "memo" / "evals" / "scoring.yaml"
    policy.write_text("fields: {amount: {weight: 9}}\n")
    world.file.write_text("models: all\ntask: rescore\n")
    line = ("run", world.file, "--runs-dir", folder.parent, "--json")
    done = world.run(*line)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {run["rescored"] for run in told["runs"]} == set(before)
    for run in told["runs"]:
        records = [json.loads(path.read_text()) for path in Path(run["run_dir"]).glob("record*.json")]
        (scored,) = (record for record in records if record.get("rescored_from") == run["rescored"])
        assert scored["accuracy"]["mean"] == run["accuracy"] < before[run["rescored"]]
    # The records of the runs themselves are as they were, and nothing was called.
    for name, accuracy in before.items():
        assert json.loads((folder.parent / name / "record.json").read_text())["accuracy"]["mean"] == accuracy
    assert world.calls == 0
    again = world.look(*line)
    assert (again.code, json.loads(again.out)["counts"]) == (0, {"complete": 2})


def test_a_kept_run_that_is_not_here_fails_in_one_line(make_world: Make, make_run: MakeRun) -> None:
    world = make_world()
    folder = make_run([{"decision": "approve"}])
    world.file.write_text("models: all\ntask: rescore\n")
    queued = world.look("run", world.file, "--no-work", "--runs-dir", folder.parent)
    assert queued.code == 0, queued.err
    assert world.run("worker").returncode == 0
    (run,) = world.status()["runs"]
    assert (run["status"], f"run {uuid7(1, bytes(10))} is not here" in run["reason"]) == ("failed", True)
