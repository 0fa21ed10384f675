"""Calls through our client beside a bare httpx loop, alternating, in processes of their own.

Latency: 400 calls of 200 ms, 16 in flight, start-up included: our wall time over the loop's, at most 1.1.
Overhead: 2,000 calls of 0 ms, not streamed, replies kept: our CPU time over the loop's, at most 0.6.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
import msgspec

from evalcore.clients.interface import Call
from evalcore.clients.registry import open_client
from evalcore.models import Model, Provider
from evalsim.mindrouter import SimConfig, SimModel
from simulator import KEY, simulated

MODEL = "benchmark"
SYSTEM = "Answer with the facts of the document. " * 50
USER = "The document. " * 300
ANSWER = "- a fact of the document, in a line of its own\n" * 85
IN_FLIGHT = 16
ROUNDS = 5


class Measured(msgspec.Struct, frozen=True):
    """Seconds: of a whole process (wall), and of CPU in its loop alone and in all."""

    wall: float
    loop_cpu: float
    all_cpu: float


async def in_flight(count: int, one: Callable[[int], Awaitable[None]]) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def ours(url: str, count: int, kept: Path) -> None:
    provider = Provider(name="mindrouter", api="openai", base_url=url, api_key_env=None)
    model = Model(id=MODEL, provider="mindrouter", params={"temperature": 0.0, "max_tokens": 4096})
    encoder = msgspec.json.Encoder()
    with kept.open("wb") as lines:
        async with open_client(provider, url, KEY) as client:

            async def one(number: int) -> None:
                call = Call(case="case", replicate=number, model=model, system=SYSTEM, user=USER, schema=None)
                reply = await client.call(call)
                if reply.text is None:
                    raise RuntimeError(f"a call failed: {reply.error}")
                lines.write(encoder.encode(reply) + b"\n")

            await in_flight(count, one)


async def bare(url: str, count: int, _kept: Path) -> None:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]
    body = {"model": MODEL, "messages": messages, "temperature": 0.0, "max_tokens": 4096}
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60.0) as client:

        async def one(_number: int) -> None:
            answer = await client.post(f"{url}/v1/chat/completions", json=body)
            if not answer.json()["choices"][0]["message"]["content"]:
                raise RuntimeError("an answer is empty")

        await in_flight(count, one)


def work(kind: str, url: str, count: int) -> None:
    """What a measured process does; it tells its loop's CPU time on standard output."""
    with TemporaryDirectory() as folder:
        loop = ours if kind == "ours" else bare
        begun = time.process_time()
        asyncio.run(loop(url, count, Path(folder) / "replies.jsonl"))
        print(time.process_time() - begun)


def measure(kind: str, url: str, count: int) -> Measured:
    command = [sys.executable, __file__, "--work", kind, "--url", url, "--count", str(count)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall=wall, loop_cpu=float(told), all_cpu=cpu)


def side_by_side(latency: float, count: int, rounds: int) -> tuple[Measured, Measured]:
    """Medians of ours and of the bare loop."""
    config = SimConfig(models=(SimModel(id=MODEL, latency=latency),))
    runs: dict[str, list[Measured]] = {"ours": [], "bare": []}
    with simulated(config, {USER: ANSWER}) as url:
        for _ in range(rounds):
            for kind, measured in runs.items():
                measured.append(measure(kind, url, count))
    mine, theirs = (
        Measured(
            wall=median(run.wall for run in measured),
            loop_cpu=median(run.loop_cpu for run in measured),
            all_cpu=median(run.all_cpu for run in measured),
        )
        for measured in runs.values()
    )
    return mine, theirs


def latency_part(rounds: int) -> bool:
    mine, theirs = side_by_side(0.2, 400, rounds)
    ratio = mine.wall / theirs.wall
    print(
        f"400 calls of 200 ms, 16 in flight, start-up included: {mine.wall:.2f} s, "
        f"bare httpx {theirs.wall:.2f} s"
    )
    print(f"  ratio {ratio:.2f} (at most 1.10); of the ideal 5.0 s: {mine.wall / 5:.2f}")
    return ratio <= 1.1


def overhead_part(rounds: int) -> bool:
    mine, theirs = side_by_side(0.0, 2000, rounds)
    ratio = mine.loop_cpu / theirs.loop_cpu
    print(f"2,000 calls of 0 ms: CPU {mine.loop_cpu:.2f} s, bare httpx {theirs.loop_cpu:.2f} s")
    print(f"  ratio {ratio:.2f} (at most 0.60); start-up included {mine.all_cpu / theirs.all_cpu:.2f}")
    return ratio <= 0.6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--work", choices=("ours", "bare"), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.url, options.count)
        return 0
    parts = [latency_part(options.rounds), overhead_part(options.rounds)]
    return 0 if all(parts) else 1


if __name__ == "__main__":
    sys.exit(main())
