"""What an operator, or an accident, does to a deployment: commands inside, kills, restarts, cut networks."""

from __future__ import annotations

import subprocess
from typing import Any, Protocol

from tests.containers.deployments import Deployment, is_healthy
from tests.containers.engine import run_docker
from tests.containers.images import Images
from tests.containers.waiting import until


class Containers(Protocol):
    """What runs under names of services."""

    images: Images

    def container(self, service: str) -> str:
        """The name of a service's container."""


def execute(up: Containers, service: str, *command: str, user: str | None = None) -> str:
    """Run a command inside a service's container; its failure is the test's."""
    as_user = [] if user is None else ["--user", user]
    return run_docker("exec", *as_user, up.container(service), *command)


def kill(up: Containers, *services: str, signal: str = "KILL") -> None:
    """Send containers a signal at once; the engine takes that for a stop, and starts none of them again."""
    run_docker("kill", "--signal", signal, *(up.container(service) for service in services))


def kill_process(up: Containers, *services: str) -> None:
    """Kill the first process of containers from the machine itself, as a lost VM does.

    Not `docker kill`, which the engine takes for a stop: as it is, compose's policy brings them back.
    """
    containers = [up.container(service) for service in services]
    processes = run_docker("inspect", "--format", "{{.State.Pid}}", *containers).split()
    run_docker(
        *("run", "--rm", "--pid", "host", "--user", "0", "--entrypoint", "bash"),
        *(up.images.runner, "-c", f"kill -9 {' '.join(processes)}"),
    )


def start(up: Containers, *services: str) -> None:
    """Start containers again that were stopped or killed, in the order given."""
    run_docker("start", *(up.container(service) for service in services))


def restart(up: Containers, *services: str, seconds: int = 30) -> None:
    """Stop containers in good order and start them again; killed after so many seconds."""
    run_docker(
        "restart", "--time", str(seconds), *(up.container(each) for each in services), seconds=seconds + 60
    )


def cut(up: Deployment, service: str, network: str) -> None:
    """Take a container off a network, as a pulled cable does: nobody is notified."""
    run_docker("network", "disconnect", up.network(network), up.container(service))


def mend(up: Deployment, service: str, network: str) -> None:
    """Put it back, under its name."""
    run_docker("network", "connect", "--alias", service, up.network(network), up.container(service))


def await_health(up: Deployment, seconds: float = 60) -> None:
    """Wait until the service answers through Caddy."""
    with up.client() as client:
        until(lambda: is_healthy(client), seconds=seconds, what="an answer over HTTPS")


def logs(up: Containers, service: str) -> str:
    """All that a container has printed so far, to either stream."""
    done = subprocess.run(
        ["docker", "logs", up.container(service)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def finished(up: Deployment, job: str, seconds: float = 180) -> dict[str, Any]:
    """The job once it has ended, however it did."""
    with up.client(up.credentials.token) as client:

        def ended() -> dict[str, Any] | None:
            told: dict[str, Any] = client.get(f"/jobs/{job}").raise_for_status().json()
            return told if told["status"] in {"completed", "failed", "cancelled"} else None

        return until(ended, seconds=seconds, what=f"the end of job {job}")
