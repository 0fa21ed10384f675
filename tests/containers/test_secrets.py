"""Planted secrets are where they were put and nowhere else: no log, file, image or process shows one."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.containers.deployments import Deployment, write_secret
from tests.containers.operating import finished, logs
from tests.containers.outside import run_script, script, started
from tests.containers.searching import (
    SAMPLER,
    files_of,
    forms_of,
    found_in,
    processes_watched,
    read_samples,
    temporary_files,
)

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

SKILL = "expense-memo"
VOLUMES = ("state", "clones", "caddy-data", "caddy-config")
SERVICES = ("hook", "caddy")


@dataclass(frozen=True)
class Aftermath:
    """What is there to be searched once a job has run, while its processes were watched."""

    up: Deployment
    secrets: dict[str, str]
    samples: list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def after(deployment: Deployment, project_root: Path) -> Iterator[Aftermath]:
    """A job, a sign-in at the status page and a refused token, with the next token in place already."""
    known = deployment.credentials
    planted = {
        "webhook_token": known.token,
        "webhook_token_next": f"{secrets.token_hex(24)}+/=~",
        "mindrouter_api_key": known.key,
        "github_token": known.github_token,
    }
    write_secret(deployment.secrets, "webhook_token_next", planted["webhook_token_next"])
    with processes_watched(deployment, "hook") as samples:
        finished(deployment, started(deployment, project_root, SKILL_NAME=SKILL, REPLICATES="3"))
    with deployment.client() as browser:
        assert browser.post("/login", data={"token": planted["webhook_token_next"]}).is_redirect
        wrong = {"Authorization": f"Bearer {planted['webhook_token'][:-1]}"}
        assert browser.get("/jobs", headers=wrong).status_code == httpx.codes.UNAUTHORIZED
    yield Aftermath(deployment, planted, samples)
    (deployment.secrets / "webhook_token_next").unlink()


def test_search_finds_a_secret_in_every_form() -> None:
    secret = "s3cret-of+some/length="
    texts = [f"x-access-token:{secret}!", f"{secret} and more", f"a:{secret}", secret]
    hidden = [base64.b64encode(text.encode()) for text in texts]
    hidden += [base64.urlsafe_b64encode(text.encode()) for text in texts]
    hidden += [quote(secret, safe="").encode(), secret.encode()]
    for data in hidden:
        assert found_in([("there", data)], {"it": secret}) == [("there", "it")]
    assert found_in([("there", b"another text")], {"it": secret}) == []
    assert all(len(form) > 20 for form in forms_of(secret))


def test_no_log_holds_a_secret(after: Aftermath) -> None:
    printed = [(each, logs(after.up, each).encode()) for each in (*SERVICES, "mindrouter", "github")]
    assert [name for name, data in printed if SKILL.encode() in data] >= ["hook"]
    assert b"/evaluate" in dict(printed)["caddy"]
    assert found_in(printed, after.secrets) == []


def test_no_file_of_a_volume_and_no_commit_holds_a_secret(after: Aftermath, tmp_path: Path) -> None:
    files = list(files_of(after.up, tmp_path, *VOLUMES))
    names = {name for name, _ in files}
    # Searched are the clones' configuration and objects, replies, and Caddy's own files.
    assert {name for name in names if name.endswith("prompt-library/.git/config")}
    assert any(b"components/" in data for name, data in files if name.endswith("(objects)"))
    assert any(b"replicate" in data for name, data in files if "/replies.jsonl" in name)
    assert any(name.startswith("volumes/caddy-data/") for name in names)
    assert found_in(files, after.secrets) == []


def test_no_temporary_file_holds_a_secret(after: Aftermath) -> None:
    assert found_in([("hook", temporary_files(after.up, "hook"))], after.secrets) == []


def test_no_container_and_no_image_shows_a_secret(after: Aftermath, docker: Any) -> None:
    told = [(each, docker("inspect", after.up.container(each)).encode()) for each in SERVICES]
    told += [(each, docker("image", "inspect", each).encode()) for each in (after.up.images.hook, "caddy:2")]
    assert b"/run/secrets/webhook_token" in told[0][1]
    assert found_in(told, after.secrets) == []


def test_no_process_of_the_service_shows_a_secret_while_a_job_runs(after: Aftermath) -> None:
    seen = after.samples
    commands = b"\n".join(data for kind, data in seen if kind == "cmdline")
    # The job was seen at what it needs a token for, and at scoring.
    for word in (b"evalhook", b"git\0", b"push", b"scoring_worker"):
        assert word in commands
    assert any(b"MINDROUTER_API_KEY_FILE=" in data for kind, data in seen if kind == "environ")
    assert found_in(seen, after.secrets) == []


def test_trigger_shows_the_token_to_no_other_process(after: Aftermath, project_root: Path) -> None:
    """In its own environment GitHub puts it; on its way to curl no process list has it."""
    watched = f"python3 -I -c '{SAMPLER}' cmdline >/tmp/seen & trap 'kill %1; cat /tmp/seen' EXIT\n"
    refused = {"SKILL_NAME": "no-such-skill", "EVAL_WEBHOOK_URL": after.up.url}
    environment = {"MINDROUTER_EVAL_WEBHOOK_TOKEN": after.up.credentials.token, **refused}
    environment["SCRIPT"] = script(project_root, "evaluate-local", "evaluate")
    done = run_script(after.up, f'{watched}bash -eo pipefail -c "$SCRIPT" || true', environment)
    seen = read_samples("\n".join(line for line in done.out.splitlines() if line.startswith("cmdline ")))
    assert any(b"curl\0" in data for _, data in seen)
    assert found_in([*seen, ("output", done.said.encode())], after.secrets) == []


def test_what_is_published_holds_no_secret(after: Aftermath) -> None:
    with after.up.github() as github:
        pulls = github.get("/pulls", params={"state": "all"}).raise_for_status().json()
        told = [(f"pull request {pull['number']}", json.dumps(pull).encode()) for pull in pulls]
        assert told
        paths = ("/issues?state=all", "/branches")
        told += [(path, github.get(path).raise_for_status().content) for path in paths]
    assert found_in(told, after.secrets) == []
