"""Workers of campaigns and their database by docker/compose.campaign.yaml, beside a simulated gateway."""

from __future__ import annotations

import io
import itertools
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.containers.certificates import Authority, write
from tests.containers.engine import remove_project, run_docker
from tests.containers.images import Images
from tests.containers.operating import logs
from tests.containers.waiting import until

from evalsim.library import FILES, as_git
from evalsim.mindrouter import SimConfig

FILES_OF_COMPOSE = ("docker/compose.campaign.yaml", "tests/containers/compose.campaign.yaml")
RUNS = "/var/lib/evaluator/runs"
WORKERS = ("worker-1", "worker-2", "worker-3")
NUMBERS = itertools.count(1)
LIKE = "award-notice-terms"
"""The component of the sample that all components are like: two cases with an input."""
CASES = 2
DATABASE_USER, USER = 999, 1001


@dataclass(frozen=True)
class Workers:
    """What an operator knows of them."""

    project: str
    images: Images
    folder: Path
    password: str
    """The database's."""
    key: str
    """The gateway's."""

    def container(self, service: str) -> str:
        """The name of a service's container; of workers, `worker-2` is the second one's."""
        return f"{self.project}-{service}" if "-" in service else f"{self.project}-{service}-1"

    def evalcli(self, *arguments: str, seconds: float = 60) -> str:
        """Run a command of evalcli where an operator does; its failure is the test's."""
        return run_docker("exec", self.container("operator"), "evalcli", *arguments, seconds=seconds)

    def begin(self, name: str, **settings: object) -> None:
        """Queue the runs of a campaign."""
        file = self.folder / "libraries/prompt-library" / f"{name}.yaml"
        file.write_text(json.dumps({"name": name, "models": "all", **settings}))
        self.evalcli("campaign", "run", "--no-work", "--runs-dir", RUNS, file.name)

    def status(self, name: str) -> dict[str, Any]:
        """Where a campaign stands, however its runs ended."""
        words = 'evalcli campaign status --json "$0" || [ $? -eq 1 ]'
        told: dict[str, Any] = json.loads(
            run_docker("exec", self.container("operator"), "sh", "-c", words, name)
        )
        return told

    def kept(self) -> dict[str, Counter[tuple[str, int]]]:
        """The replies in the shared folder: how often each case and replicate, by the run's id."""
        command = ["docker", "cp", f"{self.container('operator')}:{RUNS}", "-"]
        copied = subprocess.run(command, capture_output=True, check=True, timeout=60)
        found: dict[str, Counter[tuple[str, int]]] = {}
        with tarfile.open(fileobj=io.BytesIO(copied.stdout)) as archive:
            for member in archive:
                path, file = Path(member.name), archive.extractfile(member)
                if path.name == "replies.jsonl" and file is not None:
                    whole = file.read().split(b"\n")[:-1]
                    replies = [json.loads(line) for line in whole]
                    found[path.parent.name] = Counter((one["case"], one["replicate"]) for one in replies)
        return found


@contextmanager
def workers_up(
    images: Images, postgres: str, root: Path, mindrouter: SimConfig, components: int, *, lease_s: int
) -> Iterator[Workers]:
    """Bring three workers up, and what they need; whatever happens then, all of it is removed.

    The library has so many components, whose prompts differ, and the models of the gateway.
    """
    project = images.project(f"campaign-{next(NUMBERS)}")
    with tempfile.TemporaryDirectory(prefix=f"{project}-") as name:
        folder, password, key = Path(name), secrets.token_hex(20), f"mr2_{secrets.token_hex(20)}"
        folder.chmod(0o755)
        keyed = msgspec.structs.replace(mindrouter, keys=(key,))
        (folder / "mindrouter.json").write_bytes(msgspec.json.encode(keyed))
        write_library(folder / "libraries/prompt-library", components, [model.id for model in keyed.models])
        _write_secrets(folder, images, password, key)
        settings = {
            "COMPOSE_PROJECT_NAME": project,
            "RUNNER_IMAGE": images.runner,
            "SIMULATOR_IMAGE": images.simulator,
            "POSTGRES_IMAGE": postgres,
            "POSTGRES_START": str(root / "tests/containers/postgres_start"),
            "CAMPAIGN_LIBRARIES": str(folder / "libraries"),
            "CAMPAIGN_SECRETS": str(folder / "secrets"),
            "CAMPAIGN_DATABASE_PASSWORD": str(folder / "database_password"),
            "CAMPAIGN_LEASE": str(lease_s),
            "MINDROUTER_BASE_URL": "http://mindrouter:8000",
            "SIMULATED_MINDROUTER": str(folder / "mindrouter.json"),
            "CERTIFICATE": str(folder / "certificate"),
            "AUTHORITY": str(folder / "authority.pem"),
        }
        (folder / "settings.env").write_text("".join(f"{each}={value}\n" for each, value in settings.items()))
        try:
            _up(root, folder / "settings.env")
            up = Workers(project, images, folder, password, key)
            for worker in WORKERS:
                until(lambda one=worker: "working for" in logs(up, one), seconds=60, what=f"{worker} at work")
            yield up
        finally:
            remove_project(project)


def write_library(folder: Path, components: int, models: list[str]) -> None:
    """Write components that are alike but for their names and one sentence of their prompts, in git."""
    source = FILES / "prompt-library"
    listed = json.loads((source / "component_catalog.json").read_text())
    (entry,) = (one for one in listed["components"] if one["slug"] == LIKE)
    names = [f"terms-{number}" for number in range(1, components + 1)]
    for name in names:
        made = folder / "components" / name
        shutil.copytree(source / "components" / LIKE, made)
        prompt = (made / "prompt.md").read_text().replace(LIKE, name)
        # So that no two runs make the same call.
        (made / "prompt.md").write_text(f"{prompt}\nThe notices are those of {name}.\n")
    text = json.dumps(
        {**listed, "components": [json.loads(json.dumps(entry).replace(LIKE, name)) for name in names]}
    )
    (folder / "component_catalog.json").write_text(text)
    (folder / ".evaluator").mkdir()
    entries = [{"id": model, "provider": "mindrouter", "params": {"seed": 1}} for model in models]
    (folder / ".evaluator/models.yaml").write_text(json.dumps({"models": entries}))
    as_git(folder)


def _write_secrets(folder: Path, images: Images, password: str, key: str) -> None:
    """Write them for one user each, as PostgreSQL and libpq ask for."""
    authority = Authority()
    write(folder / "authority.pem", authority.pem)
    for name in ("secrets", "certificate"):
        (folder / name).mkdir()
    authority.write_certificate(folder / "certificate", "database")
    (folder / "database_password").write_text(password)
    (folder / "secrets/pgpass").write_text(f"database:5432:campaigns:evaluator:{password}\n")
    (folder / "secrets/MINDROUTER_API_KEY").write_text(key)
    script = f"chown {DATABASE_USER} database_password certificate/* && chown {USER} secrets/*"
    script += " && chmod 400 database_password certificate/privkey.pem secrets/*"
    run_docker(
        *("run", "--rm", "--user", "0", "--volume", f"{folder}:/folder", "--workdir", "/folder"),
        *(images.runner, "sh", "-ec", script),
    )


def _up(root: Path, settings: Path) -> None:
    files = [part for file in FILES_OF_COMPOSE for part in ("--file", str(root / file))]
    command = ["docker", "compose", *files, "--env-file", str(settings)]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
    done = subprocess.run(
        [*command, "up", "--detach", "--wait"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode != 0:
        logs = subprocess.run(
            [*command, "logs", "--no-color", "--tail", "40"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        pytest.fail(f"compose did not start:\n{done.stderr[-4000:]}\n{logs.stdout[-8000:]}")
