"""Workflows of GitHub Actions in the runner image, beside the service: two at once, the sweep, the cloud."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.containers.deployments import REPOSITORY, Deployment, deployed
from tests.containers.engine import LABEL
from tests.containers.images import Images
from tests.containers.operating import finished
from tests.containers.outside import ask_mindrouter, run_outside, run_script, script, started
from tests.containers.searching import found_in

from evalsim.library import write_sample_library

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

TWO = ("award-notice-terms", "expense-memo")
THIRD = "deadline-calendar"
CLOUD_MODEL = "large-1"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_API_URL": "http://github:8000/api/v3",
    "GITHUB_SERVER_URL": "http://github:8000",
    "GITHUB_STEP_SUMMARY": "/tmp/summary",
    "EVALHOOK_ALLOW_HTTP": "1",
}


def write_library(folder: Path, root: Path) -> None:
    """Three of the sample's components, two of its models and one of the cloud's, and our workflows."""
    write_sample_library(folder)
    (folder / ".github").mkdir()
    shutil.copytree(root / ".github/workflows", folder / ".github/workflows")
    for component in (folder / "components").iterdir():
        if component.name not in {*TWO, THIRD}:
            shutil.rmtree(component)
    catalog = json.loads((folder / "component_catalog.json").read_text())
    catalog["components"] = [one for one in catalog["components"] if one["slug"] in {*TWO, THIRD}]
    (folder / "component_catalog.json").write_text(json.dumps(catalog))
    listed = YAML(typ="safe").load(folder / ".evaluator/models.yaml")
    listed["providers"] = {"anthropic": {"base_url": "http://cloud:8000"}}
    listed["models"] = [*listed["models"][:2], {"id": CLOUD_MODEL, "provider": "anthropic"}]
    (folder / ".evaluator/models.yaml").write_text(json.dumps(listed))


@pytest.fixture(scope="module")
def cloud_key() -> str:
    return f"sk-ant-{secrets.token_hex(20)}"


@pytest.fixture(scope="module")
def up(
    images: Images, project_root: Path, tmp_path_factory: pytest.TempPathFactory, cloud_key: str
) -> Iterator[Deployment]:
    library = tmp_path_factory.mktemp("library")
    write_library(library, project_root)
    with deployed(
        images,
        project_root,
        library=library,
        overlays=["tests/containers/compose.cloud.yaml"],
        settings={"SIMULATED_CLOUD_KEY": cloud_key},
    ) as made:
        yield made


@pytest.fixture(scope="module")
def local_board(up: Deployment, project_root: Path) -> bytes:
    """The third component's leaderboard as the service offers it."""
    job = finished(up, started(up, project_root, SKILL_NAME=THIRD, REPLICATES="2"))
    assert job["status"] == "completed", job
    return board_of(up, "evaluator-bot", THIRD)


def board_of(up: Deployment, login: str, skill: str) -> bytes:
    """The leaderboard of a component in the one open pull request of an account that is about it."""
    with up.github() as github:
        pulls = github.get("/pulls").raise_for_status().json()
        (pull,) = [each for each in pulls if each["user"]["login"] == login and skill in each["title"]]
        where = {"ref": pull["head"]["ref"]}
        return github.get(f"/contents/components/{skill}/leaderboard.json", params=where).content


AT_ONCE = """
for SKILL_NAME in $BOTH; do
  export SKILL_NAME
  { bash -eo pipefail -c "$SCRIPT" 2>&1; echo "code=$?"; } >"/tmp/$SKILL_NAME" &
done
wait
for SKILL_NAME in $BOTH; do printf '== %s\\n' "$SKILL_NAME"; cat "/tmp/$SKILL_NAME"; done
"""


def ask_for_both(up: Deployment, root: Path) -> dict[str, str]:
    """Run the trigger's script for two components in the same instant; what each said, by component."""
    environment = {
        "SCRIPT": script(root, "evaluate-local", "evaluate"),
        "BOTH": " ".join(TWO),
        "REPLICATES": "2",
        "EVAL_WEBHOOK_URL": up.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": up.credentials.token,
    }
    done = run_outside(up, "bash", "-c", AT_ONCE, environment=environment)
    return dict(part.split("\n", 1) for part in done.out.split("== ")[1:])


@pytest.mark.usefixtures("local_board")
def test_of_two_at_once_one_is_refused_and_the_sweep_evaluates_it(up: Deployment, project_root: Path) -> None:
    # The one that comes first is still under way when the other asks.
    ask_mindrouter(up, "POST", "/sim/faults", [{"kind": "slow", "seconds": 8, "times": 2}])
    said = ask_for_both(up, project_root)
    (first,) = [skill for skill in TWO if re.search(r"job \S+ started", said[skill])]
    (second,) = [skill for skill in TWO if skill != first]
    assert "code=0" in said[first]
    assert "::error title=The service refused (HTTP 409)::busy: job" in said[second]
    assert f"evaluating {first} since" in said[second]
    assert "code=1" in said[second]
    job = re.search(r"job (\S+) started", said[first])
    assert job is not None
    assert finished(up, job[1])["status"] == "completed"

    environment = {
        **GITHUB,
        "SCRIPT": script(project_root, "sweep", "sweep"),
        "GITHUB_TOKEN": up.credentials.actions_token,
        "EVAL_WEBHOOK_URL": up.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": up.credentials.token,
    }
    swept = run_script(up, 'bash -eo pipefail -c "$SCRIPT" && cat /tmp/summary', environment)
    assert swept.code == 0, swept.said
    rows = re.findall(r"<tr><td>(\S+?)<td>\S+?<td>(\w+)<td><td>(\w+)<td>(\S*?)</tr>", swept.out)
    (asked,) = [row for row in rows if row[1] == "local"]
    assert asked[:3] == (second, "local", "triggered"), swept.said
    # What has been evaluated lies in an open pull request, and is not asked for again.
    assert {row[0] for row in rows} == {second}
    assert finished(up, asked[3])["status"] == "completed"
    runs = json.loads(board_of(up, "evaluator-bot", second))["runs"]
    assert {run["job_id"] for run in runs} == {asked[3]}


CHECK_OUT = f"""
basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="Authorization: Basic $basic"
git clone --quiet --depth=1 http://github:8000/{REPOSITORY}.git library
git clone --quiet --depth=1 http://github:8000/sample/data-sets.git evaluation-data-sets
chown -R 1001:1001 .
"""


class Workspace:
    """A job's workspace: checked out by user 1001, its steps run by root, as GitHub mounts it."""

    def __init__(self, up: Deployment, docker: Any, root: Path) -> None:
        name = f"{up.project}-workspace"
        docker("volume", "create", "--label", f"{LABEL}={up.project}", name)
        mount = ["--volume", f"{name}:/__w", "--workdir", "/__w", "--tmpfs", "/github/home"]
        self.options = ["--user", "0", *mount, "--env", "HOME=/github/home"]
        self.up, self.root = up, root

    def check_out(self) -> None:
        token = {"TOKEN": self.up.credentials.actions_token}
        done = run_outside(
            self.up, "bash", "-eo", "pipefail", "-c", CHECK_OUT, environment=token, options=self.options
        )
        assert done.code == 0, done.said

    def step(self, job: str, name: str, **environment: str) -> str:
        text = script(self.root, "evaluate-cloud", job, name)
        done = run_script(self.up, text, {**GITHUB, **environment}, options=self.options)
        assert done.code == 0, done.said
        return done.said

    def read(self, *command: str) -> str:
        done = run_outside(self.up, *command, options=self.options)
        assert done.code == 0, done.said
        return done.out


@pytest.fixture(scope="module")
def workspace(up: Deployment, docker: Any, project_root: Path, cloud_key: str) -> Workspace:
    """A workspace in which the cloud workflow has evaluated the third component and published it."""
    made = Workspace(up, docker, project_root)
    made.check_out()
    skills = json.dumps([THIRD])
    made.step(
        "evaluate", "Evaluate", SKILLS=skills, MODEL=CLOUD_MODEL, REPLICATES="2", ANTHROPIC_API_KEY=cloud_key
    )
    made.step("publish", "Publish", GITHUB_TOKEN=up.credentials.actions_token)
    return made


def test_runner_evaluates_a_cloud_model_from_a_checkout_of_another_user(
    workspace: Workspace, up: Deployment
) -> None:
    owner = workspace.read("stat", "--format=%u", "library", "library/.git")
    assert owner.split() == ["1001", "1001"]
    (record,) = json.loads(workspace.read("cat", "results/0/records.json"))
    with up.github() as github:
        assert record["prompt_commit"] == github.get("/branches/main").json()["commit"]["sha"]
    assert (record["model"], record["provider"]) == (CLOUD_MODEL, "anthropic")
    assert (record["status"], record["origin"]) == ("complete", "actions")
    assert record["calls"]["ok"] == record["calls"]["total"] > 0


@pytest.mark.usefixtures("workspace")
def test_its_record_merges_with_the_services_in_either_order(
    up: Deployment, local_board: bytes, tmp_path: Path
) -> None:
    cloud_board = board_of(up, "github-actions", THIRD)
    origins = [{run["origin"] for run in json.loads(board)["runs"]} for board in (local_board, cloud_board)]
    assert origins == [{"vm"}, {"actions"}]
    tmp_path.chmod(0o755)
    (tmp_path / "local.json").write_bytes(local_board)
    (tmp_path / "cloud.json").write_bytes(cloud_board)
    merge = (
        "evalcli leaderboard merge /boards/local.json /boards/cloud.json --out /tmp/one"
        " && evalcli leaderboard merge /boards/cloud.json /boards/local.json --out /tmp/other"
        " && cmp /tmp/one /tmp/other && cat /tmp/one"
    )
    done = run_outside(up, "bash", "-c", merge, options=["--volume", f"{tmp_path}:/boards:ro"])
    assert done.code == 0, done.said
    runs = json.loads(done.out[done.out.index("{") :])["runs"]
    both = [*json.loads(local_board)["runs"], *json.loads(cloud_board)["runs"]]
    assert sorted(runs, key=lambda run: run["run_id"]) == sorted(both, key=lambda run: run["run_id"])


def test_providers_key_stays_in_its_jobs_environment(
    workspace: Workspace, up: Deployment, docker: Any, cloud_key: str
) -> None:
    kept = workspace.read("bash", "-c", "find . -type f -print0 | xargs -0 cat | base64 --wrap=0")
    searched = [("workspace", base64.b64decode(kept))]
    searched += [(service, docker("logs", up.container(service)).encode()) for service in ("hook", "cloud")]
    assert CLOUD_MODEL.encode() in searched[0][1]
    assert found_in(searched, {"key": cloud_key, "token": up.credentials.actions_token}) == []
