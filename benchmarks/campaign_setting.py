"""What the benchmark of campaigns needs: a database, a library, a gateway, workers as processes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg

from evalsim.mindrouter import AnswerBook, SimConfig, SimulatedMindRouter
from evalsim.serving import running
from process import EVALCLI, PROMPT, SCHEMA, answer_of, case_input
from simulator import KEY

START_S = 20.0
USER = "campaign"
QUIET = subprocess.DEVNULL


@contextmanager
def gateway(config: SimConfig, answers: AnswerBook) -> Iterator[tuple[str, SimulatedMindRouter]]:
    """Serve a simulated MindRouter in a thread of this process, which only waits meanwhile."""
    application = SimulatedMindRouter(config, answers)
    with running(application) as url:
        yield url, application


@contextmanager
def postgresql() -> Iterator[str | None]:
    """Run PostgreSQL in a folder of its own; yields its address without a database, None if absent."""
    programs = _programs()
    if programs is None:
        yield None
        return
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="campaign-") as temporary:
        folder = Path(temporary)
        if user is not None:
            shutil.chown(folder, user)
        data, port = folder / "data", _free_port()
        made: list[str | Path] = [
            programs / "initdb",
            "--auth=trust",
            f"--username={USER}",
            "--no-sync",
            f"--pgdata={data}",
        ]
        subprocess.run(made, check=True, user=user, cwd=folder, stdout=QUIET, stderr=QUIET)
        serve: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port)]
        serve += ["-c", f"unix_socket_directories={folder}", "-c", "listen_addresses=127.0.0.1"]
        with subprocess.Popen(serve, user=user, cwd=folder, stdout=QUIET, stderr=QUIET) as process:
            try:
                url = f"postgresql://{USER}@127.0.0.1:{port}"
                _wait_for(url)
                yield url
            finally:
                process.terminate()


def new_database(url: str) -> str:
    """Make an empty database, and return its address."""
    name = f"c{uuid4().hex}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url}/{name}"


def write_library(
    folder: Path, url: str, components: int, models: Sequence[str], cases: int, facts: int
) -> AnswerBook:
    """Write a library of components that differ in their names alone; returns what the gateway answers."""
    for at in range(components):
        component = folder / "components" / f"component-{at:02}"
        for number in range(cases):
            case = component / "evals" / "cases" / f"case-{number:04}"
            case.mkdir(parents=True)
            (case / "input.md").write_text(case_input(number), "utf-8")
            (case / "expected.json").write_text(answer_of(facts), "utf-8")
        prompt = PROMPT.replace("name: benchmark", f"name: {component.name}")
        (component / "prompt.md").write_text(prompt, "utf-8")
        (component / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    write_models(folder, url, models)
    return AnswerBook.from_folders([folder])


def write_models(folder: Path, url: str, models: Sequence[str]) -> None:
    """Write a models.yaml of local models."""
    provider = {"api": "openai", "base_url": url, "api_key_env": "BENCHMARK_KEY"}
    entries = [{"id": model, "provider": "mindrouter", "concurrency": 64} for model in models]
    (folder / ".evaluator").mkdir(exist_ok=True)
    file = {"providers": {"mindrouter": provider}, "models": entries}
    (folder / ".evaluator" / "models.yaml").write_text(json.dumps(file), "utf-8")


def campaign(library: Path, *words: str) -> str:
    """Do a command of campaigns to its end, and return what it printed."""
    done = subprocess.run(
        [EVALCLI, "campaign", *words],
        cwd=library,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    # 1: a run has not ended complete, which its status says.
    if done.returncode > 1:
        raise RuntimeError(f"evalcli campaign {' '.join(words)}: {done.stderr[-2000:]}")
    return done.stdout


def work(library: Path, database: str, workers: int) -> float:
    """Let so many workers do all runs of a database; returns the seconds until the last has ended."""
    command: list[str | Path] = [EVALCLI, "-q", "campaign", "worker", "--database", database]
    command += ["--runs-dir", library / "runs"]
    begun = time.perf_counter()
    processes = [
        subprocess.Popen(command, cwd=library, env=_environment(), stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    codes = [process.wait() for process in processes]
    # 3: the others were done before it had begun.
    if not set(codes) <= {0, 3}:
        raise RuntimeError(f"workers ended with {codes}")
    return time.perf_counter() - begun


def _environment() -> dict[str, str]:
    return os.environ | {"BENCHMARK_KEY": KEY, "PYTHONPATH": os.pathsep.join(sys.path[1:])}


def _programs() -> Path | None:
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), *(Path(part) for part in os.get_exec_path())]
    return next((path for path in found if (path / "postgres").exists() and (path / "initdb").exists()), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
