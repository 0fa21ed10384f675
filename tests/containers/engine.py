"""The Docker engine that the container tests run on: its client, and what stands under a name on it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.containers.waiting import PATIENCE

REQUIRED = os.environ.get("EVALUATOR_REQUIRE") in {"all", "containers"}
LABEL = "evaluator-test"
"""What a test starts beside a deployment bears this label, with the deployment's project as its value."""
COMPOSE_LABEL = "com.docker.compose.project"


def is_there() -> bool:
    """Whether an engine answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60).returncode == 0


def run_docker(*arguments: str, seconds: float = 60, words: str = "") -> str:
    """Run the client with some words on its standard input; what it says is in the failure.

    It is given PATIENCE times the seconds, as everything that is waited for.
    """
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * seconds,
        input=words,
    )
    if done.returncode != 0:
        pytest.fail(f"docker {arguments[0]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return done.stdout


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on; the engine's own choice would be another at a restart.

    They are at random below those that the kernel gives to whoever wants any: of these, one that is free now
    may be a passing connection's by the time that it is listened on.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            # All are held at once: one that is let go could be found a second time.
            probe, port = held.enter_context(socket.socket()), secrets.choice(range(10_000, _first_given()))
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    return found


def _first_given() -> int:
    """The first port that the kernel gives to whoever wants any."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32768  # of Linux, elsewhere they begin later


def remove_project(project: str) -> None:
    """Remove a deployment's containers, networks and volumes, and what tests started beside it.

    By labels alone, so that it needs none of the files that the deployment was made from.
    """
    for kind in ("container", "network", "volume"):
        for label in (COMPOSE_LABEL, LABEL):
            remove(kind, *_list(kind, "--quiet", "--filter", f"label={label}={project}"))


def left_of(prefix: str) -> list[tuple[str, str]]:
    """The containers, networks and volumes whose names begin so: kind and name."""
    return [
        (kind, name)
        for kind, column in (("container", "{{.Names}}"), ("network", "{{.Name}}"), ("volume", "{{.Name}}"))
        for name in _list(kind, "--format", column)
        if name.startswith(prefix)
    ]


def images_tagged(tag: str) -> list[str]:
    """The images of this suite with this tag."""
    names = _list("image", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={LABEL}-*:{tag}")
    return sorted(names)


def remove_left(mark: str) -> list[tuple[str, str]]:
    """Remove all that runs of one copy have left: kind and name of each."""
    left = [*left_of(f"{LABEL}-{mark}-"), *(("image", name) for name in images_tagged(mark))]
    for kind, name in left:
        remove(kind, name)
    folders = sorted(Path(tempfile.gettempdir()).glob(f"{LABEL}-{mark}-*"))
    for folder in folders:
        shutil.rmtree(folder)
    return [*left, *(("folder", str(folder)) for folder in folders)]


def remove(kind: str, *names: str) -> None:
    """Remove containers, networks, volumes or images by their names."""
    if names:
        run_docker(kind, "rm", *_FORCED[kind], *names, seconds=120)


_FORCED = {"container": ["--force", "--volumes"], "network": [], "volume": ["--force"], "image": ["--force"]}
# Of images the tags alone: the same image may run in another copy's containers, whose tag has moved on.


def _list(kind: str, *options: str) -> list[str]:
    whole = ["--all"] if kind == "container" else []
    return run_docker(kind, "ls", *whole, *options).split()
