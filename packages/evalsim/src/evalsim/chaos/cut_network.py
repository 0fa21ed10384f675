"""One evaluation over a network that is cut for a while: `python -m evalsim.chaos.cut_network --cut SECONDS`.

The network is real: the gateway runs in a network namespace of its own, a pair of virtual Ethernet devices
joins the two, and a cut takes the gateway's one down, so that packets are lost and neither side is notified.
To be run in a fresh network namespace itself, as `command` does. One model is streamed and one is not; every
answer is the expected one. Prints what came of it as JSON; times are hurried seconds (see evalsim.hurry).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import httpx
import msgspec

from evalcore.clients.connection import DEAD_SECONDS, AddressInfo, open_transport, probed_socket
from evalcore.clients.http import open_http_client
from evalcore.clients.openai.dialect import DIALECT as OPENAI
from evalcore.effects import real_effects
from evalcore.evaluation.evaluate import evaluate
from evalcore.evaluation.outcome import Observer
from evalcore.library.models import Model, Provider
from evalcore.structs import Frozen, JsonValue
from evalsim.hurry import HurriedLoop
from evalsim.mindrouter import SimConfig, SimModel
from evalsim.testing import make_case, make_component, make_job_plan, write_component

CASES: Final[dict[str, JsonValue]] = {
    f"case-{at}": {"facts": [f"fact {at}.{line}" for line in range(12)]} for at in range(5)
}
REPLICATES: Final = 3
OURS, GATEWAYS, PORT = "10.77.0.1", "10.77.0.2", 8000
ANSWER_SECONDS: Final = 12.0
"""Hurried; an answer that is streamed takes it between its first and its last byte."""
PIECES: Final = 12
TIMEOUT: Final = 25.0


class Outcome(Frozen, frozen=True):
    """What came of one evaluation."""

    cut: float
    cut_at: float
    statuses: tuple[str, ...]
    accuracies: tuple[float | None, ...]
    failed: int
    """Calls that gave no reply or one that could not be parsed."""
    held: float
    """How long after the network's return the last request of before it was still out."""
    seconds: float


def command(cut: float, factor: float, seed: int) -> list[str]:
    """Return the command that runs one, in a network namespace that is made for it."""
    # Without root a user namespace gives the right to make a network namespace.
    apart = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    options = ["--cut", str(cut), "--factor", str(factor), "--seed", str(seed)]
    return [*apart, sys.executable, "-m", "evalsim.chaos.cut_network", *options]


class Timed(httpx.AsyncBaseTransport):
    """Notes when each request was sent and when its answer was over."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.requests: list[list[float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; see httpx."""
        now = asyncio.get_running_loop().time
        times = [now(), float("inf")]
        self.requests.append(times)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException:
            times[1] = now()
            raise
        # A streamed answer is over when its body is, long after its headers have come.
        response.stream = _TimedStream(response, times)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _TimedStream(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, times: list[float]) -> None:
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("the transport's body is no stream")
        self._stream = response.stream
        self._times = times

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            yield data

    async def aclose(self) -> None:
        self._times[1] = asyncio.get_running_loop().time()
        await self._stream.aclose()


class Gateway:
    """A simulated gateway in a network namespace of its own, and the cable to it."""

    def __init__(self, pid: int) -> None:
        self._inside = ["nsenter", "--target", str(pid), "--net"]
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "cable", "type", "veth", "peer", "name", "plug", "netns", str(pid))
        _run("ip", "address", "add", f"{OURS}/24", "dev", "cable")
        _run("ip", "link", "set", "cable", "up")
        _run(*self._inside, "ip", "address", "add", f"{GATEWAYS}/24", "dev", "plug")
        self.mend()

    def cut(self) -> None:
        """Lose every packet from now on."""
        _run(*self._inside, "ip", "link", "set", "plug", "down")

    def mend(self) -> None:
        """Let packets through."""
        _run(*self._inside, "ip", "link", "set", "plug", "up")


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)


@contextmanager
def gateway(folder: Path, factor: float) -> Iterator[Gateway]:
    """Start the gateway; its answers take ANSWER_SECONDS of hurried time."""
    library = folder / "library"
    write_component(library, cases=CASES)
    # The gateway is a process of its own, whose clock is not hurried.
    pace = ANSWER_SECONDS / PIECES / factor
    text = msgspec.json.encode(CASES["case-0"]).decode()
    streamed = SimModel(
        id="streamed", pace=pace, events_per_read=1, characters_per_event=len(text) // PIECES + 1
    )
    whole = SimModel(id="whole", latency=ANSWER_SECONDS / factor)
    config = folder / "config.json"
    config.write_bytes(msgspec.json.encode(SimConfig(models=(streamed, whole))))
    # every address of a namespace that nobody else is in
    words = [sys.executable, "-m", "evalsim.main", "mindrouter", "--host", "0.0.0.0"]  # noqa: S104
    words += ["--port", str(PORT)]
    words += ["--config", str(config), "--answers", str(library)]
    with subprocess.Popen(["unshare", "--net", *words], stderr=subprocess.PIPE) as process:  # noqa: S607 - util-linux
        try:
            if process.stderr is None or not process.stderr.readline():
                raise RuntimeError("the simulated gateway does not start")
            yield Gateway(process.pid)
        finally:
            process.kill()


def hurried_socket(factor: float, address: AddressInfo) -> socket.socket:
    """Make the product's socket, with the kernel's part of the times shortened as well."""
    made = probed_socket(address)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(DEAD_SECONDS * 1000 / factor))
    return made


async def evaluation(cut: float, cut_at: float, factor: float, cable: Gateway, folder: Path) -> Outcome:
    """Evaluate both models, the cable cut so many seconds after the start."""
    loop = asyncio.get_running_loop()
    url = f"http://{GATEWAYS}:{PORT}"
    provider = Provider(name="mindrouter", api="openai", base_url=url, api_key_env=None)
    models = [
        Model(name, "mindrouter", stream=name == "streamed", timeout=TIMEOUT, concurrency=4)
        for name in ("streamed", "whole")
    ]
    plan = make_job_plan(
        component=make_component(),
        cases=[make_case(name, expected, input=f"input of {name}") for name, expected in CASES.items()],
        models=models,
        providers={"mindrouter": provider},
        replicates=REPLICATES,
    )
    effects = msgspec.structs.replace(real_effects(), monotonic=loop.time, sleep=asyncio.sleep)
    transport = Timed(open_transport(url, lambda address: hurried_socket(factor, address)))
    returned = [float("inf")]

    async def cut_for_a_while() -> None:
        await asyncio.sleep(cut_at)
        await asyncio.to_thread(cable.cut)
        await asyncio.sleep(cut)
        await asyncio.to_thread(cable.mend)
        returned[0] = loop.time()

    began = loop.time()
    async with open_http_client(OPENAI, provider, url, "key", clock=loop.time, transport=transport) as client:
        cutting = asyncio.create_task(cut_for_a_while())
        outcomes = await evaluate(
            plan,
            {"mindrouter": client},
            runs_dir=folder / "runs",
            concurrency=8,
            observer=Observer(),
            effects=effects,
        )
        seconds = loop.time() - began
        await cutting
    records = [outcome.record for outcome in outcomes if outcome.record is not None]
    return Outcome(
        cut=cut,
        cut_at=cut_at,
        statuses=tuple(outcome.status for outcome in outcomes),
        accuracies=tuple(record.accuracy.mean for record in records),
        failed=sum(record.calls.total - record.calls.ok for record in records),
        # Of those sent before the network came back: they are what a dead connection can hold.
        held=max([0.0, *(end - returned[0] for begin, end in transport.requests if begin < returned[0])]),
        seconds=round(seconds, 1),
    )


def main() -> None:
    """Run one evaluation and print its outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cut", type=float, required=True)
    parser.add_argument("--factor", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # between the first calls and the last of those of an evaluation without a cut
    cut_at = Random(options.seed).uniform(2.0, 0.7 * len(CASES) * REPLICATES / 4 * ANSWER_SECONDS)
    with TemporaryDirectory() as folder, gateway(Path(folder), options.factor) as cable:
        time.sleep(0.2)  # until duplicate addresses have been looked for
        with asyncio.Runner(loop_factory=lambda: HurriedLoop(options.factor)) as runner:
            outcome = runner.run(
                evaluation(options.cut, cut_at, options.factor, cable, Path(folder)),
            )
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")


if __name__ == "__main__":
    main()
