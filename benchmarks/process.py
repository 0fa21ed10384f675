"""`evalcli evaluate` as a process of its own, on a prompt library made for a benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from simulator import KEY

MODEL = "benchmark"
IN_FLIGHT = 16
EVALCLI = Path(sys.executable).with_name("evalcli")
PROMPT = "---\nname: benchmark\nversion: 1.0.0\n---\n\n## Prompt\n\n" + "Answer with the facts. " * 80
SCHEMA = {"type": "object", "properties": {"facts": {"type": "array", "items": {"type": "string"}}}}


class Measured(msgspec.Struct, frozen=True):
    """Of a whole process and its children: seconds, and the largest one's peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def answer_of(facts: int) -> str:
    """A JSON answer of about 50 bytes a fact."""
    return json.dumps(
        {"facts": [f"fact {number} of the document, in words of its own" for number in range(facts)]}
    )


def case_input(number: int) -> str:
    return f"Document {number}. " + "The document goes on. " * 40


@contextmanager
def prompt_library(cases: int, answer: str, url: str, **model: bool | float) -> Iterator[Path]:
    """Write a library of one component; `model` adds to the model's entry in models.yaml."""
    with TemporaryDirectory() as folder:
        component = Path(folder) / "components" / "benchmark"
        for number in range(cases):
            case = component / "evals" / "cases" / f"case-{number:04}"
            case.mkdir(parents=True)
            (case / "input.md").write_text(case_input(number), "utf-8")
            (case / "expected.json").write_text(answer, "utf-8")
        (component / "prompt.md").write_text(PROMPT, "utf-8")
        (component / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
        models = {
            "providers": {"mindrouter": {"api": "openai", "base_url": url, "api_key_env": "BENCHMARK_KEY"}},
            "models": [{"id": MODEL, "provider": "mindrouter", "concurrency": IN_FLIGHT} | model],
        }
        (Path(folder) / ".evaluator").mkdir()
        (Path(folder) / ".evaluator" / "models.yaml").write_text(json.dumps(models), "utf-8")
        yield Path(folder)


def measure(command: list[str], folder: Path) -> Measured:
    begun = time.perf_counter()
    environment = os.environ | {"BENCHMARK_KEY": KEY}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        words = process.stderr.read() if process.stderr else b""
        # wait4 tells this process's own use, that of the children it waited for included.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(words.decode())
    return Measured(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def our_command(replicates: int, *options: str) -> list[str]:
    """The command line of an evaluation of the benchmark's library."""
    bounds = ["--replicates", str(replicates), "--concurrency", str(IN_FLIGHT)]
    return [str(EVALCLI), "evaluate", "benchmark", *bounds, *options]
