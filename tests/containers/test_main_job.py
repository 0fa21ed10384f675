"""The main job on the real images, Caddy in front and the outside simulated: from the request to `main`."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML
from testcontainers.compose import DockerCompose

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

SKILL = "award-notice-terms"
REPOSITORY = "sample/prompt-library"
RECORD = f"components/{SKILL}/leaderboard.json"
ROOT_CERTIFICATE = "/data/caddy/pki/authorities/local/root.crt"


@dataclass(frozen=True)
class Deployment:
    """What a caller outside knows: addresses, tokens, and the authority to trust."""

    compose: DockerCompose
    url: str
    http_url: str
    token: str
    github_token: str
    github_url: str
    authority: Path

    def client(self) -> httpx.Client:
        """A client of the service that trusts Caddy's authority and no other."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return httpx.Client(base_url=self.url, verify=context, trust_env=False, timeout=60)

    def github(self) -> httpx.Client:
        """A client of the simulated GitHub's API."""
        headers = {"Authorization": f"Bearer {self.github_token}"}
        root = f"{self.github_url}/api/v3/repos/{REPOSITORY}"
        return httpx.Client(base_url=root, headers=headers, trust_env=False, timeout=60)


def until(probe: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first true value of the probe; a failure once the time is up."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)  # other processes are awaited, which no event tells of
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_secrets(folder: Path, **values: str) -> None:
    """Files as docs/operations.md asks for: for the container's user alone."""
    folder.mkdir()
    for name, value in values.items():
        file = folder / name
        file.write_text(f"{value}\n")
        if os.geteuid() == 0:
            os.chown(file, 1001, 1001)
            file.chmod(0o400)
        else:
            file.chmod(0o444)


@pytest.fixture(scope="module")
def deployment(
    images: Any, project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    token, key, github_token = (secrets.token_hex(24) for _ in range(3))
    https, http = free_port(), free_port()
    write_secrets(folder / "secrets", webhook_token=token, mindrouter_api_key=key, github_token=github_token)
    settings = {
        "COMPOSE_PROJECT_NAME": f"evaluator-test-{os.getpid()}",
        "EVALHOOK_IMAGE": images.hook,
        "SIMULATOR_IMAGE": images.simulator,
        "EVALHOOK_SECRETS": str(folder / "secrets"),
        "EVALHOOK_DOMAIN": "localhost",
        "CADDY_TLS": "internal",
        "EVALHOOK_HTTPS_PORT": f"127.0.0.1:{https}",
        "EVALHOOK_HTTP_PORT": f"127.0.0.1:{http}",
        "EVALHOOK_PUBLIC_URL": f"https://localhost:{https}",
        "MINDROUTER_BASE_URL": "http://mindrouter:8000",
        "EVALHOOK_GITHUB_REPO": REPOSITORY,
        "EVALHOOK_GITHUB_API_URL": "http://github:8000/api/v3",
        "EVALHOOK_PROMPT_LIBRARY_URL": f"http://github:8000/{REPOSITORY}.git",
        "EVALHOOK_DATA_SETS": "/var/lib/evaluator/clones/evaluation-data-sets",
        "EVALHOOK_DATA_SETS_URL": "http://github:8000/sample/data-sets.git",
        # The simulated GitHub has no certificate; nothing leaves the compose network.
        "EVALHOOK_ALLOW_HTTP": "1",
        "SIMULATED_MINDROUTER_KEY": key,
        "SIMULATED_GITHUB_TOKEN": github_token,
    }
    env_file = folder / "settings.env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    compose = DockerCompose(
        context=project_root,
        compose_file_name=["docker/compose.yaml", "tests/containers/compose.simulators.yaml"],
        env_file=str(env_file),
    )
    try:
        start(compose)
        yield Deployment(
            compose=compose,
            url=f"https://localhost:{https}",
            http_url=f"http://localhost:{http}",
            token=token,
            github_token=github_token,
            github_url=f"http://127.0.0.1:{compose.get_service_port('github', 8000)}",
            authority=fetch_authority(compose, folder),
        )
    finally:
        compose.stop(down=True)


def start(compose: DockerCompose) -> None:
    """Start everything; where that fails, the containers' own words say why."""
    try:
        compose.start()
    except subprocess.CalledProcessError as error:
        command = [*compose.docker_compose_command(), "logs", "--no-color", "--no-log-prefix", "--tail", "40"]
        logs = subprocess.run(
            command, cwd=compose.context, capture_output=True, text=True, check=False, timeout=60
        )
        pytest.fail(f"compose did not start:\n{error.stderr.decode()}\n{logs.stdout}{logs.stderr}")


def fetch_authority(compose: DockerCompose, folder: Path) -> Path:
    """Caddy's root certificate, as an administrator takes it from the machine."""
    target = folder / "root.crt"
    command = [*compose.docker_compose_command(), "cp", f"caddy:{ROOT_CERTIFICATE}", str(target)]

    def copied() -> bool:
        done = subprocess.run(command, cwd=compose.context, capture_output=True, check=False, timeout=60)
        return done.returncode == 0

    until(copied, seconds=30, what="Caddy's authority")
    return target


@pytest.fixture(scope="module")
def service(deployment: Deployment) -> Iterator[httpx.Client]:
    with deployment.client() as client:
        until(lambda: answers(client), seconds=60, what="an answer over HTTPS")
        yield client


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def dispatch(deployment: Deployment, root: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow's own script against the deployment."""
    workflow = YAML(typ="safe").load(root / ".github/workflows/evaluate-local.yml")
    (step,) = workflow["jobs"]["evaluate"]["steps"]
    environment = {
        "PATH": os.environ["PATH"],
        "EVAL_WEBHOOK_URL": deployment.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": deployment.token,
        "CURL_CA_BUNDLE": str(deployment.authority),
        **inputs,
    }
    return subprocess.run(
        ["bash", "-c", step["run"]], env=environment, capture_output=True, text=True, check=False, timeout=90
    )


def finished(client: httpx.Client, token: str, job: str) -> dict[str, Any]:
    """The job once it has ended, however it did."""

    def ended() -> dict[str, Any] | None:
        answer = client.get(f"/jobs/{job}", headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told if told["status"] in {"completed", "failed", "cancelled"} else None

    result: dict[str, Any] = until(ended, seconds=180, what=f"the end of job {job}")
    return result


def test_job_goes_from_the_workflow_to_a_merged_pull_request(
    deployment: Deployment, service: httpx.Client, project_root: Path
) -> None:
    with deployment.github() as github:
        commit = github.get("/branches/main").json()["commit"]["sha"]
        done = dispatch(deployment, project_root, SKILL_NAME=SKILL, REPLICATES="2", GIT_SHA=commit)
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"job (\S+) started, (\d+) calls; its status: (\S+)", done.stdout)
        assert found is not None, done.stdout
        assert found[3] == f"{deployment.url}/jobs/{found[1]}"

        job = finished(service, deployment.token, found[1])
        assert job["status"] == "completed", job
        assert job["prompt_commit"] == commit
        assert job["progress"]["done"] == int(found[2])

        (pull,) = github.get("/pulls").json()
        assert {label["name"] for label in pull["labels"]} == {"eval-results", "automerge"}
        assert github.get(f"/contents/{RECORD}").status_code == httpx.codes.NOT_FOUND
        github.put(f"/pulls/{pull['number']}/merge", json={}).raise_for_status()

        merged = json.loads(github.get(f"/contents/{RECORD}").content)
        models = YAML(typ="safe").load(github.get("/contents/.evaluator/models.yaml").content)["models"]
        assert merged["component"] == SKILL
        assert {run["model"] for run in merged["runs"]} == {model["id"] for model in models}
        assert {run["job_id"] for run in merged["runs"]} == {found[1]}
        assert {run["origin"] for run in merged["runs"]} == {"vm"}


def test_wrong_token_is_refused_over_https_too(service: httpx.Client) -> None:
    answer = service.post("/evaluate", json={"skill_name": SKILL}, headers={"Authorization": "Bearer no"})
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "server" not in answer.headers


@pytest.mark.usefixtures("service")
def test_plain_http_is_only_sent_on_to_https(deployment: Deployment) -> None:
    answer = httpx.get(f"{deployment.http_url}/health?a=1", trust_env=False)
    assert answer.status_code == httpx.codes.PERMANENT_REDIRECT
    assert answer.headers["location"] == f"{deployment.url}/health?a=1"


def test_no_protocol_is_offered_whose_port_is_not_published(service: httpx.Client) -> None:
    assert "alt-svc" not in service.get("/health").headers


def test_containers_are_bounded_in_memory_and_cpu(deployment: Deployment, docker: Any) -> None:
    for name in ("hook", "caddy"):
        container = deployment.compose.get_container(name)
        (found,) = json.loads(docker("inspect", str(container.ID)))
        assert found["HostConfig"]["Memory"] > 0
        assert found["HostConfig"]["NanoCpus"] > 0


def test_large_body_is_refused_at_the_door(deployment: Deployment, service: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {deployment.token}", "Content-Type": "application/json"}
    answer = service.post("/evaluate", content=b'"' + b"x" * 100_000 + b'"', headers=headers)
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_check_finds_everything_in_order(deployment: Deployment, docker: Any) -> None:
    container = deployment.compose.get_container("hook")
    told = docker("exec", str(container.ID), "evalhook", "check")
    for name in ("MINDROUTER_BASE_URL", "EVALHOOK_GITHUB_REPO", "EVALHOOK_STATE_DIR"):
        assert name in told


def test_containers_show_no_secret_and_cannot_write_to_themselves(
    deployment: Deployment, docker: Any
) -> None:
    container = deployment.compose.get_container("hook")
    assert container.ID is not None
    told = docker("inspect", container.ID)
    logs = "".join(deployment.compose.get_logs("hook", "caddy"))
    for secret in (deployment.token, deployment.github_token):
        assert secret not in told
        assert secret not in logs
    (inspected,) = json.loads(told)
    assert inspected["HostConfig"]["ReadonlyRootfs"] is True
    assert inspected["HostConfig"]["PortBindings"] in ({}, None)
    processes = docker("top", container.ID)
    assert deployment.token not in processes
    assert deployment.github_token not in processes
