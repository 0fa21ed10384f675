"""A prompt library of two components, a MindRouter that measures, and `evalcli campaign` on both."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import git, write_component

KEY = "a-key-of-the-simulation"
SCHEMA = {"type": "object", "properties": {"amount": {"type": "number"}}}
EVALCLI = """\
from evalcli.campaigns import queues, worker
queues.POLL_S = worker.MOST_BETWEEN_S = 0.1
from evalcli.main import main
main()
"""
"""The program; it looks ten times as often as it does by itself, of which a test would wait for each look."""
MODELS = """\
providers:
  mindrouter: {base_url: "${THE_GATEWAY}/v1"}
models:
  - {id: alpha, provider: mindrouter, params: {seed: 1}}
  - {id: beta, provider: mindrouter, params: {seed: 1}}
"""
CAMPAIGN = "models: all\ncomponents: [memo]\nreplicates: 3\nlimits: {mindrouter: {calls: 4, runs: 2}}\n"
"""12 calls: two cases, two models, three replicates."""
DEADLINE_S = 60.0


class Gauge:
    """A simulated latency that notes how many calls were in flight at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def sleep(self, seconds: float) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.now -= 1


class World:
    """The library, the gateway, and command lines in processes of their own."""

    def __init__(
        self, root: Path, mindrouter: SimulatedMindRouter, url: str, evalcli: Callable[..., Any]
    ) -> None:
        self._evalcli = evalcli
        self.library = root / "library"
        self.file = root / "nightly.yaml"
        self.file.write_text(CAMPAIGN)
        self.mindrouter, self.url = mindrouter, url
        self._processes: list[subprocess.Popen[str]] = []

    @property
    def runs_dir(self) -> Path:
        return self.library / ".evaluator" / "runs"

    @property
    def environment(self) -> dict[str, str]:
        mine = ("GITHUB_", "MINDROUTER_", "EVALHOOK_", "EVALCLI_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        return kept | {"THE_GATEWAY": self.url, "MINDROUTER_API_KEY": KEY, "COLUMNS": "200"}

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """Start `evalcli campaign`; it is killed at the end of the test where it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-c", EVALCLI, "campaign", *map(str, arguments)],
            cwd=self.library,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def look(self, *arguments: object, **environment: str) -> Any:
        """Run `evalcli campaign` in this process, which is quicker: what does no runs."""
        with contextlib.chdir(self.library):
            return self._evalcli("campaign", *arguments, **self.environment | environment)

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.ended(self.start(*arguments, **environment))

    def give_up_soon(self) -> dict[str, str]:
        """An environment in which a model that is not served is looked for again for no 45 seconds."""
        place = self.file.parent / "site"
        place.mkdir(exist_ok=True)
        (place / "sitecustomize.py").write_text(
            "from evalcore.evaluation import availability\n"
            "availability.LOOK_AGAIN_FOR_S = availability.LOOK_EVERY_S = 0.1\n"
        )
        return {"PYTHONPATH": str(place)}

    def ended(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        """Wait until a process has ended."""
        out, err = process.communicate(timeout=DEADLINE_S)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def status(self) -> dict[str, Any]:
        """Where the campaign stands, as `--json` writes it."""
        told: dict[str, Any] = json.loads(self.look("status", "nightly", "--json").out)
        return told

    @property
    def calls(self) -> int:
        """Calls that came to the gateway."""
        return sum(self.mindrouter.gateway.calls.values())

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each call came: each has a seed of its own."""
        return self.mindrouter.gateway.requests

    def kept(self) -> Counter[tuple[str, str, int]]:
        """The replies that are stored whole, by run, case and replicate."""
        lines = [
            (path.parent.name, json.loads(line))
            for path in self.runs_dir.glob("*/replies.jsonl")
            for line in path.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]
        return Counter((run, reply["case"], reply["replicate"]) for run, reply in lines)


def eventually(holds: Callable[[], object], what: str) -> None:
    """Return once that holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def write_library(root: Path) -> Path:
    library = root / "library"
    write_component(library, "memo", schema=SCHEMA, cases={"one": {"amount": 1}, "two": {"amount": 2}})
    write_component(library, "budget", schema=SCHEMA, cases={"three": {"amount": 3}, "four": {"amount": 4}})
    (library / ".evaluator").mkdir()
    (library / ".evaluator" / "models.yaml").write_text(MODELS)
    (library / ".gitignore").write_text(".evaluator/runs/\n")
    git(library, "init", "-q", "--initial-branch=main")
    git(library, "add", "--all")
    git(library, "commit", "-q", "-m", "library")
    return library


@pytest.fixture
def make_world(tmp_path: Path, evalcli: Callable[..., Any]) -> Iterator[Callable[..., World]]:
    """Make a world; faults and a latency are the gateway's."""
    library = write_library(tmp_path)
    with ExitStack() as stack:

        def make(
            *faults: Fault, sleep: Any = asyncio.sleep, latency: float = 0.001, beta: float | None = None
        ) -> World:
            latencies = {"alpha": latency, "beta": latency if beta is None else beta}
            models = tuple(SimModel(id=name, latency=each) for name, each in latencies.items())
            config = SimConfig(models=models, keys=(KEY,), faults=faults)
            book = AnswerBook.from_folders([library, tmp_path / "evaluation-data-sets"])
            mindrouter = SimulatedMindRouter(config, book, sleep=sleep)
            world = World(tmp_path, mindrouter, stack.enter_context(running(mindrouter)), evalcli)
            stack.callback(world.close)
            return world

        yield make


@pytest.fixture
def gauge() -> Gauge:
    return Gauge()


@pytest.fixture(name="eventually")
def _eventually() -> Callable[[Callable[[], object], str], None]:
    return eventually
