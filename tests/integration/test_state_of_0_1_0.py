"""What 0.1.0 wrote (tests/data/0.1.0) is taken up, published, shown and scored again by today's programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs

from evalcore.version import SCORING_VERSION
from evalhook.app import create_app
from evalhook.config.settings import read_settings
from evalhook.storage.state_version import FILE, STATE_VERSION
from evalsim.github.app import API, SimulatedGitHub
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "a-token-of-at-least-thirty-two-characters"
GITHUB_TOKEN = "ghp_" + "0123456789abcdef" * 2
KEY = "mr2_" + "k" * 30
LIBRARY, DATA_SETS = "sample/prompt-library", "sample/data-sets"
COMPLETED = "01a22775-2937-74f5-ad4a-3be7f0c5136a"
UNPUBLISHED = "01a22775-3718-7fe2-addd-83f99197cc78"
KILLED = "01a22776-ca04-79e8-af1a-10d0c4c88278"
SCORING_OF_0_1_0 = 2
SKILL = "award-notice-terms"
EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]
EVALHOOK = [sys.executable, "-c", "from evalhook.main import main; main()"]


class Outside:
    """The simulated outside, with the repositories as they were left, and a copy of the state."""

    def __init__(self, folder: Path, github: SimulatedGitHub, mindrouter: SimulatedMindRouter) -> None:
        self.folder = folder
        self.github = github
        self.mindrouter = mindrouter
        self.github_url = self.mindrouter_url = ""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def environment(self) -> dict[str, str]:
        return {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": self.mindrouter_url,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(self.folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{self.github_url}/{LIBRARY}.git",
            "EVALHOOK_DATA_SETS": str(self.folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": f"{self.github_url}/{DATA_SETS}.git",
            "EVALHOOK_STATE_DIR": str(self.state),
            "EVALHOOK_GITHUB_REPO": LIBRARY,
            "EVALHOOK_GITHUB_API_URL": f"{self.github_url}{API}",
            "GITHUB_TOKEN": GITHUB_TOKEN,
            # What is kept here is as old as the repository.
            "EVALHOOK_RETENTION_DAYS": "3650",
        }

    @contextmanager
    def service(self) -> Iterator[httpx.Client]:
        """Today's service on the state of 0.1.0."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with (
            running(create_app(read_settings(self.environment()))) as url,
            httpx.Client(base_url=url, headers=headers, timeout=45) as client,
        ):
            yield client

    def run(self, program: list[str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program on it."""
        environment = {**os.environ, **self.environment()}
        return subprocess.run(
            [*program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """The records that each open pull request adds, by the component's slug."""
        repository = self.github.state.repositories[LIBRARY]
        found = {}
        for pull in repository.pulls:
            slug = pull.head.removeprefix("eval-results/").rsplit("-", 2)[0]
            board = json.loads(repository.bare.file(pull.head, f"components/{slug}/leaderboard.json"))
            known = repository.bare.file("main", f"components/{slug}/leaderboard.json")
            old = {run["run_id"] for run in json.loads(known)["runs"]} if known else set()
            found[slug] = [run for run in board["runs"] if run["run_id"] not in old]
        assert len(found) == len(repository.pulls)  # one for each component
        return found


@pytest.fixture
def data(project_root: Path) -> Path:
    return project_root / "tests" / "data" / "0.1.0"


@pytest.fixture
def outside(data: Path, tmp_path: Path) -> Iterator[Outside]:
    github = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    checkouts = []
    for name, bundle in ((LIBRARY, "prompt-library"), (DATA_SETS, "data-sets")):
        checkouts.append(checkout(data / f"{bundle}.bundle", tmp_path / bundle))
        github.state.add_repository(name, checkouts[-1])
    shutil.copytree(data / "state", tmp_path / "state")
    book = AnswerBook.from_folders(checkouts)
    mindrouter = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)), book)
    outside = Outside(tmp_path, github, mindrouter)
    with ExitStack() as stack:
        outside.github_url = stack.enter_context(running(github))
        outside.mindrouter_url = stack.enter_context(running(mindrouter))
        yield outside


def checkout(bundle: Path, folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "-b", "main", str(bundle), str(folder)], check=True)
    return folder


def wait_until(look: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while not is_enough(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)  # other threads are awaited, which no event tells of
    return seen


def ended(client: httpx.Client, job_id: str) -> Any:
    return wait_until(
        lambda: client.get(f"/jobs/{job_id}").json(), lambda job: job["status"] not in {"queued", "running"}
    )


def kept_replies(state: Path, job_id: str) -> list[tuple[str, str, int]]:
    """The calls of a job that have a reply: model, case, replicate."""
    found = []
    for run in (state / "runs").iterdir():
        plan = json.loads((run / "run.json").read_bytes())
        if plan["job_id"] == job_id:
            lines = [json.loads(line) for line in (run / "replies.jsonl").read_bytes().splitlines()]
            found += [(plan["model"]["id"], line["case"], line["replicate"]) for line in lines]
    return found


def test_the_killed_job_goes_on_and_nothing_that_was_answered_is_called_again(outside: Outside) -> None:
    before = kept_replies(outside.state, KILLED)
    assert len(before) > 0
    with outside.service() as client:
        job = ended(client, KILLED)
    assert job["status"] == "completed", job["error"]
    assert {row["status"] for row in job["result"]["models"]} == {"complete"}
    replies = kept_replies(outside.state, KILLED)
    assert len(set(replies)) == len(replies) == job["progress"]["total"] == job["progress"]["done"]
    calls = [seen for seen in outside.mindrouter.seen if seen.path == "/v1/chat/completions"]
    assert len(calls) == len(replies) - len(before)
    assert [run["job_id"] for run in outside.results()["deadline-calendar"]] == [KILLED] * 2


def test_what_was_left_unpublished_is_published_with_the_records_that_0_1_0_made(outside: Outside) -> None:
    with outside.service() as client:
        ended(client, KILLED)  # it holds the slot
        assert client.post(f"/jobs/{UNPUBLISHED}/publish").status_code == 202
        job = ended(client, UNPUBLISHED)
    assert job["status"] == "completed", job["error"]
    runs = outside.results()["expense-memo"]
    assert len(runs) == 2
    for run in runs:
        made = json.loads((outside.state / "runs" / run["run_id"] / "record.json").read_bytes())
        assert run["scoring_version"] == SCORING_OF_0_1_0
        for figure in ("accuracy", "reproducibility"):  # by field it would name what private cases ask
            assert run[figure]["mean"] == made[figure]["mean"]
        assert (run["started_at"], run["finished_at"]) == (made["started_at"], made["finished_at"])
        assert run["calls"].items() >= made["calls"].items()  # what has been counted since is null


def test_all_jobs_are_shown_as_they_were(outside: Outside, data: Path) -> None:
    with outside.service() as client:
        jobs = {job["job_id"]: job for job in client.get("/jobs").json()["jobs"]}
        page = client.get("/", headers={"Accept": "text/html"})
        ended(client, KILLED)
    assert set(jobs) == {COMPLETED, UNPUBLISHED, KILLED}
    for job_id, status in ((COMPLETED, "completed"), (UNPUBLISHED, "failed")):
        stored = json.loads((data / "state" / "jobs" / f"{job_id}.json").read_bytes())
        shown = jobs[job_id]
        assert (shown["status"], shown["finished_at"]) == (status, stored["state"]["finished_at"])
        assert shown["result"] == stored["state"]["result"]
    assert page.status_code == httpx.codes.OK


def test_the_state_has_a_version_from_now_on(outside: Outside) -> None:
    assert not (outside.state / FILE).exists()
    with outside.service() as client:
        assert client.get("/health").is_success
        assert (outside.state / FILE).read_text() == f"{STATE_VERSION}\n"
        ended(client, KILLED)


def test_evalhook_rescore_reads_its_runs_the_compressed_one_too(outside: Outside) -> None:
    done = outside.run(EVALHOOK, "rescore", SKILL, cwd=outside.folder)
    assert done.returncode == 0, done.stderr
    assert "2 runs rescored, 0 without replies here" in done.stdout
    runs = outside.results()[SKILL]
    assert [run["scoring_version"] for run in runs] == [SCORING_VERSION] * 2


def test_evalcli_reads_its_leaderboards(outside: Outside, data: Path) -> None:
    board = data / "leaderboard.json"
    service = outside.folder / "service.json"
    repository = outside.github.state.repositories[LIBRARY].bare
    service.write_bytes(repository.file("main", f"components/{SKILL}/leaderboard.json"))

    def told(*arguments: str) -> str:
        done = outside.run(EVALCLI, "leaderboard", *arguments, cwd=outside.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "valid, 2 runs" in told("validate", str(service))
    assert "openai/gpt-oss-120b" in told("show", str(board))
    assert f"scoring {SCORING_OF_0_1_0}" in told("show", str(board))
    merged = [outside.folder / "one.json", outside.folder / "other.json"]
    for path, others in zip(merged, ((board, service), (service, board)), strict=True):
        path.write_text(told("merge", *map(str, others)))
    assert merged[0].read_bytes() == merged[1].read_bytes()


def test_evalcli_shows_and_rescores_its_run_folders(outside: Outside, data: Path) -> None:
    shutil.copytree(data / "runs", outside.folder / "runs")
    recorded = [path.parent for path in (outside.state / "runs").glob("*/record.json")]
    (local,) = (outside.folder / "runs").iterdir()
    for run in [local, *recorded]:
        record = (run / "record.json").read_bytes()
        shown = outside.run(EVALCLI, "show", str(run), cwd=outside.folder)
        assert shown.returncode == 0, shown.stderr
        assert json.loads(record)["model"] in shown.stdout
        rescored = outside.run(EVALCLI, "rescore", str(run), cwd=outside.folder)
        assert rescored.returncode == 0, rescored.stderr
        assert f"version {SCORING_VERSION} instead of {SCORING_OF_0_1_0}" in rescored.stdout
        assert (run / "record.json").read_bytes() == record
