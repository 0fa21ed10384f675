"""The demo's own processes: each in a session of its own, its output in a file, ended with the demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from evalsim.demo.failure import DemoError

STOP_SECONDS = 8.0
POLL_SECONDS = 0.05
TAIL_BYTES = 256 * 1024


class Process:
    """A running program with its log."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    def stop(self) -> None:
        """Ask it to end, insist after a while, and end whatever it started itself."""
        if self.is_running:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            # The session is its own, so that its number names whatever it left behind: git, or the scoring
            # process.
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def tail(self, lines: int, *, without: str | None = None) -> list[str]:
        """Return the last lines of its output, those that hold `without` left out."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
        return [line for line in text.splitlines() if without is None or without not in line][-lines:]


@contextmanager
def running(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path
) -> Iterator[Process]:
    """Run a program until the block ends; its output goes to `<name>.log` in the folder."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            # Ctrl-C in the terminal reaches the demo alone, which then ends its processes in order.
            start_new_session=True,
        )
    process = Process(name, popen, log)
    try:
        yield process
    finally:
        process.stop()


def wait_until_answering(
    process: Process, url: str, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> None:
    """Wait until a GET of the address is answered with 200.

    Raises DemoError when the process ends before, or the time is up.
    """
    deadline = clock() + seconds
    # No proxy of the environment: what is asked is on this machine.
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while True:
            with suppress(httpx.TransportError):
                if client.get(url).status_code == httpx.codes.OK:
                    return
            if not process.is_running:
                raise DemoError(f"the {process.name} ended at its start", hint="its log says why")
            if clock() > deadline:
                raise DemoError(f"the {process.name} did not answer within {seconds:.0f} s", where=url)
            time.sleep(POLL_SECONDS)


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
