"""One evaluation seen from outside: its calls counted, its replies stored, what is on GitHub at its end."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.containers.deployments import Deployment
from tests.containers.operating import finished
from tests.containers.outside import counted, started

SKILL = "award-notice-terms"
RECORD = f"components/{SKILL}/leaderboard.json"
RUNS = "/var/lib/evaluator/state/runs"
SEEDLESS = "ibm/granite-4-tiny"
"""The sample's one model without a seed: a call that is made again is answered otherwise."""

Figures = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Evaluation:
    """A job, and what there was before it."""

    up: Deployment
    job: str
    planned: int
    """Calls."""
    asked_before: int
    stored_before: int
    branches_before: frozenset[str]

    def asked(self) -> int:
        """Its calls that have reached the gateway so far."""
        return counted(self.up).requests.total() - self.asked_before

    def stored(self) -> int:
        """Its replies in the state so far: whole lines. The service may be dead."""
        return stored_replies(self.up) - self.stored_before

    def now(self) -> dict[str, Any]:
        """The job as the service has it."""
        return _job(self.up, self.job)

    def has_ended(self) -> bool:
        """Whether it has, however it did."""
        return self.now()["status"] in {"completed", "failed", "cancelled"}

    def figures(self, seconds: float = 180) -> Figures:
        """Await its end and merge its one pull request: what each run found.

        A job that did not complete, and more pull requests or branches than one, are the test's failure.
        """
        job = finished(self.up, self.job, seconds)
        assert job["status"] == "completed", job
        assert job["progress"]["done"] == job["progress"]["total"] == self.planned
        with self.up.github() as github:
            pulls = github.get("/pulls", params={"state": "all"}).raise_for_status().json()
            mine = [pull for pull in pulls if self.job in pull["body"]]
            if len(mine) != 1:
                pytest.fail(f"job {self.job} has {len(mine)} pull requests of {len(pulls)}")
            (pull,) = mine
            assert {label["name"] for label in pull["labels"]} == {"eval-results", "automerge"}
            assert _branches(self.up) - self.branches_before == {pull["head"]["ref"]}
            # The next evaluation begins without it.
            github.put(f"/pulls/{pull['number']}/merge", json={}).raise_for_status()
            runs = github.get(f"/contents/{RECORD}").raise_for_status().json()["runs"]
        return {run["model"]: _figures(run) for run in runs if run["job_id"] == self.job}


def begun(up: Deployment, root: Path, replicates: int) -> Evaluation:
    """Trigger an evaluation by the workflow's script."""
    asked, stored, branches = counted(up).requests.total(), stored_replies(up), _branches(up)
    job = started(up, root, SKILL_NAME=SKILL, REPLICATES=str(replicates))
    return Evaluation(up, job, _job(up, job)["progress"]["total"], asked, stored, branches)


def stored_replies(up: Deployment) -> int:
    """The whole lines of all files of replies in the state."""
    command = ["docker", "cp", f"{up.container('hook')}:{RUNS}", "-"]
    copied = subprocess.run(command, capture_output=True, check=False, timeout=60)
    if copied.returncode != 0:
        # Before the first run the folder is not there.
        assert b"Could not find" in copied.stderr, copied.stderr
        return 0
    with tarfile.open(fileobj=io.BytesIO(copied.stdout)) as archive:
        files = [archive.extractfile(each) for each in archive if each.name.endswith("/replies.jsonl")]
        return sum(file.read().count(b"\n") for file in files if file is not None)


def seeded(figures: Figures) -> Figures:
    """Those that are the same in every evaluation of as many replicates."""
    return {model: found for model, found in figures.items() if model != SEEDLESS}


def _figures(run: dict[str, Any]) -> tuple[Any, ...]:
    return run["accuracy"], run["reproducibility"], run["calls"], run["case_results"]


def _job(up: Deployment, job: str) -> dict[str, Any]:
    with up.client(up.credentials.token) as client:
        found: dict[str, Any] = client.get(f"/jobs/{job}").raise_for_status().json()
        return found


def _branches(up: Deployment) -> frozenset[str]:
    with up.github() as github:
        listed = github.get("/branches", params={"per_page": 100})
        return frozenset(each["name"] for each in listed.raise_for_status().json())
