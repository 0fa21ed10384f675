"""A simulated MindRouter in a process of its own, so that its CPU time is not counted as ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from evalsim.mindrouter import SimConfig

KEY = "mr2_benchmark"


@contextmanager
def simulated(config: SimConfig, answers: dict[str, str] | None = None) -> Iterator[str]:
    """Serve `config` while the block runs; `answers` are the expected ones by the input."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_bytes(msgspec.json.encode(config))
        for number, (text, answer) in enumerate((answers or {}).items()):
            case = Path(folder) / "data" / "benchmark" / f"case-{number}"
            case.mkdir(parents=True)
            (case / "input.md").write_text(text, "utf-8")
            kind = "json" if answer.startswith("{") else "md"
            (case / f"expected.{kind}").write_text(answer, "utf-8")
        command = [sys.executable, "-m", "evalsim.main", "mindrouter", "--port", "0", "--key", KEY]
        command += ["--config", str(path)]
        command += ["--answers", str(Path(folder) / "data")] if answers else []
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield _url(process)
            finally:
                process.terminate()


def _url(process: subprocess.Popen[str]) -> str:
    if process.stderr is None:
        raise RuntimeError("the simulator's standard error is not read")
    line = process.stderr.readline()
    _, mark, url = line.strip().rpartition("MINDROUTER_BASE_URL=")
    if not mark:
        raise RuntimeError(f"the simulated MindRouter did not start: {line}{process.stderr.read()}")
    return url
