"""The whole command on each dialect: 4 models x 10 cases x 10 replicates of 200 ms, 16 in flight.

At most 1.15 of the ideal 5.0 s, start-up included: the simulated provider is a process of its own. MindRouter
is streamed from, as it is by default; the cloud is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from evalsim.cloud import CloudConfig, CloudModel
from evalsim.mindrouter import SimConfig, SimModel
from process import IN_FLIGHT, answer_of, case_input, measure, our_command, prompt_library
from simulator import KEY, simulated

LATENCY: Final = 0.2
CASES: Final = 10
REPLICATES: Final = 10
MODELS: Final = tuple(f"model-{number}" for number in range(4))
IDEAL: Final = LATENCY * CASES * REPLICATES * len(MODELS) / IN_FLIGHT
MOST: Final = 1.15
APIS: Final = {"mindrouter": "openai", "anthropic": "anthropic", "openai": "openai", "google": "google"}


@contextmanager
def provider(kind: str, answers: dict[str, str]) -> Iterator[str]:
    """Serve one provider in a process of its own while the block runs; gives its address."""
    if kind == "mindrouter":
        with simulated(
            SimConfig(models=tuple(SimModel(id=name, latency=LATENCY) for name in MODELS)), answers
        ) as url:
            yield url
        return
    with TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        models = tuple(CloudModel(id=name, latency=LATENCY) for name in MODELS)
        config.write_bytes(msgspec.json.encode(CloudConfig(models=models)))
        for number, (text, answer) in enumerate(answers.items()):
            case = Path(folder) / "data" / "benchmark" / f"case-{number}"
            case.mkdir(parents=True)
            (case / "input.md").write_text(text, "utf-8")
            (case / "expected.json").write_text(answer, "utf-8")
        command = [sys.executable, "-m", "evalsim.main", "cloud", kind, "--port", "0", "--key", KEY]
        command += ["--config", str(config), "--answers", str(Path(folder) / "data")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                line = process.stderr.readline() if process.stderr else ""
                _, mark, url = line.strip().rpartition("base_url=")
                if not mark:
                    raise RuntimeError(f"the simulated provider did not start: {line}")
                yield url
            finally:
                process.terminate()


def seconds(kind: str, rounds: int) -> float:
    """The median of whole commands, in seconds."""
    answer = answer_of(20)
    with provider(kind, {case_input(number): answer for number in range(CASES)}) as url:
        walls = []
        for _ in range(rounds):
            with prompt_library(CASES, answer, url) as folder:
                entry = {"provider": kind, "structured_output": "json_schema", "concurrency": IN_FLIGHT}
                models = [{"id": name, "params": {"max_tokens": 4096}} | entry for name in MODELS]
                settings = {"api": APIS[kind], "base_url": url, "api_key_env": "BENCHMARK_KEY"}
                path = folder / ".evaluator" / "models.yaml"
                path.write_text(json.dumps({"providers": {kind: settings}, "models": models}), "utf-8")
                walls.append(measure(our_command(REPLICATES), folder).wall)
    return median(walls)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dialect", choices=APIS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    worst = 0.0
    for kind in options.dialect or APIS:
        wall = seconds(kind, options.rounds)
        worst = max(worst, wall / IDEAL)
        print(
            f"{kind:<10} {wall:.2f} s, {wall / IDEAL:.2f} of the ideal {IDEAL:.1f} s (at most {MOST})",
            flush=True,
        )
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
