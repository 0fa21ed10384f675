"""From the images of 0.1.0 to today's and back, each time in mid-job (docs/operations.md, Rollback)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.containers.deployments import Deployment, deployed
from tests.containers.engine import REQUIRED, run_docker
from tests.containers.images import BUILD_SECONDS, Images
from tests.containers.operating import await_health, execute, finished
from tests.containers.outside import ask_mindrouter, counted, started
from tests.containers.waiting import until

from evalcore.version import SCORING_VERSION
from evalhook.storage.state_version import FILE, STATE_VERSION

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

COMMIT = "69efd3c66de993aaea3adceee4d11392882c7900"
"""Version 0.1.0."""
REPLICATES = "6"
TODAYS, OF_0_1_0 = SCORING_VERSION, 2
BEGUN = 8
"""Answers after which a job is in its middle."""
STATE = "/var/lib/evaluator/state"


@pytest.fixture(scope="module")
def hook_0_1_0(images: Images, base: list[str], project_root: Path) -> str:
    """The service's image as 0.1.0 built it."""
    git = ["git", "-C", str(project_root)]
    known = subprocess.run([*git, "cat-file", "-e", f"{COMMIT}^{{commit}}"], capture_output=True, check=False)
    if known.returncode != 0:
        reason = f"needs the history of the repository, down to {COMMIT[:7]}: it is a shallow clone, or none"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    tag = images.tag("hook-0-1-0")
    archive = subprocess.run([*git, "archive", COMMIT], capture_output=True, check=True)
    build = ["docker", "build", "--quiet", *base, "--tag", tag, "--file", "docker/hook.Dockerfile", "-"]
    built = subprocess.run(
        build, input=archive.stdout, capture_output=True, check=False, timeout=BUILD_SECONDS
    )
    assert built.returncode == 0, built.stderr.decode()
    return tag


@pytest.fixture(scope="module")
def old(images: Images, hook_0_1_0: str, project_root: Path) -> Iterator[Deployment]:
    """A deployment of 0.1.0."""
    with deployed(images, project_root, settings={"EVALHOOK_IMAGE": hook_0_1_0}) as up:
        yield up


def put_up(up: Deployment, image: str) -> None:
    """Go to another image of the service, by the command of *Upgrade*; it is stopped in good order."""
    env_file = up.folder / "settings.env"
    lines = [line for line in env_file.read_text().splitlines() if not line.startswith("EVALHOOK_IMAGE=")]
    env_file.write_text("\n".join([*lines, f"EVALHOOK_IMAGE={image}", ""]))
    command = [*up.compose.docker_compose_command(), "up", "--detach", "--no-build", "--wait"]
    done = subprocess.run(
        command, cwd=up.compose.context, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    await_health(up)
    assert run_docker("inspect", "--format", "{{.Config.Image}}", up.container("hook")).strip() == image


def changed_over(up: Deployment, root: Path, skill: str, image: str) -> dict[str, Any]:
    """Begin a job, change the image in its middle, and see the job to its end; its calls are counted."""
    before = counted(up).answered.total()
    ask_mindrouter(up, "POST", "/sim/faults", [{"kind": "slow", "seconds": 3}])
    job = started(up, root, SKILL_NAME=skill, REPLICATES=REPLICATES)
    until(lambda: counted(up).answered.total() >= before + BEGUN, seconds=60, what="a job in its middle")
    with up.client(up.credentials.token) as client:
        told = client.get(f"/jobs/{job}").json()
        assert told["status"] == "running"
    put_up(up, image)
    ask_mindrouter(up, "DELETE", "/sim/faults")
    ended = finished(up, job)
    assert ended["status"] == "completed", ended
    assert ended["progress"]["done"] == ended["progress"]["total"] == told["progress"]["total"]
    # Stopped in good order, it had time for the calls in flight: not one was made again.
    assert counted(up).answered.total() - before == ended["progress"]["total"]
    return ended


def pull_requests(up: Deployment, skill: str) -> list[dict[str, Any]]:
    with up.github() as github:
        pulls = github.get("/pulls", params={"state": "all"}).json()
    return [pull for pull in pulls if pull["head"]["ref"].startswith(f"eval-results/{skill}-")]


def records(up: Deployment, skill: str) -> list[dict[str, Any]]:
    """What the component's one pull request adds."""
    (pull,) = pull_requests(up, skill)
    with up.github() as github:
        path = f"/contents/components/{skill}/leaderboard.json"
        board = github.get(path, params={"ref": pull["head"]["ref"]}).json()
    return list(board["runs"])


def test_a_running_job_goes_over_to_todays_images_and_todays_back_to_0_1_0(
    old: Deployment, images: Images, hook_0_1_0: str, project_root: Path
) -> None:
    there = changed_over(old, project_root, "award-notice-terms", images.hook)
    assert execute(old, "hook", "cat", f"{STATE}/{FILE}") == f"{STATE_VERSION}\n"
    back = changed_over(old, project_root, "deadline-calendar", hook_0_1_0)
    for skill, job, scoring in (("award-notice-terms", there, TODAYS), ("deadline-calendar", back, OF_0_1_0)):
        runs = records(old, skill)
        # Whichever ends a run scores it by its own rules: what is said of that in Rollback.
        assert {run["scoring_version"] for run in runs} == {scoring}
        assert {run["job_id"] for run in runs} == {job["job_id"]}
        assert [run["model"] for run in runs] == sorted({row["model"] for row in job["result"]["models"]})
        assert {run["status"] for run in runs} == {"complete"}
    # And forward again: what either has done is there, and nothing is done once more.
    put_up(old, images.hook)
    with old.client(old.credentials.token) as client:
        jobs = client.get("/jobs").json()["jobs"]
    assert {job["job_id"]: job["result"] for job in jobs} == {
        job["job_id"]: job["result"] for job in (there, back)
    }
    assert [len(pull_requests(old, skill)) for skill in ("award-notice-terms", "deadline-calendar")] == [1, 1]
