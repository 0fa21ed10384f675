"""One run where one is: gone on with by whoever has it, and within its share of the budget."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from evalcli.campaigns.assignment import Assignment, Places, RunResult
from evalcli.campaigns.carry_out import await_turn, carry_out
from evalcli.campaigns.file import parse_campaign
from evalcli.campaigns.plan import PlannedRun, plan_campaign
from evalcli.leaderboards.places import Sources
from evalcore.errors import ConfigurationError, StorageError
from evalcore.ids import uuid7
from evalsim.mindrouter import AnswerBook, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import make_case, write_component

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


# An answer is taken to cost 16.384 USD at most, and costs about a cent.
MODELS = """\
providers:
  mindrouter: {base_url: "${THE_GATEWAY}/v1"}
models:
  - {id: alpha, provider: mindrouter, concurrency: 1, price: {input: 0, output: 1000}}
"""
Do = Callable[..., RunResult]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    write_component(root, schema=schema, cases={"one": {"amount": 1}, "two": {"amount": 2}})
    (root / ".evaluator").mkdir()
    (root / ".evaluator" / "models.yaml").write_text(MODELS)
    return root


@pytest.fixture
def gateway(library: Path) -> Iterator[tuple[SimulatedMindRouter, str]]:
    mindrouter = SimulatedMindRouter(
        SimConfig(models=(SimModel(id="alpha"),)), AnswerBook.from_folders([library])
    )
    with running(mindrouter) as url:
        yield mindrouter, url


@pytest.fixture
def do(library: Path, gateway: tuple[SimulatedMindRouter, str]) -> Do:
    """Do the one run of a campaign of three replicates; what is given replaces fields of the planned run."""
    sources, runs_dir = Sources(library, None, None), library / ".evaluator" / "runs"
    campaign = parse_campaign("models: all\nreplicates: 3\n", "nightly.yaml", "nightly")
    (planned,) = plan_campaign(campaign, sources, runs_dir).runs
    runs_dir.mkdir()
    environ = {"THE_GATEWAY": gateway[1], "MINDROUTER_API_KEY": "a-key-of-the-simulation"}

    def run(**fields: object) -> RunResult:
        assignment = Assignment(
            campaign="nightly",
            attempt=1,
            job_id=uuid7(1, bytes(10)),
            run_id=uuid7(2, bytes(10)),
            run=msgspec.structs.replace(planned, **fields),
        )
        return carry_out(assignment, Places(sources, runs_dir), environ)

    return run


def test_a_run_is_called_recorded_and_done_again_it_is_what_it_was(
    do: Do, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    done = do()
    assert (done.status, done.reason) == ("complete", None)
    assert done.record is not None
    assert (Path(done.run_dir) / "record.json").is_file()
    assert do() == done
    assert gateway[0].gateway.calls == {"alpha": 6}


def test_replies_that_are_kept_are_paid_from_the_runs_share_of_the_budget(
    do: Do, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    stopped = do(max_cost=16.39)
    calls = gateway[0].gateway.calls["alpha"]
    assert (stopped.status, 1 <= calls < 6) == ("stopped", True)
    assert "budget" in (stopped.reason or "")
    assert do(max_cost=16.39).status == "stopped"
    assert gateway[0].gateway.calls["alpha"] == calls
    assert do(max_cost=100.0).status == "complete"
    assert gateway[0].gateway.calls["alpha"] == 6


def test_files_that_are_not_those_that_were_planned_are_named_before_any_call(
    do: Do, library: Path, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    (library / ".evaluator" / "models.yaml").write_text(MODELS.replace("output: 1000", "output: 2000"))
    with pytest.raises(ConfigurationError, match="the entry of alpha are not those that were planned"):
        do()
    assert gateway[0].gateway.calls == {}
