"""The process of one run: told on standard input what to do, it says on standard output how that ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import pytest

from evalcli.campaigns.assignment import Assignment, RunResult
from evalcli.campaigns.plan import PlannedRun
from evalcli.campaigns.run_process import ABANDONED, RunRequest
from evalcore.decoding import decode_json

ITSELF = ("-m", "evalcli.campaigns.run_process")
WITH_A_RUN = """
import threading
from evalcli.campaigns import run_process
from evalcli.campaigns.assignment import RunResult

def carry_out(assignment, places, environ):
{body}

run_process.carry_out = carry_out
run_process.main()
"""
UNTIL_IT_IS_ENDED = '    print("at work", flush=True)\n    threading.Event().wait()'
CHATTY = """\
    print("a module says something")
    return RunResult("complete", None, None, assignment.run_id, str(places.runs_dir))
"""
LONG_S = 3600.0


@pytest.fixture
def request_of(tmp_path: Path, make_planned: Callable[..., PlannedRun]) -> Callable[..., bytes]:
    """What a worker writes to the process of a run first; the library is empty."""

    def written(patience_s: float = LONG_S) -> bytes:
        request = RunRequest(
            assignment=Assignment("nightly", 1, "job", "0190-run", make_planned("memo/alpha")),
            prompt_library=str(tmp_path),
            data_sets=None,
            models=None,
            runs_dir=str(tmp_path / "runs"),
            patience_s=patience_s,
        )
        return msgspec.json.encode(request) + b"\n"

    return written


def started(*arguments: str) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *arguments], **pipes)


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def test_what_is_told_to_do_nothing_is_abandoned() -> None:
    with started(*ITSELF) as process:
        assert process.communicate(b"") == (b"", b"")
    assert process.returncode == ABANDONED


def test_a_request_that_is_cut_off_is_none(request_of: Callable[..., bytes]) -> None:
    with started(*ITSELF) as process:
        out, _ = process.communicate(request_of()[:-20])
    assert (out, process.returncode) == (b"", ABANDONED)


def test_what_cannot_be_done_here_is_a_result_of_one_line(request_of: Callable[..., bytes]) -> None:
    with started(*ITSELF) as process:
        pipe(process.stdin).write(request_of())
        pipe(process.stdin).flush()
        result = decode_json(pipe(process.stdout).read(), RunResult)
        assert process.wait() == 0
    assert (result.status, result.record) == ("failed", None)
    assert "is not a prompt library" in (result.reason or "")


def test_what_modules_print_is_no_part_of_the_result(
    request_of: Callable[..., bytes], tmp_path: Path
) -> None:
    with started("-c", WITH_A_RUN.format(body=CHATTY)) as process:
        pipe(process.stdin).write(request_of())
        pipe(process.stdin).flush()
        written, said = pipe(process.stdout).read(), pipe(process.stderr).read()
        assert process.wait() == 0
    assert decode_json(written, RunResult) == RunResult(
        "complete", None, None, "0190-run", str(tmp_path / "runs")
    )
    assert said == b"a module says something\n"


def test_in_the_middle_of_its_run_it_ends_once_its_worker_is_gone(request_of: Callable[..., bytes]) -> None:
    with started("-c", WITH_A_RUN.format(body=UNTIL_IT_IS_ENDED)) as process:
        # With a sign of life right behind the request, as a worker sends it.
        pipe(process.stdin).write(request_of() + b"\n")
        pipe(process.stdin).flush()
        assert pipe(process.stderr).readline() == b"at work\n"
        assert process.poll() is None
        pipe(process.stdin).close()
        assert process.wait() == ABANDONED
        assert pipe(process.stdout).read() == b""


def test_it_ends_where_it_hears_nothing_though_its_worker_is_there(request_of: Callable[..., bytes]) -> None:
    with started("-c", WITH_A_RUN.format(body=UNTIL_IT_IS_ENDED)) as process:
        pipe(process.stdin).write(request_of(patience_s=0.1))
        pipe(process.stdin).flush()
        assert process.wait() == ABANDONED
