"""Start-up: the CPU of `evalcli --help`, and the time until `evalhook serve` answers GET /health.

The best of several starts counts, since what else the machine does can only add to it.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from evalsim.library import as_git, write_sample_library

HELP_CPU_SECONDS = 0.4
READY_SECONDS = 1.5
GIVE_UP_SECONDS = 30.0
POLL_SECONDS = 0.01
BIN = Path(sys.executable).parent


def help_cpu() -> float:
    """CPU seconds, user and system, of one `evalcli --help`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([BIN / "evalcli", "--help"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ready_wall(library: Path, state: Path) -> float:
    """Seconds from starting `evalhook serve` to its first answer."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVALHOOK_")}
    environment |= {
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": "a-token-for-the-benchmark-0123456789",
        "MINDROUTER_BASE_URL": "http://127.0.0.1:9",
        "MINDROUTER_API_KEY": "unused",
        "EVALHOOK_PROMPT_LIBRARY": str(library),
        "EVALHOOK_STATE_DIR": str(state),
        "EVALHOOK_BIND": f"127.0.0.1:{port}",
        "EVALHOOK_COMMIT_BACK": "none",
    }
    begun = time.perf_counter()
    command = [str(BIN / "evalhook"), "serve"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            return time.perf_counter() - begun
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.perf_counter() + GIVE_UP_SECONDS
    while time.perf_counter() < until:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                said = process.stderr.read().decode() if process.stderr is not None else ""
                raise RuntimeError(f"evalhook did not start: {said}") from None
            time.sleep(POLL_SECONDS)
    raise RuntimeError(f"evalhook did not answer within {GIVE_UP_SECONDS:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    starts = parser.parse_args().starts
    cpu = [help_cpu() for _ in range(starts)]
    with TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        write_sample_library(library)
        as_git(library)
        ready = [ready_wall(library, Path(folder) / f"state-{number}") for number in range(starts)]
    print(f"evalcli --help: {min(cpu):.2f} s of CPU (most {max(cpu):.2f}), at most {HELP_CPU_SECONDS} s")
    print(f"evalhook serve: ready in {min(ready):.2f} s (most {max(ready):.2f}), at most {READY_SECONDS} s")
    return 0 if min(cpu) <= HELP_CPU_SECONDS and min(ready) <= READY_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
