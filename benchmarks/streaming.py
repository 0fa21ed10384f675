"""CPU time of one streamed answer of 8,000 events: at most 60 ms at 64 events a read, 250 ms at 8.

Beside it, in the same rounds, a bare httpx loop that joins the pieces of the same stream.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

import httpx

from evalcore.clients.http import HttpClient, open_http_client
from evalcore.clients.interface import Call
from evalcore.clients.openai.dialect import DIALECT as OPENAI
from evalcore.library.models import Model, Provider
from evalsim.mindrouter import SimConfig, SimModel
from simulator import KEY, simulated

EVENTS = 8000
ANSWER = "word" * EVENTS
USER = "Write 8,000 words."
LIMITS = {64: 0.060, 8: 0.250}
"""Seconds of CPU, by events a read."""
PACE = {64: 0.004, 8: 0.001}
"""Seconds between two reads, so that they stay apart."""
ROUNDS = 7


async def cpu_seconds(work: Callable[[], Awaitable[str | None]]) -> float:
    begun = time.process_time()
    if await work() != ANSWER:
        raise RuntimeError("the answer is not the one that was sent")
    return time.process_time() - begun


async def ours(client: HttpClient, model: Model) -> str | None:
    reply = await client.call(
        Call(case="case", replicate=0, model=model, system="Write.", user=USER, schema=None)
    )
    return reply.text


async def bare(client: httpx.AsyncClient, url: str, model: Model) -> str:
    messages = [{"role": "system", "content": "Write."}, {"role": "user", "content": USER}]
    body = {"model": model.id, "messages": messages, "stream": True}
    async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
        deltas = [
            json.loads(line[6:])["choices"][0]["delta"]
            async for line in response.aiter_lines()
            if line.startswith("data: {")
        ]
    return "".join(delta.get("content", "") for delta in deltas)


async def measure(url: str, events_per_read: int, rounds: int) -> tuple[float, float]:
    """Medians of ours and of the bare loop."""
    provider = Provider(name="mindrouter", api="openai", base_url=url, api_key_env=None)
    model = Model(id=f"reads-of-{events_per_read}", provider="mindrouter", stream=True)
    headers = {"Authorization": f"Bearer {KEY}"}
    mine: list[float] = []
    theirs: list[float] = []
    async with (
        open_http_client(OPENAI, provider, url, KEY) as client,
        httpx.AsyncClient(headers=headers, timeout=60.0) as loop,
    ):
        await ours(client, model)
        for _ in range(rounds):
            mine.append(await cpu_seconds(lambda: ours(client, model)))
            theirs.append(await cpu_seconds(lambda: bare(loop, url, model)))
    return median(mine), median(theirs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    models = tuple(
        SimModel(id=f"reads-of-{events}", events_per_read=events, pace=PACE[events]) for events in LIMITS
    )
    is_within = True
    with simulated(SimConfig(models=models), {USER: ANSWER}) as url:
        for events, limit in LIMITS.items():
            mine, theirs = asyncio.run(measure(url, events, rounds))
            is_within = is_within and mine <= limit
            print(
                f"8,000 events at {events} a read: CPU {mine * 1000:.0f} ms (at most {limit * 1000:.0f}), "
                f"bare httpx {theirs * 1000:.0f} ms, ratio {mine / theirs:.2f}"
            )
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
