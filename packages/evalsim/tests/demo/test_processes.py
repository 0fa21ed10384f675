"""The demo's processes: they end with the block, and one that does not start is noticed."""

from __future__ import annotations

import os
import sys

import pytest

from evalsim.demo.failure import DemoError
from evalsim.demo.processes import free_port, running, wait_until_answering


def test_what_is_running_ends_with_the_block_and_its_children_too(tmp_path):
    held = tmp_path / "held-open-by-the-child"
    os.mkfifo(held)
    child = f"import time; held = open({str(held)!r}, 'wb'); held.write(b'x'); held.flush(); time.sleep(60)"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    command = [sys.executable, "-c", script]
    with running("program", command, environment=os.environ, folder=tmp_path) as process:
        pipe = held.open("rb")
        assert pipe.read(1) == b"x"
    assert not process.is_running
    with pipe:
        assert pipe.read() == b""  # comes only once nobody holds the other end


def test_a_program_that_ends_at_its_start_is_told_at_once(tmp_path):
    command = [sys.executable, "-c", "print('EVALHOOK_BIND is wrong'); raise SystemExit(2)"]
    with running("service", command, environment=os.environ, folder=tmp_path) as process:
        with pytest.raises(DemoError, match="the service ended at its start"):
            wait_until_answering(process, f"http://127.0.0.1:{free_port()}/health", seconds=30)
        assert process.tail(5) == ["EVALHOOK_BIND is wrong"]


def test_the_logs_end_can_leave_out_what_is_no_news(tmp_path):
    command = [sys.executable, "-c", "print('trouble'); [print('poll', n) for n in range(100)]"]
    with running("service", command, environment=os.environ, folder=tmp_path) as process:
        while process.is_running:
            pass
        assert process.tail(1) == ["poll 99"]
        assert process.tail(1, without="poll") == ["trouble"]


def test_a_program_that_never_answers_is_given_up(tmp_path):
    clock = iter([0.0, 1.0, 9.0])
    url = f"http://127.0.0.1:{free_port()}/health"
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        running("service", command, environment=os.environ, folder=tmp_path) as process,
        pytest.raises(DemoError, match="did not answer within 5 s"),
    ):
        wait_until_answering(process, url, seconds=5, clock=lambda: next(clock))
