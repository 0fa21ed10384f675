"""EVALHOOK_ALLOW_ANY_COMMIT: results of commits that the default branch lacks are never committed back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx

from evalcore.library.component import Component
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.plan import JobPlan
from evalhook.config.settings import read_settings
from evalhook.wiring import open_publisher


def git(*arguments: str, at: Path) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def plan_at(commit: str) -> JobPlan:
    component = Component(
        slug="memo", name="memo", version="1.0.0", category=None, prompt="x", prompt_sha256="0" * 64,
        output="json_object", schema=None, schema_sha256=None, policy=None, policy_where=None,
        policy_sha256=None,
    )  # fmt: skip
    return JobPlan(
        job_id="job", origin="vm", component=component, cases=(), skipped_cases=(), models=(), providers={},
        replicates=1, prompt_commit=commit, dataset_commit=None,
    )  # fmt: skip


def test_results_of_another_branch_are_not_committed_back(environment, tmp_path: Path) -> None:
    upstream, clone = tmp_path / "upstream.git", tmp_path / "library"
    git("init", "-q", "--bare", "-b", "main", str(upstream), at=tmp_path)
    git("clone", "-q", str(upstream), str(clone), at=tmp_path)
    git("checkout", "-q", "-b", "main", at=clone)
    git("commit", "-q", "--allow-empty", "-m", "x", at=clone)
    git("push", "-q", "origin", "main", at=clone)
    tip = git("rev-parse", "HEAD", at=clone)
    side = git("commit-tree", "HEAD^{tree}", "-m", "side", at=clone)
    chosen = environment(
        EVALHOOK_COMMIT_BACK="push", GITHUB_TOKEN="ghp_abcdefgh", EVALHOOK_ALLOW_ANY_COMMIT="1"
    )
    publisher = open_publisher(read_settings(chosen))
    saved: list[Outbox] = []
    published = publisher.publish(plan_at(side), [], {}, Outbox(), saved.append)
    assert published.reason == f"not committed back: main does not hold commit {side[:12]}"
    assert (published.branch, published.pull_request_url, saved) == (None, None, [])
    assert git("rev-parse", "main", at=upstream) == tip
    assert publisher.publish(plan_at(tip), [], {}, Outbox(), saved.append).reason is None


def test_the_jobs_result_says_so(world) -> None:
    reason = "not committed back: main does not hold commit abc"
    world.publishing.publish = lambda *_: Published(None, None, reason)

    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client)
        assert job["status"] == "completed"
        assert job["result"]["branch"] is None
        assert {row["reason"] for row in job["result"]["models"]} == {reason}

    world.story(tell)
