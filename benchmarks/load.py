"""The service under load: while 64 calls are in flight, at a storm of requests, and with 10,000 kept jobs.

Every part talks real HTTP to `evalhook serve` in a process of its own; latencies count from the moment
that a request was due, so that a service that stops for a while cannot hide it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import structs

from evalcore.ids import uuid7
from evalhook import jobs
from evalhook.jobs import Job, JobResult, ModelRow, Progress, Queued
from evalsim.library import as_git, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "a-token-of-at-least-thirty-two-characters"
KEY = "mr2_" + "k" * 30
SKILL = "award-notice-terms"
IN_FLIGHT = 64
CALL_SECONDS = 2.0
RATE = 200
SECONDS = 60
REST_SECONDS = 10
CONNECTIONS = 32
STORM = 500
KEPT_JOBS = 10_000
MOST_P99_MS, MOST_START_S, MOST_LIST_MS = 50.0, 2.0, 50.0


class Client:
    """One kept-alive connection: small enough not to be what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request and return the answer's status and body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", answer)
        return int(answer[9:12]), await reader.readexactly(int(length[1]) if length else 0)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


@contextmanager
def mindrouter(library: Path) -> Iterator[str]:
    """Simulate MindRouter in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_mindrouter, args=(library, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _mindrouter(library: Path, pipe: multiprocessing.connection.Connection) -> None:
    config = structs.replace(default_config(), keys=(KEY,))
    slow = tuple(structs.replace(model, latency=CALL_SECONDS) for model in config.models)
    book = AnswerBook.from_folders([library])
    with running(SimulatedMindRouter(structs.replace(config, models=slow), book)) as url:
        pipe.send(url)
        pipe.recv()


@contextmanager
def service(folder: Path, url: str) -> Iterator[tuple[int, float]]:
    """Serve in a process of its own; give its port and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = os.environ | {
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
        "MINDROUTER_BASE_URL": url,
        "MINDROUTER_API_KEY": KEY,
        "EVALHOOK_PROMPT_LIBRARY": str(folder / "clone"),
        "EVALHOOK_PROMPT_LIBRARY_URL": str(folder / "library"),
        "EVALHOOK_STATE_DIR": str(folder / "state"),
        "EVALHOOK_COMMIT_BACK": "none",
        "EVALHOOK_CONCURRENCY": str(IN_FLIGHT),
        "EVALHOOK_BIND": f"127.0.0.1:{port}",
    }
    command = [str(Path(sys.executable).with_name("evalhook")), "serve"]
    begun = time.perf_counter()
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            asyncio.run(_answers(port))
            yield port, time.perf_counter() - begun
        finally:
            process.terminate()
            process.wait()


async def _answers(port: int) -> None:
    while True:
        client = Client(port)
        try:
            await client.ask("GET", "/health")
        except OSError:
            await asyncio.sleep(0.01)
        else:
            return
        finally:
            client.close()


async def at_rest(port: int) -> list[float]:
    """Ask for /health alone, with nothing else to do: what this machine itself adds, in ms."""
    latencies: list[float] = []
    client, begun = Client(port), time.perf_counter()
    for number in range(RATE * REST_SECONDS):
        due = begun + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await client.ask("GET", "/health")
        latencies.append(1000 * (time.perf_counter() - due))
    client.close()
    return latencies


async def under_load(port: int) -> tuple[list[float], int, int]:
    """Ask RATE times a second while jobs run; give the latencies in ms, the errors, the calls made."""
    job = json.dumps({"skill_name": SKILL, "replicates": 100}).encode()
    status, body = await Client(port).ask("POST", "/evaluate", job)
    if status != 202:
        raise RuntimeError(body.decode())
    paths, latencies, errors = ["/health", json.loads(body)["status_url"]], [], 0
    idle = [Client(port) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()

    async def one(number: int) -> None:
        nonlocal errors
        due = begun + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        client = idle.pop() if idle else Client(port)
        try:
            status, answer = await client.ask("GET", paths[number % 2])
        except (OSError, asyncio.IncompleteReadError):
            errors += 1
            return
        latencies.append(1000 * (time.perf_counter() - due))
        errors += status != 200
        if number % RATE == 1 and json.loads(answer)["status"] != "running":
            # The job has ended: go on under the next one.
            status, body = await client.ask("POST", "/evaluate", job)
            if status == 202:
                paths[1] = json.loads(body)["status_url"]
        # Only now: while a request is under way the connection is no one else's.
        idle.append(client)

    await asyncio.gather(*(one(number) for number in range(RATE * SECONDS)))
    _, body = await idle[0].ask("GET", "/jobs")
    done = sum(entry["progress"]["done"] for entry in json.loads(body)["jobs"])
    for client in idle:
        client.close()
    return latencies, errors, done


async def storm(port: int) -> dict[str, int]:
    """Ask for STORM evaluations at once and count the answers."""
    body = json.dumps({"skill_name": SKILL, "replicates": 1}).encode()

    async def one() -> str:
        client = Client(port)
        try:
            return str((await client.ask("POST", "/evaluate", body))[0])
        except (OSError, asyncio.IncompleteReadError) as error:
            return type(error).__name__
        finally:
            client.close()

    answers = await asyncio.gather(*(one() for _ in range(STORM)))
    return {answer: answers.count(answer) for answer in set(answers)}


def keep_jobs(folder: Path) -> None:
    """Fill a state directory with jobs that ended."""
    folder.mkdir(parents=True)
    at = "2026-01-01T00:00:00.000Z"
    rows = tuple(ModelRow(f"model-{number}", "complete", 0.9, 0.8, None) for number in range(4))
    for number in range(KEPT_JOBS):
        job = Job(
            job_id=uuid7(1_767_225_600_000 + number, number.to_bytes(10, "big")),
            skill_name=SKILL,
            replicates=10,
            git_sha=None,
            prompt_commit="1" * 40,
            dataset_commit=None,
            created_at=at,
            progress=Progress(done=80, total=80),
            state=Queued(),
        )
        ended = jobs.complete(
            jobs.publish(jobs.start(job, at), rows), at, JobResult("https://x/1", "b", rows)
        )
        (folder / f"{job.job_id}.json").write_bytes(msgspec.json.encode(ended))


async def list_jobs(port: int) -> list[float]:
    """List the newest jobs again and again; give the latencies in ms."""
    client, latencies = Client(port), []
    for _ in range(200):
        begun = time.perf_counter()
        status, _ = await client.ask("GET", "/jobs?limit=100")
        if status != 200:
            raise RuntimeError(str(status))
        latencies.append(1000 * (time.perf_counter() - begun))
    client.close()
    return latencies


def percentile(values: list[float], share: float) -> float:
    """The value that a share of all does not exceed."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main() -> int:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_sample_library(folder / "library")
        models = folder / "library" / ".evaluator" / "models.yaml"
        models.write_text(re.sub(r"concurrency: *\d+", f"concurrency: {IN_FLIGHT}", models.read_text()))
        as_git(folder / "library")
        with mindrouter(folder / "library") as url:
            with service(folder, url) as (port, _):
                rest = percentile(asyncio.run(at_rest(port)), 0.99)
                latencies, errors, done = asyncio.run(under_load(port))
            p50, p99, worst = (percentile(latencies, share) for share in (0.5, 0.99, 1.0))
            print(f"{len(latencies):,} requests in {SECONDS} s beside {done:,} calls, {errors} errors")
            print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms (at most {MOST_P99_MS:.0f}), worst {worst:.1f} ms")
            print(f"the same with nothing to do: p99 {rest:.1f} ms, which is the machine's own part")
            (folder / "state").rename(folder / "state-before")
            with service(folder, url) as (port, _):
                answers = asyncio.run(storm(port))
            print(f"{STORM} evaluations asked for at once: {answers}")
            (folder / "state").rename(folder / "state-between")
            keep_jobs(folder / "state" / "jobs")
            with service(folder, url) as (port, start):
                listing = percentile(asyncio.run(list_jobs(port)), 0.99)
            print(f"{KEPT_JOBS:,} kept jobs: start {start:.2f} s (at most {MOST_START_S:.0f})")
            print(f"GET /jobs p99 {listing:.1f} ms (at most {MOST_LIST_MS:.0f})")
    print(f"load average of this machine meanwhile: {os.getloadavg()}, {os.cpu_count()} processors")
    reached = (
        p99 <= MOST_P99_MS,
        errors == 0,
        answers == {"202": 1, "409": STORM - 1},
        start <= MOST_START_S,
        listing <= MOST_LIST_MS,
    )
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
