"""The whole command beside bare loops, as processes: start-up, calling, keeping, scoring, record.

Wall: 400 calls of 200 ms, 16 in flight: at most 1.15 of the ideal 5.0 s, and at most 1.10 of a bare httpx
loop's, which only calls and parses; beside it the same loop with aiohttp. All in turn, round by round, of a
server that costs no time itself (bare_server); that of the CPU part is a simulated MindRouter.
CPU: 2,000 calls of 0 ms, not streamed, replies kept and scored: at most 0.60 of the loop's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp
import httpx

from bare_server import bare_server
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

ANSWER: Final = answer_of(20)
IDEAL: Final = 5.0
"""Seconds; 400 calls of 200 ms, 16 at a time."""
Ask = Callable[[dict[str, object]], Awaitable[bytes]]
"""Posts a body and gives the answer's."""


async def bare(library: str, url: str, cases: int, replicates: int) -> None:
    """What the figures are compared with: it calls and parses, and keeps nothing."""
    headers, path = {"Authorization": f"Bearer {KEY}"}, f"{url}/v1/chat/completions"
    if library == "httpx":
        async with httpx.AsyncClient(headers=headers, timeout=60.0) as client:

            async def ask(body: dict[str, object]) -> bytes:
                return (await client.post(path, json=body)).content

            await call_all(ask, cases, replicates)
    else:
        async with aiohttp.ClientSession(headers=headers) as session:

            async def ask_session(body: dict[str, object]) -> bytes:
                async with session.post(path, json=body) as answer:
                    return await answer.read()

            await call_all(ask_session, cases, replicates)


async def call_all(ask: Ask, cases: int, replicates: int) -> None:
    calls = iter([number for _ in range(replicates) for number in range(cases)])

    async def work() -> None:
        for number in calls:
            messages = [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": case_input(number)},
            ]
            answer = json.loads(await ask({"model": MODEL, "messages": messages}))
            if not answer["choices"][0]["message"]["content"]:
                raise RuntimeError("an answer is empty")

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def side_by_side(
    url: str, cases: int, replicates: int, rounds: int, libraries: tuple[str, ...] = ("httpx",)
) -> list[Measured]:
    """Medians of ours and of the bare loops, run in turn."""
    runs: list[list[Measured]] = [[] for _ in range(1 + len(libraries))]
    counts = ["--cases", str(cases), "--replicates", str(replicates)]
    for _ in range(rounds):
        with prompt_library(cases, ANSWER, url, stream=False) as folder:
            runs[0].append(measure(our_command(replicates), folder))
        for at, library in enumerate(libraries, start=1):
            theirs = [sys.executable, __file__, "--bare", url, "--library", library, *counts]
            runs[at].append(measure(theirs, Path.cwd()))
    return [_medians(each) for each in runs]


def _medians(runs: list[Measured]) -> Measured:
    return Measured(
        wall=median(run.wall for run in runs),
        cpu=median(run.cpu for run in runs),
        peak=median(run.peak for run in runs),
    )


def wall_part(rounds: int) -> bool:
    with bare_server(0.2, ANSWER) as url:
        measured = side_by_side(url, 40, 10, rounds, ("httpx", "aiohttp"))
    ours, with_httpx, with_aiohttp = measured
    print("400 calls of 200 ms, 16 in flight; ratio to the ideal 5.0 s, to bare httpx, to bare aiohttp:")
    for name, each in zip(("ours", "bare httpx", "bare aiohttp"), measured, strict=True):
        ratios = (each.wall / other for other in (IDEAL, with_httpx.wall, with_aiohttp.wall))
        shares = "  ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"  {name:<12} {each.wall:.2f} s  {shares}  (CPU {each.cpu:.2f} s)")
    print("  ours at most 1.15 of the ideal and 1.10 of bare httpx")
    return ours.wall <= 1.15 * IDEAL and ours.wall <= 1.1 * with_httpx.wall


def cpu_part(rounds: int) -> bool:
    """CPU of 2,000 calls beyond what 20 cost, so that no process's start-up counts, ours or the loop's."""
    answers = {case_input(number): ANSWER for number in range(200)}
    with simulated(SimConfig(models=(SimModel(id=MODEL),)), answers) as url:
        few, bare_few = side_by_side(url, 2, 10, rounds)
        many, bare_many = side_by_side(url, 200, 10, rounds)
    ours, theirs = many.cpu - few.cpu, bare_many.cpu - bare_few.cpu
    ratio = ours / theirs
    print(f"2,000 calls of 0 ms, kept and scored: CPU {ours:.2f} s, bare httpx {theirs:.2f} s")
    print(f"  ratio {ratio:.2f} (at most 0.60); start-up included {many.cpu / bare_many.cpu:.2f}")
    return ratio <= 0.6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--replicates", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(bare(options.library, options.bare, options.cases, options.replicates))
        return 0
    parts = [wall_part(options.rounds), cpu_part(options.rounds)]
    return 0 if all(parts) else 1


if __name__ == "__main__":
    sys.exit(main())
