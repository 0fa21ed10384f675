"""EVALHOOK_ALLOW_ANY_COMMIT: results of commits that the default branch lacks are never committed back."""

from __future__ import annotations

from pathlib import Path

import httpx

from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.plan import JobPlan
from evalhook.config.settings import read_settings
from evalhook.wiring import ExternalSystems
from evalsim.testing import git, make_job_plan, make_record


def plan_at(commit: str) -> JobPlan:
    return make_job_plan(prompt_commit=commit)


def test_results_of_another_branch_are_not_committed_back(environment, tmp_path: Path) -> None:
    upstream, clone = tmp_path / "upstream.git", tmp_path / "library"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(upstream))
    git(tmp_path, "clone", "-q", str(upstream), str(clone))
    git(clone, "checkout", "-q", "-b", "main")
    git(clone, "commit", "-q", "--allow-empty", "-m", "x")
    git(clone, "push", "-q", "origin", "main")
    tip = git(clone, "rev-parse", "HEAD")
    side = git(clone, "commit-tree", "HEAD^{tree}", "-m", "side")
    chosen = environment(
        EVALHOOK_COMMIT_BACK="push", GITHUB_TOKEN="ghp_abcdefgh", EVALHOOK_ALLOW_ANY_COMMIT="1"
    )
    publisher = ExternalSystems(read_settings(chosen)).publisher
    saved: list[Outbox] = []
    published = publisher.publish(plan_at(side), [make_record()], {}, Outbox(tries=1), saved.append)
    assert published.reason == f"not committed back: main does not hold commit {side[:12]}"
    assert (published.branch, published.pull_request_url) == (None, None)
    (shown,) = saved
    assert (shown.tries, shown.branch, shown.regression) == (1, None, None)
    assert "`alpha` | 90.0 %" in (shown.figures or "")
    assert "These figures are committed nowhere: the commit is not merged." in (shown.figures or "")
    assert git(upstream, "rev-parse", "main") == tip
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
