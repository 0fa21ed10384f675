"""The service on a VM, the outside simulated: brought up as docs/operations.md says, removed without a trace.

Networks: `default` (Caddy and the service, as compose makes it), `vpn` (the service and MindRouter),
`to-github` (the service and GitHub) and `outside` (Caddy, GitHub and who triggers an evaluation).
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest
from testcontainers.compose import DockerCompose
from tests.containers.engine import free_ports, remove_project
from tests.containers.images import Images
from tests.containers.waiting import PATIENCE, until

from evalsim.library import write_sample_data_sets, write_sample_library
from evalsim.mindrouter import SimConfig, default_config

DOMAIN = "evaluator.test"
"""Caddy's name on the network `outside`; the name in its certificate."""
REPOSITORY = "sample/prompt-library"
ROOT_CERTIFICATE = "/data/caddy/pki/authorities/local/root.crt"
OVERLAY = "tests/containers/compose.simulators.yaml"
NUMBERS = itertools.count(1)
PORT_ATTEMPTS = 5
PORT_TAKEN = ("port is already allocated", "address already in use")
NO_NETWORK = "could not find an available, non-overlapping IPv4 address pool"
NETWORK_SECONDS = 300
"""An engine has thirty networks or so: those who run beside this are waited for, until theirs are gone."""


@dataclass(frozen=True)
class Credentials:
    """What the service and its callers know, and nobody else may."""

    # With characters that look different once they are encoded for a URL.
    token: str = field(default_factory=lambda: f"{secrets.token_hex(24)}+/=~")
    key: str = field(default_factory=lambda: f"mr2_{secrets.token_hex(20)}+/=")
    """MindRouter's."""
    github_token: str = field(default_factory=lambda: f"ghp_{secrets.token_hex(18)}+/")
    actions_token: str = field(default_factory=lambda: f"ghs_{secrets.token_hex(18)}")
    """GitHub's own for a workflow's job, of another account than the service's."""


@dataclass(frozen=True)
class Deployment:
    """What a caller outside knows: addresses, tokens and the authority to trust; and what runs where."""

    project: str
    images: Images
    compose: DockerCompose
    folder: Path
    """Of this machine: `secrets/`, `settings.env`, `root.crt`, and what is simulated from (`simulated/`)."""
    credentials: Credentials
    https_port: int
    http_port: int
    github_port: int

    @property
    def url(self) -> str:
        """The service's address on the network `outside`."""
        return f"https://{DOMAIN}"

    @property
    def public_url(self) -> str:
        """Its address as people on this machine would have it, with the port that is published here."""
        return f"https://{DOMAIN}:{self.https_port}"

    @property
    def authority(self) -> Path:
        """The certificate of Caddy's own authority."""
        return self.folder / "root.crt"

    @property
    def secrets(self) -> Path:
        """The folder with the files of secrets."""
        return self.folder / "secrets"

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return f"{self.project}-{service}-1"

    def network(self, name: str) -> str:
        """The engine's name of a network."""
        return f"{self.project}_{name}"

    def client(self, token: str | None = None) -> httpx.Client:
        """A client on this machine that trusts Caddy's authority and no other; it shows the token, if any."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.https_port}",
            headers={"Host": DOMAIN, **({} if token is None else {"Authorization": f"Bearer {token}"})},
            transport=_Named(verify=context, trust_env=False),
            timeout=60,
        )

    def github(self, token: str | None = None) -> httpx.Client:
        """A client of the simulated GitHub's API, at the prompt library."""
        headers = {"Authorization": f"Bearer {token or self.credentials.github_token}"}
        root = f"http://127.0.0.1:{self.github_port}/api/v3/repos/{REPOSITORY}"
        return httpx.Client(base_url=root, headers=headers, trust_env=False, timeout=60)


class _Named(httpx.HTTPTransport):
    """Asks for the certificate of DOMAIN, at whatever address it connects to."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": DOMAIN}
        return super().handle_request(request)


def write_secret(folder: Path, name: str, value: str) -> None:
    """Put the file of a secret in place in one step, for the container's user alone (docs/operations.md)."""
    new = folder / f".{name}.new"
    new.write_text(f"{value}\n")
    if os.geteuid() == 0:
        os.chown(new, 1001, 1001)
        new.chmod(0o400)
    else:
        new.chmod(0o444)
    new.rename(folder / name)


@contextmanager
def deployed(
    images: Images,
    root: Path,
    *,
    settings: Mapping[str, str] | None = None,
    overlays: Sequence[str] = (),
    mindrouter: SimConfig | None = None,
    library: Path | None = None,
    credentials: Credentials | None = None,
    await_answer: Callable[[Deployment], None] | None = None,
    before_start: Callable[[Path], None] = lambda _: None,
) -> Iterator[Deployment]:
    """Bring a deployment up until everything in it is healthy; whatever happens then, it is removed.

    Args:
        images: what it runs.
        root: the project's root.
        settings: lines of `.env` that go over those that every deployment here has.
        overlays: compose files, from the root, laid over docker/compose.yaml and the simulated outside.
        mindrouter: the simulated gateway's models, limits and faults; its key is set here.
        library: the prompt library that GitHub has and whose answers the gateway knows; None: the sample.
        credentials: others than new ones.
        await_answer: waits until it answers, where that is not over HTTPS with Caddy's own authority.
        before_start: puts further files into the deployment's folder, as into `secrets/` and `simulated/`.
    """
    project = images.project(str(next(NUMBERS)))
    with tempfile.TemporaryDirectory(prefix=f"{project}-") as name:
        try:
            folder, known = Path(name), credentials or Credentials()
            folder.chmod(0o755)
            _write_secrets(folder / "secrets", known)
            _write_outside(folder / "simulated", known, mindrouter or default_config(), library)
            before_start(folder)
            compose = DockerCompose(
                context=root,
                compose_file_name=["docker/compose.yaml", OVERLAY, *overlays],
                env_file=str(folder / "settings.env"),
            )
            lines = _settings(project, images, folder, known)
            ports = _start(compose, folder / "settings.env", lines, settings or {})
            up = Deployment(project, images, compose, folder, known, *ports)
            (await_answer or _await_answer)(up)
            yield up
        finally:
            remove_project(project)


def _write_secrets(folder: Path, credentials: Credentials) -> None:
    folder.mkdir()
    write_secret(folder, "webhook_token", credentials.token)
    write_secret(folder, "mindrouter_api_key", credentials.key)
    write_secret(folder, "github_token", credentials.github_token)


def _write_outside(
    folder: Path, credentials: Credentials, mindrouter: SimConfig, library: Path | None
) -> None:
    folder.mkdir()
    keyed = msgspec.structs.replace(mindrouter, keys=(*mindrouter.keys, credentials.key))
    (folder / "mindrouter.json").write_bytes(msgspec.json.encode(keyed))
    if library is None:
        write_sample_library(folder / "prompt-library")
    else:
        shutil.copytree(library, folder / "prompt-library")
    write_sample_data_sets(folder / "data-sets")


def _settings(project: str, images: Images, folder: Path, credentials: Credentials) -> dict[str, str]:
    return {
        "COMPOSE_PROJECT_NAME": project,
        "EVALHOOK_IMAGE": images.hook,
        "SIMULATOR_IMAGE": images.simulator,
        "SIMULATED": str(folder / "simulated"),
        "SIMULATED_GITHUB_TOKEN": credentials.github_token,
        "SIMULATED_ACTIONS_TOKEN": credentials.actions_token,
        "EVALHOOK_SECRETS": str(folder / "secrets"),
        "EVALHOOK_DOMAIN": DOMAIN,
        "CADDY_TLS": "internal",
        "MINDROUTER_BASE_URL": "http://mindrouter:8000",
        "EVALHOOK_GITHUB_REPO": REPOSITORY,
        "EVALHOOK_GITHUB_API_URL": "http://github:8000/api/v3",
        "EVALHOOK_PROMPT_LIBRARY_URL": f"http://github:8000/{REPOSITORY}.git",
        "EVALHOOK_DATA_SETS": "/var/lib/evaluator/clones/evaluation-data-sets",
        "EVALHOOK_DATA_SETS_URL": "http://github:8000/sample/data-sets.git",
        # The simulated GitHub has no certificate; nothing leaves the engine's networks.
        "EVALHOOK_ALLOW_HTTP": "1",
    }


def _start(
    compose: DockerCompose, env_file: Path, lines: Mapping[str, str], over: Mapping[str, str]
) -> tuple[int, int, int]:
    """Start it on free ports; on others, where somebody else was given one of them meanwhile.

    Where the engine has no network left, again until it has.
    """
    deadline, taken = time.monotonic() + PATIENCE * NETWORK_SECONDS, 0
    while taken < PORT_ATTEMPTS:
        https, http, github = free_ports(3)
        ports = {
            "EVALHOOK_HTTPS_PORT": f"127.0.0.1:{https}",
            "EVALHOOK_HTTP_PORT": f"127.0.0.1:{http}",
            "EVALHOOK_PUBLIC_URL": f"https://{DOMAIN}:{https}",
            "SIMULATED_GITHUB_PORT": str(github),
        }
        env_file.write_text(
            "".join(f"{name}={value}\n" for name, value in {**lines, **ports, **over}.items())
        )
        trouble = _up(compose)
        if trouble is None:
            return https, http, github
        is_crowded = NO_NETWORK in trouble and time.monotonic() < deadline
        if not is_crowded and not any(words in trouble for words in PORT_TAKEN):
            break
        remove_project(lines["COMPOSE_PROJECT_NAME"])
        if is_crowded:
            time.sleep(5)
        else:
            taken += 1
    pytest.fail(f"compose did not start:\n{trouble}")


def _up(compose: DockerCompose) -> str | None:
    """Start everything; where that fails, what compose and the containers themselves say of it."""
    try:
        compose.start()
    except subprocess.CalledProcessError as error:
        command = [*compose.docker_compose_command(), "logs", "--no-color", "--no-log-prefix", "--tail", "40"]
        logs = subprocess.run(
            command, cwd=compose.context, capture_output=True, text=True, check=False, timeout=60
        )
        return f"{error.stderr.decode()}\n{logs.stdout}{logs.stderr}"
    return None


def _await_answer(up: Deployment) -> None:
    """Take Caddy's root certificate, as an administrator does, and wait for an answer over HTTPS."""
    source = f"{up.container('caddy')}:{ROOT_CERTIFICATE}"
    copy = ["docker", "cp", source, str(up.authority)]
    until(
        lambda: subprocess.run(copy, capture_output=True, check=False, timeout=60).returncode == 0,
        seconds=60,
        what="Caddy's authority",
    )
    up.authority.chmod(0o644)
    with up.client() as client:
        until(lambda: is_healthy(client), seconds=60, what="an answer over HTTPS")


def is_healthy(client: httpx.Client) -> bool:
    """Whether the service answers now."""
    try:
        return client.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
