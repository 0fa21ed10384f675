"""The real service over real HTTP, with real git, beside the simulated MindRouter and GitHub."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from msgspec import structs

from evalcore.effects import real_effects
from evalhook.app import create_app
from evalhook.config.settings import read_settings
from evalsim.github.app import API, SimulatedGitHub
from evalsim.github.faults import Fault
from evalsim.library import as_git, write_sample_data_sets, write_sample_library
from evalsim.mindrouter import AnswerBook, SimulatedMindRouter, default_config
from evalsim.serving import running

TOKEN = "a-token-of-at-least-thirty-two-characters"
GITHUB_TOKEN = "ghp_" + "0123456789abcdef" * 2
KEY = "mr2_" + "k" * 30
SKILL = "award-notice-terms"
LIBRARY, DATA_SETS = "owner/prompt-library", "owner/data-sets"
READY_SECONDS = 20.0
# prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH): even root's service heeds permissions.
HEEDING_PERMISSIONS = (
    sys.executable,
    "-c",
    (
        "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, number, 0, 0, 0) for number in (1, 2)];"
        "os.execv(sys.argv[1], sys.argv[1:])"
    ),
)


class Outside:
    """The simulated outside, and the settings of a service in it."""

    def __init__(self, folder: Path, github: SimulatedGitHub, github_url: str, mindrouter_url: str) -> None:
        self.folder = folder
        self.github = github
        self.github_url = github_url
        self.mindrouter_url = mindrouter_url

    @property
    def library(self) -> Any:
        return self.github.state.repositories[LIBRARY].bare

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": self.mindrouter_url,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(self.folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{self.github_url}/{LIBRARY}.git",
            "EVALHOOK_DATA_SETS": str(self.folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": f"{self.github_url}/{DATA_SETS}.git",
            "EVALHOOK_STATE_DIR": str(self.folder / "state"),
            "EVALHOOK_GITHUB_REPO": LIBRARY,
            "EVALHOOK_GITHUB_API_URL": f"{self.github_url}{API}",
            "GITHUB_TOKEN": GITHUB_TOKEN,
            **changes,
        }

    @contextmanager
    def service(self, *, haste: float = 1, **changes: str) -> Iterator[httpx.Client]:
        """Serve the application in this process and give a client that holds the token.

        `haste` divides its waits.
        """
        effects = structs.replace(real_effects(), sleep=lambda seconds: asyncio.sleep(seconds / haste))
        app = create_app(read_settings(self.environment(**changes)), effects=effects)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with running(app) as url, httpx.Client(base_url=url, headers=headers, timeout=45) as client:
            yield client

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call the simulated GitHub as a person would."""
        headers = {"Authorization": f"Bearer {GITHUB_TOKEN}"}
        url = f"{self.github_url}{API}/repos/{LIBRARY}{path}"
        answer = httpx.request(method, url, headers=headers, json=body or None)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    library, data_sets = tmp_path / "library", tmp_path / "data-sets"
    write_sample_library(library)
    write_sample_data_sets(data_sets)
    as_git(library)
    as_git(data_sets)
    github = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    github.state.add_repository(LIBRARY, library)
    github.state.add_repository(DATA_SETS, data_sets)
    book = AnswerBook.from_folders([library, data_sets])
    mindrouter = SimulatedMindRouter(structs.replace(default_config(), keys=(KEY,)), book)
    with ExitStack() as stack:
        github_url = stack.enter_context(running(github))
        mindrouter_url = stack.enter_context(running(mindrouter))
        yield Outside(tmp_path, github, github_url, mindrouter_url)


def evaluate(client: httpx.Client, **request: Any) -> dict[str, Any]:
    """Ask for an evaluation that is accepted and follow its job to the end."""
    answer = client.post("/evaluate", json={"skill_name": SKILL, "replicates": 2} | request)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = wait_until(
        lambda: client.get(answer.headers["location"]).json(),
        lambda job: job["status"] not in {"queued", "running"},
    )
    return job


def wait_until(look: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while not is_enough(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    return seen


def test_a_request_becomes_a_leaderboard_on_the_default_branch(outside: Outside) -> None:
    before = outside.library.branch("main")
    with outside.service() as client:
        job = evaluate(client)
        assert job["status"] == "completed", job["error"]
        assert job["prompt_commit"] == before
        assert job["progress"]["done"] == job["progress"]["total"] > 0
        assert {row["status"] for row in job["result"]["models"]} == {"complete"}
    (pull,) = outside.api("GET", "/pulls")
    assert pull["html_url"] == job["result"]["pull_request_url"]
    assert pull["head"]["ref"] == job["result"]["branch"]
    assert sorted(label["name"] for label in pull["labels"]) == ["automerge", "eval-results"]
    assert outside.library.branch("main") == before
    outside.api("PUT", f"/pulls/{pull['number']}/merge")
    written = outside.library.file("main", f"components/{SKILL}/leaderboard.json")
    board = json.loads(written)
    assert board["component"] == SKILL
    assert {run["job_id"] for run in board["runs"]} == {job["job_id"]}
    assert [run["model"] for run in board["runs"]] == sorted(row["model"] for row in job["result"]["models"])
    assert list((outside.folder / "state" / "worktrees").glob("*/*/worktree-*")) == []


def test_mode_push_puts_the_record_on_the_default_branch(outside: Outside) -> None:
    with outside.service(EVALHOOK_COMMIT_BACK="push") as client:
        job = evaluate(client)
        assert job["status"] == "completed", job["error"]
        assert job["result"]["pull_request_url"] is None
    assert outside.library.file("main", f"components/{SKILL}/leaderboard.json") is not None


def test_a_github_app_clones_pushes_and_opens_the_pull_request(outside: Outside) -> None:
    private, public = key_pair()
    outside.github.state.add_app("77", public)
    app = {"EVALHOOK_GITHUB_APP_ID": "77", "EVALHOOK_GITHUB_APP_PRIVATE_KEY": private, "GITHUB_TOKEN": ""}
    with outside.service(**app) as client:
        job = evaluate(client)
        assert job["status"] == "completed", job["error"]
        assert job["result"]["pull_request_url"]


def test_an_apps_token_that_ends_before_its_time_is_renewed_by_whoever_is_refused(outside: Outside) -> None:
    private, public = key_pair()
    outside.github.state.add_app("77", public)
    app = {"EVALHOOK_GITHUB_APP_ID": "77", "EVALHOOK_GITHUB_APP_PRIVATE_KEY": private, "GITHUB_TOKEN": ""}
    tokens = outside.github.state.tokens

    def revoke() -> set[str]:
        revoked = set(tokens) - {GITHUB_TOKEN}
        for token in revoked:
            del tokens[token]
        return revoked

    with outside.service(haste=100, **app) as client:
        answer = client.post("/evaluate", json={"skill_name": SKILL, "replicates": 2})
        assert answer.status_code == 202, answer.text
        assert revoke()
        job = wait_until(
            lambda: client.get(answer.headers["location"]).json(), lambda job: job["status"] != "running"
        )
        assert job["status"] == "completed", job["error"]
        assert job["result"]["pull_request_url"]
        assert revoke()
        # Refused once, whoever comes first: this request, or the report on the job that has just ended.
        assert client.post("/evaluate", json={"skill_name": "no-such"}).status_code in {503, 404}
        assert client.post("/evaluate", json={"skill_name": "no-such"}).status_code == 404


def test_a_forge_that_refuses_the_push_fails_the_job_and_keeps_the_replies(outside: Outside) -> None:
    outside.github.state.add_token(GITHUB_TOKEN, access="read")
    with outside.service(haste=200) as client:
        job = evaluate(client)
        assert (job["status"], job["error"]["code"]) == ("failed", "push_refused")
        assert GITHUB_TOKEN not in json.dumps(job)
        assert {row["status"] for row in job["result"]["models"]} == {"complete"}
    assert len(list((outside.folder / "state" / "runs").glob("*/record.json"))) == 4


@pytest.mark.parametrize("runs", [True, False])
def test_what_a_forge_refused_is_committed_back_by_hand_with_and_without_the_service(
    outside: Outside, *, runs: bool
) -> None:
    outside.github.state.add_token(GITHUB_TOKEN, access="read")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    with outside.service(haste=200) as client:
        job = evaluate(client)
    assert job["status"] == "failed"
    by_hand = [*command()[:-1], "publish", job["job_id"]]
    environment = full(outside.environment(EVALHOOK_BIND=bind))

    def publish() -> subprocess.CompletedProcess[str]:
        return subprocess.run(by_hand, env=environment, capture_output=True, text=True, check=False)

    outside.github.state.add_token(GITHUB_TOKEN, access="write")
    with process(outside.environment(EVALHOOK_BIND=bind)) if runs else nullcontext():
        if runs:
            wait_until(lambda: is_healthy(f"http://{bind}"), bool)
        done = publish()
        assert done.returncode == 0, done.stderr
        again = publish()
    (pull,) = outside.api("GET", "/pulls")
    assert done.stdout.strip() == pull["html_url"]
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is completed" in again.stderr


def test_what_was_published_without_the_service_is_told_at_its_next_start(outside: Outside) -> None:
    outside.github.state.faults.add(Fault(on="push", message="protected branch"))
    with outside.service(haste=200) as client:
        job = evaluate(client)
        assert job["error"]["code"] == "push_refused"
        wait_until(lambda: list((outside.folder / "state" / "untold").iterdir()), lambda left: not left)
    (issue,) = outside.api("GET", "/issues")
    outside.github.state.faults.clear()
    by_hand = [*command()[:-1], "publish", job["job_id"]]
    done = subprocess.run(
        by_hand, env=full(outside.environment()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    statuses = f"/commits/{job['prompt_commit']}/statuses"
    assert outside.api("GET", statuses)[0]["state"] == "failure"
    with outside.service():
        wait_until(lambda: outside.api("GET", f"/issues/{issue['number']}")["state"], "closed".__eq__)
    status = outside.api("GET", statuses)[0]
    assert (status["state"], status["target_url"]) == ("success", done.stdout.strip())


def test_mode_none_needs_no_github_and_writes_nothing_there(outside: Outside) -> None:
    before = outside.library.branches()
    with outside.service(EVALHOOK_COMMIT_BACK="none") as client:
        job = evaluate(client)
        assert job["status"] == "completed", job["error"]
        assert (job["result"]["pull_request_url"], job["result"]["branch"]) == (None, None)
    assert outside.library.branches() == before


def test_refusals_of_the_real_world_free_the_slot(outside: Outside) -> None:
    with outside.service(EVALHOOK_COMMIT_BACK="none") as client:

        def refused(**request: Any) -> tuple[int, str]:
            answer = client.post("/evaluate", json={"skill_name": SKILL} | request)
            return answer.status_code, answer.json()["error"]["code"]

        assert refused(skill_name="no-such-component") == (404, "unknown_skill")
        assert refused(git_sha="abcdef0") == (422, "unknown_commit")
        clone = outside.folder / "clones" / "library"
        prompt = clone / "components" / SKILL / "prompt.md"
        kept = prompt.read_text()
        prompt.write_text("changed by hand")
        assert refused() == (503, "not_ready")
        prompt.write_text(kept)
        lock = clone / ".git" / "index.lock"
        lock.touch()
        assert refused() == (503, "not_ready")
        lock.unlink()
        assert evaluate(client)["status"] == "completed"


@pytest.mark.parametrize(
    "changes",
    [
        {"MINDROUTER_BASE_URL": "http://127.0.0.1:9"},
        {"MINDROUTER_API_KEY": "mr2_a-key-it-does-not-know"},
        {"EVALHOOK_PROMPT_LIBRARY_URL": "http://127.0.0.1:9/owner/library.git"},
        {"GITHUB_TOKEN": "ghp_a-token-it-does-not-know"},
    ],
)
def test_what_cannot_be_reached_is_503_and_does_not_stop_the_start(
    outside: Outside, changes: dict[str, str]
) -> None:
    with outside.service(**changes) as client:
        assert client.get("/health").status_code == 200
        for _ in range(2):
            answer = client.post("/evaluate", json={"skill_name": SKILL})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
            assert not any(secret in answer.text for secret in changes.values() if "_" in secret)


def test_the_service_process_starts_answers_and_stops_in_order(outside: Outside) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = outside.environment(EVALHOOK_BIND=f"127.0.0.1:{port}")
    with process(environment) as service:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_healthy(url) or service.poll() is not None, bool)
        assert service.poll() is None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, headers=headers, timeout=45) as client:
            assert "server" not in client.get("/health").headers
            answer = client.post("/evaluate", json={"skill_name": SKILL, "replicates": 100})
            assert answer.status_code == 202, answer.text
        second = subprocess.run(command(), env=full(environment), capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1
        assert "another evalhook" in second.stderr
        service.send_signal(signal.SIGTERM)
        log = "".join(service.communicate(timeout=READY_SECONDS + 20))
    assert service.returncode == 0, log
    assert all(line.startswith("{") for line in log.splitlines()), log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"job_started", "run_started"} <= {line["event"] for line in lines}
    for secret in (TOKEN, GITHUB_TOKEN, KEY):
        assert secret not in log
    assert "job_left" in {line["event"] for line in lines}
    kept = {path: path.read_bytes() for path in (outside.folder / "state" / "runs").glob("*/replies.jsonl")}
    # Calls in flight had their time: what was begun was answered and kept, each line whole.
    assert all(data.endswith(b"\n") for data in kept.values() if data)
    with outside.service() as client:
        job = client.get(answer.json()["status_url"]).json()
        assert (job["status"], job["phase"]) == ("running", "evaluating")
        cancelled = client.post(f"{answer.json()['status_url']}/cancel")
        assert cancelled.status_code == 202
        wait_until(lambda: client.get(answer.json()["status_url"]).json()["status"], "cancelled".__eq__)
    for path, data in kept.items():
        assert path.read_bytes().startswith(data)


def test_a_state_directory_that_turns_read_only_holds_the_job_until_it_is_mended(outside: Outside) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment, state = outside.environment(EVALHOOK_BIND=f"127.0.0.1:{port}"), outside.folder / "state"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        process(environment, output=subprocess.DEVNULL, through=HEEDING_PERMISSIONS) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=45) as client,
    ):
        wait_until(lambda: is_healthy(str(client.base_url)) or service.poll() is not None, bool)
        answer = client.post("/evaluate", json={"skill_name": SKILL, "replicates": 10})
        assert answer.status_code == 202, answer.text
        folders = [state, *(path for path in state.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        job = wait_until(
            lambda: client.get(answer.headers["location"]).json(),
            lambda job: "attention" in job or job["status"] != "running",
        )
        assert (job["status"], job["attention"]["code"]) == ("running", "storage_full")
        assert "Permission denied" in job["attention"]["message"]
        for folder in folders:
            folder.chmod(0o700)
        job = wait_until(
            lambda: client.get(answer.headers["location"]).json(), lambda job: job["status"] != "running"
        )
        assert (job["status"], job.get("attention")) == ("completed", None)
        service.terminate()
        service.wait(READY_SECONDS)
    kept = [path.read_bytes().splitlines() for path in (state / "runs").glob("*/replies.jsonl")]
    assert sum(map(len, kept)) == answer.json()["calls"]


@pytest.mark.parametrize("name", ["MINDROUTER_API_KEY", "EVALHOOK_PROMPT_LIBRARY", "EVALHOOK_GITHUB_REPO"])
def test_a_missing_setting_stops_the_start_with_one_line(outside: Outside, name: str) -> None:
    environment = outside.environment()
    del environment[name]
    ended = subprocess.run(command(), env=full(environment), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"evalhook: {name}: is not set")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


@pytest.mark.parametrize("name", ["EVALHOOK_BIND", "EVALHOOK_METRICS_BIND"])
def test_an_address_that_is_taken_stops_the_start(outside: Outside, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = outside.environment(**{"EVALHOOK_BIND": "127.0.0.1:0", name: address})
        ended = subprocess.run(command(), env=full(environment), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"evalhook: {name} {address}: cannot listen there; is the port taken?\n"
    assert "Traceback" not in ended.stdout


def test_a_client_that_hangs_up_does_not_keep_the_slot(outside: Outside) -> None:
    async def hang_up(url: str) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        body = json.dumps({"skill_name": "no-such-component"}).encode()
        head = f"POST /evaluate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    with outside.service(EVALHOOK_COMMIT_BACK="none") as client:
        asyncio.run(hang_up(str(client.base_url)))
        request = {"skill_name": "no-such-component"}
        wait_until(lambda: client.post("/evaluate", json=request).status_code, lambda status: status == 404)


def key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@contextmanager
def process(
    environment: dict[str, str], *, output: int = subprocess.PIPE, through: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*through, *command()], env=full(environment), stdout=output, stderr=output, text=True
    ) as service:
        try:
            yield service
        finally:
            service.kill()


def command() -> list[str]:
    return [str(Path(sys.executable).parent / "evalhook"), "serve"]


def full(environment: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **environment}


def is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
