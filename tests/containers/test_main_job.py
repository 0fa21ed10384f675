"""The main job on the real images, Caddy in front and the outside simulated: from the request to `main`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML
from tests.containers.deployments import DOMAIN, Deployment
from tests.containers.operating import execute, finished, logs
from tests.containers.outside import counted, dispatch

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

SKILL = "award-notice-terms"
RECORD = f"components/{SKILL}/leaderboard.json"


@pytest.fixture(scope="module")
def service(deployment: Deployment) -> Iterator[httpx.Client]:
    with deployment.client() as client:
        yield client


def test_job_goes_from_the_workflow_to_a_merged_pull_request(
    deployment: Deployment, project_root: Path
) -> None:
    with deployment.github() as github:
        commit = github.get("/branches/main").json()["commit"]["sha"]
        done = dispatch(deployment, project_root, SKILL_NAME=SKILL, REPLICATES="2", GIT_SHA=commit)
        assert done.code == 0, done.said
        found = re.search(r"job (\S+) started, (\d+) calls; its status: (\S+)", done.said)
        assert found is not None, done.said
        assert found[3] == f"{deployment.url}/jobs/{found[1]}"

        job = finished(deployment, found[1])
        assert job["status"] == "completed", job
        assert job["prompt_commit"] == commit
        assert job["progress"]["done"] == int(found[2])
        assert counted(deployment).answered.total() == int(found[2])

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


def test_plain_http_is_only_sent_on_to_https(deployment: Deployment) -> None:
    url = f"http://127.0.0.1:{deployment.http_port}/health?a=1"
    answer = httpx.get(url, headers={"Host": DOMAIN}, trust_env=False)
    assert answer.status_code == httpx.codes.PERMANENT_REDIRECT
    assert answer.headers["location"] == f"{deployment.public_url}/health?a=1"


def test_no_protocol_is_offered_whose_port_is_not_published(service: httpx.Client) -> None:
    assert "alt-svc" not in service.get("/health").headers


def test_containers_are_bounded_in_memory_and_cpu(deployment: Deployment, docker: Any) -> None:
    for name in ("hook", "caddy"):
        (found,) = json.loads(docker("inspect", deployment.container(name)))
        assert found["HostConfig"]["Memory"] > 0
        assert found["HostConfig"]["NanoCpus"] > 0


def test_large_body_is_refused_at_the_door(deployment: Deployment, service: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {deployment.credentials.token}", "Content-Type": "application/json"}
    answer = service.post("/evaluate", content=b'"' + b"x" * 100_000 + b'"', headers=headers)
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_check_finds_everything_in_order(deployment: Deployment) -> None:
    told = execute(deployment, "hook", "evalhook", "check")
    for name in ("MINDROUTER_BASE_URL", "EVALHOOK_GITHUB_REPO", "EVALHOOK_STATE_DIR"):
        assert name in told


def test_containers_show_no_secret_and_cannot_write_to_themselves(
    deployment: Deployment, docker: Any
) -> None:
    told = docker("inspect", deployment.container("hook"))
    printed = logs(deployment, "hook") + logs(deployment, "caddy")
    for secret in (deployment.credentials.token, deployment.credentials.github_token):
        assert secret not in told
        assert secret not in printed
    (inspected,) = json.loads(told)
    assert inspected["HostConfig"]["ReadonlyRootfs"] is True
    assert inspected["HostConfig"]["PortBindings"] in ({}, None)
    processes = docker("top", deployment.container("hook"))
    assert deployment.credentials.token not in processes
    assert deployment.credentials.github_token not in processes
