"""One call in a hundred is accepted and never answered; the time limit is 2 s, all else at its defaults.

Every call must be accounted for, and the run must end.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter

from evalcore.clients.http import open_openai_client
from evalcore.clients.interface import Call
from evalcore.models import Model, Provider
from evalsim.mindrouter import Fault, SimConfig, SimModel
from simulator import KEY, simulated

IN_FLIGHT = 16
TIMEOUT = 2.0


async def run(url: str, count: int) -> tuple[Counter[str], Counter[str]]:
    """Outcomes of the calls, and the waits told of."""
    provider = Provider(name="mindrouter", api="openai", base_url=url, api_key_env=None)
    model = Model(id="benchmark", provider="mindrouter", stream=True, timeout=TIMEOUT)
    outcomes: Counter[str] = Counter()
    waits: Counter[str] = Counter()
    numbers = iter(range(count))

    def told(_model: str, reason: str, _seconds: float) -> None:
        waits[reason] += 1

    async with open_openai_client(provider, url, KEY, on_wait=told) as client:

        async def work() -> None:
            for number in numbers:
                reply = await client.call(
                    Call(case="case", replicate=number, model=model, system="", user="Hello.", schema=None)
                )
                outcomes[reply.error.code if reply.error else f"ok after {reply.attempts}"] += 1

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return outcomes, waits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    count = parser.parse_args().calls
    config = SimConfig(models=(SimModel(id="benchmark"),), faults=(Fault(kind="silent", every=100),))
    with simulated(config) as url:
        begun = time.perf_counter()
        outcomes, waits = asyncio.run(run(url, count))
        wall = time.perf_counter() - begun
    told = ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items()))
    print(
        f"{outcomes.total()} of {count} calls accounted for in {wall:.1f} s: {told}; "
        f"waited for: {dict(waits)}"
    )
    return 0 if outcomes.total() == count else 1


if __name__ == "__main__":
    sys.exit(main())
