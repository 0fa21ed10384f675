"""`evalcli sweep`: what lacks results is asked for, once; what was tried in vain is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from evalcli.commands import sweep as sweep_command
from evalcli.workflows import slot
from evalcore.formats.strict_json import sha256_hex
from evalsim.github import SimulatedGitHub
from evalsim.github.app import API
from evalsim.serving import running
from evalsim.testing import (
    GITHUB_TOKEN,
    REPOSITORY,
    git,
    make_record,
    write_component,
    write_leaderboard,
)

TOKEN = "t0ken-" + "x" * 32
LOCAL = "models:\n  - {id: small, provider: mindrouter}\n  - {id: big, provider: mindrouter}\n"
CLOUD = LOCAL + "  - {id: far, provider: openai}\n"
PROMPT = sha256_hex(b"Answer.")
BUSY = {
    "busy": True,
    "current_job": {"job_id": "j-1", "skill": "other", "started_at": "2026-01-01T00:00:00Z"},
}


def prompt(version: str) -> str:
    return f"---\nname: Memo\nversion: {version}\n---\n## Prompt\nAnswer.\n"


class World:
    """A prompt library on the simulated GitHub, with one component `memo` 1.2.0 that has no runs."""

    def __init__(self, root: Path, app: SimulatedGitHub) -> None:
        self.root = root / "library"
        git(root, "init", "-q", "--initial-branch=main", str(self.root))
        self.app = app
        self.component("memo", "1.2.0")
        self.models(LOCAL)
        self.bare: Path | None = None

    def component(self, slug: str, version: str) -> None:
        write_component(self.root, slug, prompt_file=prompt(version))

    def models(self, text: str) -> None:
        (self.root / ".evaluator").mkdir(exist_ok=True)
        (self.root / ".evaluator" / "models.yaml").write_text(text)

    def board(self, *records: Any, slug: str = "memo") -> None:
        write_leaderboard(self.root / "components" / slug / "leaderboard.json", *records, slug=slug)

    def record(self, number: int = 1, **fields: Any) -> Any:
        given = {"component_version": "1.2.3", "prompt_sha256": PROMPT, "model": "small", **fields}
        return make_record(number, **given)

    def commit(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "x")
        return git(self.root, "rev-parse", "HEAD")

    def push(self) -> str:
        head = self.commit()
        if self.bare is None:
            self.bare = self.app.state.add_repository(REPOSITORY, self.root).bare.path
        else:
            git(self.root, "push", "-q", str(self.bare), "HEAD:refs/heads/main")
        return head

    @property
    def dispatches(self) -> list[tuple[str, dict[str, str]]]:
        found = self.app.state.repositories[REPOSITORY].dispatches
        return [(one.workflow, one.inputs) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    app = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    with running(app) as url:
        made = World(tmp_path, app)
        made.url = f"{url}{API}"
        yield made


class Time:
    """A clock that goes on by waiting."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(sweep_command, "time", time)
    return time


@pytest.fixture
def sweep(evalcli: Callable[..., Any], world: World, service: Any, passed: Time) -> Callable[..., Any]:
    del passed  # time goes on by waiting alone
    service.accepts()
    service.says("/jobs", (200, {"jobs": []}))

    def run(*arguments: str, **environment: str | None) -> Any:
        given = {
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "GITHUB_API_URL": world.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "EVAL_WEBHOOK_URL": service.url,
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
        }
        ended = evalcli("sweep", "--json", *arguments, **{**given, **environment})
        found = json.loads(ended.out) if ended.out.startswith("[") else None
        return ended.code, found, ended.err

    return run


def asked(service: Any) -> list[Any]:
    return [body for method, _, body, _ in service.requests if method == "POST"]


def short(found: Any) -> list[tuple[Any, ...]]:
    return [(one["component"], one["where"], one["outcome"]) for one in found]


def test_a_component_without_any_complete_run_is_asked_for_at_the_tip(
    world: World, sweep: Callable[..., Any], service: Any
) -> None:
    head = world.push()
    code, found, _ = sweep()
    assert (code, short(found)) == (0, [("memo", "local", "triggered")])
    assert asked(service) == [{"skill_name": "memo", "replicates": 10, "git_sha": head}]


@pytest.mark.parametrize(
    ("fields", "requests"),
    [
        ({}, 0),
        ({"component_version": "1.2.0"}, 0),
        ({"component_version": "1.1.9"}, 1),
        ({"component_version": "2.2.0"}, 1),
        ({"component_version": "none"}, 1),
        ({"status": "partial"}, 1),
        ({"model": "another", "origin": "actions"}, 0),
    ],
)
def test_any_complete_run_of_the_present_major_and_minor_is_enough(
    world: World, sweep: Callable[..., Any], service: Any, fields: dict[str, str], requests: int
) -> None:
    world.board(world.record(**fields))
    world.push()
    assert sweep()[0] == 0
    assert len(asked(service)) == requests


def test_open_results_count_whoever_opened_them_but_not_those_of_a_fork(
    world: World, sweep: Callable[..., Any], service: Any
) -> None:
    world.push()
    git(world.root, "checkout", "-q", "-b", "results")
    world.board(world.record())
    commit = world.commit()
    branch = "eval-results/memo-0123456789ab-20260101T000000Z"
    repository = world.app.state.repositories[REPOSITORY]
    fork = world.app.state.add_repository("mallory/prompt-library", world.root)
    git(fork.bare.path, "branch", branch, commit)
    world.app.state.add_token("ghp_other", login="somebody-else")
    git(world.root, "push", "-q", str(repository.bare.path), f"{commit}:refs/heads/other")

    def open_pull(head: str) -> None:
        body = {"title": "x", "head": head, "base": "main"}
        url = f"{world.url}/repos/{REPOSITORY}/pulls"
        answer = httpx.post(url, json=body, headers={"Authorization": "Bearer ghp_other"})
        assert answer.status_code == 201, answer.text

    open_pull(f"mallory:{branch}")
    assert sweep()[0] == 0
    assert len(asked(service)) == 1
    git(world.root, "push", "-q", str(repository.bare.path), f"{commit}:refs/heads/{branch}")
    open_pull(branch)
    assert sweep()[:2] == (0, [])
    assert len(asked(service)) == 1


def test_components_that_cannot_be_read_or_have_no_version_are_not_asked_for(
    world: World, sweep: Callable[..., Any], service: Any
) -> None:
    world.component("other", "1.10")
    (world.root / "components" / "memo" / "leaderboard.json").write_text("{")
    world.push()
    code, found, _ = sweep()
    assert (code, short(found)) == (1, [("memo", "local", "left")])
    assert "not valid JSON" in found[0]["reason"]
    assert asked(service) == []


def test_the_slot_is_waited_for_an_hour_at_most_and_the_rest_is_named(
    world: World, sweep: Callable[..., Any], service: Any, passed: Time
) -> None:
    world.component("other", "1.0.0")
    world.component("third", "1.0.0")
    world.push()
    service.accepts()
    accepted = service.said["/evaluate"][0]
    service.says("/evaluate", (409, BUSY), (409, BUSY), (202, b""), (409, BUSY))
    service.said["/evaluate"][2] = accepted
    code, found, err = sweep()
    assert code == 1
    assert short(found) == [
        ("memo", "local", "triggered"),
        ("other", "local", "left"),
        ("third", "local", "left"),
    ]
    assert "not free within 60 minutes: is busy: job j-1" in found[2]["reason"]
    assert slot.LONGEST_WAIT <= passed.at < slot.LONGEST_WAIT + 2 * slot.POLL_SECONDS
    assert "third" not in [body["skill_name"] for body in asked(service)]
    assert "memo: job" in err


def test_a_refusal_is_named_and_the_next_is_asked_for(
    world: World, sweep: Callable[..., Any], service: Any
) -> None:
    world.component("other", "1.0.0")
    world.push()
    accepted = service.said["/evaluate"][0]
    refusal = {"error": {"code": "unusable_component", "message": "no case"}}
    service.says("/evaluate", (422, refusal), (202, b""))
    service.said["/evaluate"][1] = accepted
    code, found, _ = sweep()
    assert (code, short(found)) == (1, [("memo", "local", "left"), ("other", "local", "triggered")])
    assert "unusable_component: no case" in found[0]["reason"]


def test_what_runs_is_not_asked_for_again(
    world: World, sweep: Callable[..., Any], service: Any, make_job: Any
) -> None:
    world.push()
    service.says("/jobs", (200, {"jobs": [make_job("running")]}))
    code, found, _ = sweep()
    assert (code, short(found), asked(service)) == (0, [("memo", "local", "running")], [])


def test_what_failed_three_times_is_named_until_it_changes(
    world: World, sweep: Callable[..., Any], service: Any, make_job: Any
) -> None:
    """Failed jobs count at any commit with the same contents, and partial runs of the same prompt."""
    first = world.push()
    (world.root / "README.md").write_text("elsewhere")
    second = world.push()
    world.board(
        world.record(1, status="partial", job_id="job-3"), world.record(2, status="partial", job_id="job-3")
    )
    world.push()
    jobs = [make_job("failed", job_id=f"job-{number}", prompt_commit=commit) for number, commit in
            enumerate((first, second))]  # fmt: skip
    others = [
        make_job("cancelled", prompt_commit=second),
        make_job("failed", skill_name="x", prompt_commit=second),
    ]
    service.says("/jobs", (200, {"jobs": [*jobs, *others]}))
    code, found, _ = sweep()
    assert (code, short(found)) == (1, [("memo", "local", "left")])
    assert "failed 3 times" in found[0]["reason"]
    assert asked(service) == []
    (world.root / "components" / "memo" / "evals").mkdir()
    (world.root / "components" / "memo" / "evals" / "scoring.yaml").write_text("x: 1\n")
    world.push()
    assert short(sweep()[1]) == [("memo", "local", "triggered")]


def test_cloud_models_are_started_by_their_workflow(world: World, sweep: Callable[..., Any]) -> None:
    world.models(CLOUD)
    world.push()
    code, found, _ = sweep()
    assert (code, [one["outcome"] for one in found]) == (1, ["left", "triggered"])
    assert "404" in found[0]["reason"]  # there is no such workflow yet
    (world.root / ".github" / "workflows").mkdir(parents=True)
    (world.root / ".github" / "workflows" / "evaluate-cloud.yml").write_text("on: workflow_dispatch\n")
    head = world.push()
    assert sweep()[0] == 0
    assert world.dispatches == [("evaluate-cloud.yml", {"skill_name": "memo", "git_sha": head})]


def test_a_library_of_cloud_models_alone_needs_no_service(world: World, sweep: Callable[..., Any]) -> None:
    world.models("models:\n  - {id: far, provider: openai}\n")
    (world.root / ".github" / "workflows").mkdir(parents=True)
    (world.root / ".github" / "workflows" / "evaluate-cloud.yml").write_text("on: workflow_dispatch\n")
    world.push()
    code, found, _ = sweep(EVAL_WEBHOOK_URL=None)
    assert (code, short(found)) == (0, [("memo", "cloud", "triggered")])


def test_without_a_service_what_is_due_is_left(world: World, sweep: Callable[..., Any], service: Any) -> None:
    world.push()
    code, found, _ = sweep(EVAL_WEBHOOK_URL=None)
    assert (code, "EVAL_WEBHOOK_URL is not set" in found[0]["reason"]) == (1, True)
    service.says("/jobs", (502, b"away"))
    code, found, _ = sweep()
    assert (code, "502: away" in found[0]["reason"]) == (1, True)
    assert asked(service) == []


def test_since_narrows_to_what_rose_in_that_time(world: World, sweep: Callable[..., Any]) -> None:
    """The commits of these tests are of January 2026."""
    world.component("other", "1.0.0")
    world.push()
    assert sweep("--since", "24h")[:2] == (0, [])
    days = (datetime.now(UTC) - datetime(2026, 1, 5, tzinfo=UTC)) // timedelta(days=1) + 2
    assert len(sweep("--since", f"{days}d")[1]) == 2
    for wrong in ("24", "h", "1w", "-1h", "999999h"):
        assert sweep("--since", wrong)[0] == 2


def test_single_models_are_asked_for_once_a_week_and_those_not_served_are_named(
    world: World, sweep: Callable[..., Any], service: Any, make_job: Any
) -> None:
    world.board(world.record(model="small"))
    world.push()
    assert sweep()[:2] == (0, [])
    code, found, _ = sweep("--missing-models")
    assert (code, [(one["models"], one["outcome"]) for one in found]) == (0, [(["big"], "triggered")])
    assert [body["models"] for body in asked(service)] == [["big"]]
    row = {"model": "big", "status": "skipped", "accuracy": None, "reproducibility": None, "reason": "no"}
    result = {"pull_request_url": None, "branch": None, "models": [row]}
    for days, expected in ((6, "left"), (8, "triggered")):
        created = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        service.says("/jobs", (200, {"jobs": [make_job("completed", created_at=created, result=result)]}))
        code, found, _ = sweep("--missing-models")
        assert [(one["models"], one["outcome"]) for one in found] == [(["big"], expected)]
        assert code == (1 if expected == "left" else 0)
    service.says(
        "/jobs", (200, {"jobs": [make_job("completed", created_at="2999-01-01T00:00:00Z", result=result)]})
    )
    assert "MindRouter did not serve it" in sweep("--missing-models")[1][0]["reason"]


def test_a_table_is_shown_without_json(
    evalcli: Callable[..., Any], world: World, sweep: Callable[..., Any], service: Any
) -> None:
    world.push()
    sweep()
    given = {
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "GITHUB_API_URL": world.url,
        "EVAL_WEBHOOK_URL": service.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
    }
    ended = evalcli("sweep", "--repo", REPOSITORY, **given)
    assert ended.out.split()[:6] == ["component", "version", "where", "models", "outcome", "why"]
    world.board(world.record())
    world.push()
    ended = evalcli("sweep", "--repo", REPOSITORY, **given)
    assert (ended.code, ended.out, "nothing is left" in ended.err) == (0, "", True)
