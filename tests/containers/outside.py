"""What is done from the network `outside`, by the workflows' own scripts; the simulated servers' controls."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.containers.deployments import Deployment
from tests.containers.engine import LABEL, remove, run_docker
from tests.containers.operating import Containers, execute
from tests.containers.waiting import PATIENCE

from evalsim.testing import workflow_step

NUMBERS = itertools.count(1)
AUTHORITY = "/authority.crt"


@dataclass(frozen=True)
class Done:
    """A container that has ended."""

    code: int
    out: str
    """Its standard output, to be parsed or compared."""
    said: str
    """The same, and then its errors, to be searched: the engine carries them apart, so that order is lost."""
    seconds: float
    """From the start of its process to its end, by the engine's clock."""


def run_outside(
    up: Deployment,
    *command: str,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    image: str | None = None,
    network: str = "outside",
    seconds: float = 120,
) -> Done:
    """Run a command in a container of its own, the runner image's, on the network `outside`.

    It trusts Caddy's authority (curl and Python do). Values of the environment do not show in a process list.
    """
    name = f"{up.project}-once-{next(NUMBERS)}"
    trusting = {"CURL_CA_BUNDLE": AUTHORITY, "SSL_CERT_FILE": AUTHORITY}
    values = {**trusting, **(environment or {})}
    words = [
        "docker",
        "run",
        "--name",
        name,
        "--label",
        f"{LABEL}={up.project}",
        "--network",
        up.network(network),
    ]
    words += [
        "--volume",
        f"{up.authority}:{AUTHORITY}:ro",
        *(part for key in values for part in ("--env", key)),
    ]
    words += [*options, image or up.images.runner, *command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **values},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE * seconds,
        )
        (state,) = json.loads(run_docker("inspect", name))
    finally:
        remove("container", name)
    return Done(done.returncode, done.stdout, done.stdout + done.stderr, _seconds(state["State"]))


def _seconds(state: dict[str, Any]) -> float:
    """The time between two of the engine's dates, which have nanoseconds."""
    begun, ended = (
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z$", r"\1+00:00", state[name]))
        for name in ("StartedAt", "FinishedAt")
    )
    return (ended - begun).total_seconds()


def script(root: Path, workflow: str, job: str, step: str = "") -> str:
    """The bash of a workflow's step; of the only one that has any, where no name is given."""
    return str(workflow_step(root / f".github/workflows/{workflow}.yml", job, step)["run"])


def run_script(
    up: Deployment,
    text: str,
    environment: Mapping[str, str],
    *,
    options: Sequence[str] = (),
    seconds: float = 120,
) -> Done:
    """Run a step's script as the Actions runner does."""
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return run_outside(up, *bash, environment=environment, options=options, seconds=seconds)


def dispatch(up: Deployment, root: Path, **inputs: str) -> Done:
    """Trigger an evaluation by the script of evaluate-local.yml: SKILL_NAME, REPLICATES, GIT_SHA."""
    environment = {
        "EVAL_WEBHOOK_URL": up.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": up.credentials.token,
        **inputs,
    }
    return run_script(up, script(root, "evaluate-local", "evaluate"), environment)


def started(up: Deployment, root: Path, **inputs: str) -> str:
    """Trigger an evaluation; the id of its job. A refusal is the test's failure."""
    done = dispatch(up, root, **inputs)
    found = re.search(r"job (\S+) started, \d+ calls", done.said)
    if done.code != 0 or found is None:
        pytest.fail(f"the trigger ended with {done.code}: {done.said}")
    return found[1]


def ask_mindrouter(up: Containers, method: str, path: str, value: object = None) -> Any:
    """Call a control of the simulated gateway (POST, DELETE /sim/faults, PUT /sim/revoked, GET /sim/state).

    From inside its container: nobody else but the service is on its network.
    """
    body = "" if value is None else json.dumps(value)
    return json.loads(execute(up, "mindrouter", "python3", "-I", "-c", _ASK, method, path, body))


_ASK = """
import sys, urllib.request
method, path, body = sys.argv[1:]
asked = urllib.request.Request("http://127.0.0.1:8000" + path, body.encode() or None, method=method)
print(urllib.request.urlopen(asked, timeout=60).read().decode())
"""


@dataclass(frozen=True)
class Counted:
    """What the simulated gateway was asked, by the SHA-256 of a request's body (replicates have the same)."""

    requests: Counter[str]
    """Asked for, refused and broken ones included."""
    answered: Counter[str]
    """Answered to the end, with an answer of the model's."""


def counted(up: Containers) -> Counted:
    """What the simulated gateway has counted so far."""
    state = ask_mindrouter(up, "GET", "/sim/state")
    return Counted(Counter(state["requests"]), Counter(state["answered"]))


def ask_github(up: Deployment, method: str, value: object = None) -> Any:
    """Call the control of the simulated GitHub's faults (POST one, DELETE all, GET); see evalsim's Fault."""
    url = f"http://127.0.0.1:{up.github_port}/sim/faults"
    answer = httpx.request(method, url, json=value, trust_env=False, timeout=60)
    return answer.raise_for_status().json()


def let_in(up: Deployment, *tokens: str) -> None:
    """Have the simulated GitHub let these tokens of people in, and no others any more."""
    url = f"http://127.0.0.1:{up.github_port}/sim/tokens"
    httpx.put(url, json=tokens, trust_env=False, timeout=60).raise_for_status()


def give_key(up: Deployment, app_id: str, public_key: str) -> None:
    """Have the simulated GitHub know an app by another public key (PEM)."""
    url = f"http://127.0.0.1:{up.github_port}/sim/apps"
    httpx.put(url, json={app_id: public_key}, trust_env=False, timeout=60).raise_for_status()
