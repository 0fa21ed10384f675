"""The whole command beside a bare httpx loop, as processes: start-up, calling, keeping, scoring, record.

Wall: 400 calls of 200 ms, 16 in flight: at most 1.10 of the loop's, which only calls and parses.
CPU: 2,000 calls of 0 ms, not streamed, replies kept and scored: at most 0.60 of the loop's.
Memory: 20,000 calls of 4 kB replies: at most 150 MB at the peak, and at most 1.10 of 2,000 calls'.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
import msgspec

from evalsim.mindrouter import SimConfig, SimModel
from simulator import KEY, simulated

MODEL = "benchmark"
IN_FLIGHT = 16
EVALCLI = Path(sys.executable).with_name("evalcli")
PROMPT = "---\nname: benchmark\nversion: 1.0.0\n---\n\n## Prompt\n\n" + "Answer with the facts. " * 80
FACT = "- a fact of the document, in a line of its own\n"


class Measured(msgspec.Struct, frozen=True):
    """Of a whole process and its children: seconds, and the largest one's peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def case_input(number: int) -> str:
    return f"Document {number}. " + "The document goes on. " * 40


@contextmanager
def prompt_library(cases: int, answer: str, url: str) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        component = Path(folder) / "components" / "benchmark"
        for number in range(cases):
            case = component / "evals" / "cases" / f"case-{number:04}"
            case.mkdir(parents=True)
            (case / "input.md").write_text(case_input(number), "utf-8")
            (case / "expected.md").write_text(answer, "utf-8")
        (component / "prompt.md").write_text(PROMPT, "utf-8")
        models = {
            "providers": {"mindrouter": {"api": "openai", "base_url": url, "api_key_env": "BENCHMARK_KEY"}},
            "models": [{"id": MODEL, "provider": "mindrouter", "stream": False, "concurrency": IN_FLIGHT}],
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


def our_command(replicates: int) -> list[str]:
    options = ["--replicates", str(replicates), "--concurrency", str(IN_FLIGHT)]
    return [str(EVALCLI), "evaluate", "benchmark", *options]


async def bare(url: str, cases: int, replicates: int) -> None:
    """What the figures are compared with: it calls and parses, and keeps nothing."""
    headers = {"Authorization": f"Bearer {KEY}"}
    calls = iter([number for _ in range(replicates) for number in range(cases)])
    async with httpx.AsyncClient(headers=headers, timeout=60.0) as client:

        async def work() -> None:
            for number in calls:
                messages = [
                    {"role": "system", "content": PROMPT},
                    {"role": "user", "content": case_input(number)},
                ]
                body = {"model": MODEL, "messages": messages}
                answer = await client.post(f"{url}/v1/chat/completions", json=body)
                if not answer.json()["choices"][0]["message"]["content"]:
                    raise RuntimeError("an answer is empty")

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def side_by_side(model: SimModel, cases: int, replicates: int, rounds: int) -> tuple[Measured, Measured]:
    """Medians of ours and of the bare loop, run in turn."""
    answer = FACT * 20
    answers = {case_input(number): answer for number in range(cases)}
    runs: dict[str, list[Measured]] = {"ours": [], "bare": []}
    with simulated(SimConfig(models=(model,)), answers) as url:
        theirs = [sys.executable, __file__, "--bare", url, "--cases", str(cases)]
        theirs += ["--replicates", str(replicates)]
        for _ in range(rounds):
            with prompt_library(cases, answer, url) as folder:
                runs["ours"].append(measure(our_command(replicates), folder))
            runs["bare"].append(measure(theirs, Path.cwd()))
    return _medians(runs["ours"]), _medians(runs["bare"])


def _medians(runs: list[Measured]) -> Measured:
    return Measured(
        wall=median(run.wall for run in runs),
        cpu=median(run.cpu for run in runs),
        peak=median(run.peak for run in runs),
    )


def wall_part(rounds: int) -> bool:
    ours, theirs = side_by_side(SimModel(id=MODEL, latency=0.2), 40, 10, rounds)
    ratio = ours.wall / theirs.wall
    print(f"400 calls of 200 ms, 16 in flight: {ours.wall:.2f} s, bare httpx {theirs.wall:.2f} s")
    print(f"  ratio {ratio:.2f} (at most 1.10); of the ideal 5.0 s: {ours.wall / 5:.2f}")
    return ratio <= 1.1


def cpu_part(rounds: int) -> bool:
    ours, theirs = side_by_side(SimModel(id=MODEL), 200, 10, rounds)
    ratio = ours.cpu / theirs.cpu
    print(f"2,000 calls of 0 ms, kept and scored: CPU {ours.cpu:.2f} s, bare httpx {theirs.cpu:.2f} s")
    print(f"  ratio {ratio:.2f} (at most 0.60)")
    return ratio <= 0.6


def memory_part() -> bool:
    answer = FACT * 85
    peaks = []
    for cases in (20, 200):
        answers = {case_input(number): answer for number in range(cases)}
        with (
            simulated(SimConfig(models=(SimModel(id=MODEL),)), answers) as url,
            prompt_library(cases, answer, url) as folder,
        ):
            peaks.append(measure(our_command(100), folder).peak)
    few, many = peaks
    print(f"20,000 calls of 4 kB replies: peak {many:.0f} MB (at most 150), 2,000 calls: {few:.0f} MB")
    print(f"  ratio {many / few:.2f} (at most 1.10)")
    return many <= 150 and many <= 1.1 * few


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--replicates", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(bare(options.bare, options.cases, options.replicates))
        return 0
    parts = [wall_part(options.rounds), cpu_part(options.rounds), memory_part()]
    return 0 if all(parts) else 1


if __name__ == "__main__":
    sys.exit(main())
