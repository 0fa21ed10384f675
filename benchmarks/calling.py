"""The whole command beside a bare httpx loop, as processes: start-up, calling, keeping, scoring, record.

Wall: 400 calls of 200 ms, 16 in flight: at most 1.10 of the loop's, which only calls and parses.
CPU: 2,000 calls of 0 ms, not streamed, replies kept and scored: at most 0.60 of the loop's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median

import httpx

from evalsim.mindrouter import SimConfig, SimModel
from process import (
    IN_FLIGHT,
    MODEL,
    PROMPT,
    Measured,
    answer_of,
    case_input,
    measure,
    our_command,
    prompt_library,
)
from simulator import KEY, simulated


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
    answer = answer_of(20)
    answers = {case_input(number): answer for number in range(cases)}
    runs: dict[str, list[Measured]] = {"ours": [], "bare": []}
    with simulated(SimConfig(models=(model,)), answers) as url:
        theirs = [sys.executable, __file__, "--bare", url, "--cases", str(cases)]
        theirs += ["--replicates", str(replicates)]
        for _ in range(rounds):
            with prompt_library(cases, answer, url, stream=False) as folder:
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
    """CPU of 2,000 calls beyond what 20 cost, so that no process's start-up counts, ours or the loop's."""
    few, bare_few = side_by_side(SimModel(id=MODEL), 2, 10, rounds)
    many, bare_many = side_by_side(SimModel(id=MODEL), 200, 10, rounds)
    ours, theirs = many.cpu - few.cpu, bare_many.cpu - bare_few.cpu
    ratio = ours / theirs
    print(f"2,000 calls of 0 ms, kept and scored: CPU {ours:.2f} s, bare httpx {theirs:.2f} s")
    print(f"  ratio {ratio:.2f} (at most 0.60); start-up included {many.cpu / bare_many.cpu:.2f}")
    return ratio <= 0.6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--replicates", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(bare(options.bare, options.cases, options.replicates))
        return 0
    parts = [wall_part(options.rounds), cpu_part(options.rounds)]
    return 0 if all(parts) else 1


if __name__ == "__main__":
    sys.exit(main())
