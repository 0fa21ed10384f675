"""Documents as inputs, end to end: every reader, bad ones left out, nothing read twice, and the service."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from evalsim.cloud import CloudConfig, CloudModel, SimulatedCloud
from evalsim.documents.collection import (
    Made,
    made_documents,
    text_documents,
    unreadable_documents,
    write_cases,
)
from evalsim.github.app import API, SimulatedGitHub
from evalsim.library import as_git
from evalsim.mindrouter import AnswerBook, Fault, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import write_component

SLUG = "paper-notices"
EYES, GOOD, POOR = "qwen/qwen3.5-122b", "openai/gpt-oss-120b", "meta/llama-3.1-8b"
KINDS = ("anthropic", "openai", "google")
KEY = "mr2_" + "k" * 30
TOKEN = "a-token-of-at-least-thirty-two-characters"
GITHUB_TOKEN = "ghp_" + "0123456789abcdef" * 2
LIBRARY, DATA_SETS = "owner/prompt-library", "owner/data-sets"
EVALCLI = [sys.executable, "-c", "from evalcli.main import main; main()"]
ALL = made_documents()
GOOD_ONES = [made for made in ALL if made.pages]
BAD_ONES = {made.case for made in unreadable_documents()}
FACTOR = 20.0
"""How many times as fast the service's time passes, and the gateway's clock with it."""


def hashes(documents: list[Made]) -> set[str]:
    return {sha256(made.content).hexdigest() for made in documents}


def write_library(library: Path, *, reader: str = "mindrouter") -> None:
    write_component(library, SLUG, schema={"type": "object"})
    models = library / ".evaluator" / "models.yaml"
    models.parent.mkdir(parents=True)
    listed = [{"id": model, "provider": "mindrouter"} for model in (GOOD, POOR)]
    documents = {"reader": reader, "model": EYES}
    models.write_text(json.dumps({"models": listed, "documents": documents}))


class Held:
    """The time that pages take: none, until somebody holds it."""

    def __init__(self) -> None:
        self.after: int | None = None
        """How many documents are read before the next one waits; None: none waits."""
        self.is_waiting = threading.Event()
        self.mindrouter: SimulatedMindRouter | None = None
        self._opened: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def sleep(self, seconds: float) -> None:
        """Stand in for asyncio.sleep."""
        gateway = self.mindrouter.gateway if self.mindrouter is not None else None
        if self.after is None or gateway is None or gateway.documents_read.total() < self.after:
            await asyncio.sleep(seconds)
            return
        self._loop, self._opened = asyncio.get_running_loop(), self._opened or asyncio.Event()
        self.is_waiting.set()
        await self._opened.wait()

    def open(self) -> None:
        """Let everything pass from now on."""
        self.after = None
        if self._loop is not None and self._opened is not None:
            self._loop.call_soon_threadsafe(self._opened.set)


def gateway(book: AnswerBook, held: Held, *faults: Fault, **settings: Any) -> SimulatedMindRouter:
    models = (
        SimModel(id=EYES, seconds_per_page=0.001),
        SimModel(id=GOOD, multimodal=True),
        SimModel(id=POOR, quality=0.5, noise=0.3, multimodal=True),
    )
    config = SimConfig(models=models, keys=(KEY,), faults=faults, **settings)
    made = SimulatedMindRouter(config, book, clock=lambda: time.monotonic() * FACTOR, sleep=held.sleep)
    held.mindrouter = made
    return made


class Desk:
    """A prompt library with the 28 made documents, and a MindRouter."""

    def __init__(self, folder: Path, reader: str, documents: list[Made]) -> None:
        self.library = folder / "prompt-library"
        write_library(self.library, reader=reader)
        write_cases(self.library / "components" / SLUG / "evals" / "cases", documents)
        as_git(self.library)
        self.held = Held()
        self.mindrouter = gateway(AnswerBook.from_folders([self.library]), self.held)
        self.url = ""

    @property
    def read(self) -> dict[str, int]:
        return dict(self.mindrouter.gateway.documents_read)

    def evaluate(self, *arguments: str) -> list[dict[str, Any]]:
        """Evaluate, and return the run records."""
        done = subprocess.run(
            [*EVALCLI, "evaluate", SLUG, "--json", "--allow-skipped", *arguments],
            cwd=self.library,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin an evaluation that is not waited for."""
        command = [*EVALCLI, "evaluate", SLUG, "--allow-skipped", *arguments]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.library, env=self.environment(), stdout=quiet, stderr=quiet)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        keys = {f"{kind.upper()}_API_KEY": f"a-key-of-{kind}" for kind in KINDS}
        return kept | keys | {"MINDROUTER_BASE_URL": self.url, "MINDROUTER_API_KEY": KEY}


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def make(reader: str = "mindrouter", documents: list[Made] | None = None) -> Desk:
            desk = Desk(tmp_path, reader, list(ALL) if documents is None else documents)
            desk.url = stack.enter_context(running(desk.mindrouter))
            return desk

        yield make


def pages_of(record: dict[str, Any]) -> dict[str, int | None]:
    return {document["case"]: document["pages"] for document in record["documents"]}


def skipped(record: dict[str, Any]) -> dict[str, str]:
    return {case["case"]: case["reason"] for case in record["skipped_cases"]}


@pytest.mark.timeout(400)
def test_28_documents_are_read_by_mindrouter_each_once_and_each_bad_one_is_left_out_before_any_call(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk()
    good, poor = desk.evaluate("--replicates", "3")
    assert set(skipped(good)) == BAD_ONES
    assert all(reason for reason in skipped(good).values())
    # nothing that is bad was ever sent, and nothing that is good was sent twice
    assert desk.read == dict.fromkeys(hashes(GOOD_ONES), 1)
    assert dict(desk.mindrouter.gateway.documents) == desk.read
    for record in (good, poor):
        assert record["status"] == "complete"
        assert record["cases"] == len(GOOD_ONES)
        assert record["calls"]["ok"] + record["calls"]["parse_error"] == 3 * len(GOOD_ONES)
        assert {document["reader"] for document in record["documents"]} == {"mindrouter"}
        assert {document["sha256"] for document in record["documents"]} == hashes(GOOD_ONES)
    assert good["accuracy"]["mean"] == 1.0 > poor["accuracy"]["mean"]
    assert pages_of(good) | {"word": 1, "word-tables": 1, "word-changes": 1} == {
        made.case: len(made.pages) for made in GOOD_ONES
    }
    assert [case["sha256"] for case in good["case_results"]] == [
        case["sha256"] for case in poor["case_results"]
    ]


@pytest.mark.timeout(400)
def test_28_documents_are_read_by_their_text_layer_without_asking_anybody(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk("text")
    good, _ = desk.evaluate("--replicates", "1")
    with_text = [made for made in GOOD_ONES if made.has_text]
    assert set(skipped(good)) == BAD_ONES | {made.case for made in GOOD_ONES if not made.has_text}
    assert {document["case"] for document in good["documents"]} == {made.case for made in with_text}
    assert {document["reader"] for document in good["documents"]} == {"text"}
    assert good["accuracy"]["mean"] == 1.0
    assert not desk.mindrouter.gateway.documents


@pytest.mark.timeout(400)
def test_28_documents_are_sent_as_they_are_where_the_model_takes_them(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk("none")
    good, _ = desk.evaluate("--replicates", "2")
    # MindRouter passes over a PDF without a word: only pictures are sent to it
    assert {document["case"] for document in good["documents"]} == {"photograph", "snapshot"}
    assert set(skipped(good)) > BAD_ONES
    assert {document["reader"] for document in good["documents"]} == {"none"}
    assert good["calls"]["ok"] == 4
    assert good["accuracy"]["mean"] == 1.0
    assert not desk.mindrouter.gateway.documents


@pytest.mark.timeout(400)
def test_28_documents_are_sent_as_they_are_to_every_cloud_provider_in_its_own_form(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk("none")
    book = AnswerBook.from_folders([desk.library])
    clouds = {
        kind: SimulatedCloud(kind, CloudConfig(models=(CloudModel(id=f"{kind}-1"),)), book) for kind in KINDS
    }
    with ExitStack() as stack:
        providers = {kind: {"base_url": stack.enter_context(running(app))} for kind, app in clouds.items()}
        models = [{"id": f"{kind}-1", "provider": kind, "params": {"max_tokens": 1000}} for kind in KINDS]
        written = {"providers": providers, "models": models, "documents": {"reader": "none"}}
        (desk.library / ".evaluator" / "models.yaml").write_text(json.dumps(written))
        records = desk.evaluate("--replicates", "1")
    taken = {made.case for made in GOOD_ONES if made.file in {"input.pdf", "input.png", "input.jpg"}}
    assert len(records) == 3
    for record in records:
        assert {document["case"] for document in record["documents"]} == taken
        assert record["accuracy"]["mean"] == 1.0
        assert set(skipped(record)) == {made.case for made in ALL} - taken
    assert [len(app.seen) for app in clouds.values()] == [len(taken)] * 3


@pytest.mark.timeout(400)
def test_readings_differ_in_their_cases_and_never_count_together(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(documents=list(text_documents(2)))
    (by_eye, *_) = desk.evaluate("--replicates", "1", "--model", GOOD)
    inputs = desk.library / "components" / SLUG / "evals" / "inputs.yaml"
    inputs.write_text("reader: text\n")
    (by_text, *_) = desk.evaluate("--replicates", "1", "--model", GOOD)
    assert by_eye["cases_sha256"] != by_text["cases_sha256"]
    done = subprocess.run(
        [*EVALCLI, "leaderboard", "show", SLUG, "--json"],
        cwd=desk.library,
        env=desk.environment(),
        capture_output=True,
        check=True,
    )
    rankings = json.loads(done.stdout)["rankings"]
    assert {ranking["cases_sha256"] for ranking in rankings} == {
        by_eye["cases_sha256"],
        by_text["cases_sha256"],
    }


@pytest.mark.timeout(400)
def test_an_evaluation_killed_while_it_reads_goes_on_and_reads_nothing_twice(
    make_desk: Callable[..., Desk],
) -> None:
    documents = list(text_documents(6))
    desk = make_desk(documents=documents)
    desk.held.after = 3
    process = desk.start("--replicates", "2")
    assert desk.held.is_waiting.wait(120)
    process.kill()
    process.wait()
    desk.held.open()
    desk.evaluate("--replicates", "2")
    # the one in hand was begun again; the gateway goes on with what nobody waits for any more
    assert set(desk.read) == hashes(documents)
    assert sorted(desk.read.values()) == [1, 1, 1, 1, 1, 2]
    desk.evaluate("--replicates", "1")
    assert sum(desk.read.values()) == 7


def test_a_dry_run_says_how_many_calls_reading_may_cost(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(documents=[*text_documents(2, pages=3), unreadable_documents()[0]])
    done = subprocess.run(
        [*EVALCLI, "evaluate", SLUG, "--dry-run", "--json"],
        cwd=desk.library,
        env=desk.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    plan = json.loads(done.stdout)
    assert plan["reading"]["documents"] == 2
    desk.evaluate("--replicates", "1")
    # chunks of two pages that share one: two for three pages; pages of over 400 characters are read once
    assert plan["reading"]["calls"] == 2 * 2 * 3
    assert 0 < desk.mindrouter.gateway.page_calls[EYES] <= plan["reading"]["calls"]


class Service:
    """The service as a process of its own, in hurried time."""

    def __init__(self, folder: Path, mindrouter_url: str, github_url: str) -> None:
        self.folder = folder
        self.log = folder / "service.log"
        self._settings = {
            "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
            "MINDROUTER_BASE_URL": mindrouter_url,
            "MINDROUTER_API_KEY": KEY,
            "EVALHOOK_PROMPT_LIBRARY": str(folder / "clones" / "library"),
            "EVALHOOK_PROMPT_LIBRARY_URL": f"{github_url}/{LIBRARY}.git",
            "EVALHOOK_DATA_SETS": str(folder / "clones" / "data-sets"),
            "EVALHOOK_DATA_SETS_URL": f"{github_url}/{DATA_SETS}.git",
            "EVALHOOK_STATE_DIR": str(folder / "state"),
            "EVALHOOK_GITHUB_REPO": LIBRARY,
            "EVALHOOK_GITHUB_API_URL": f"{github_url}{API}",
            "GITHUB_TOKEN": GITHUB_TOKEN,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=45)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evalsim.chaos.hurried_service", str(FACTOR)],
                env=kept | self._settings | {"EVALHOOK_BIND": f"127.0.0.1:{port}"},
                stdout=log,
                stderr=log,
            )
        self.client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        self.until(self._answers, lambda answers: answers)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End it and what asks it."""
        self.kill()
        self.client.close()

    def _answers(self) -> bool:
        try:
            return self.client.get("/health").is_success
        except httpx.TransportError:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()[-2000:]
            return False

    def until(self, look: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
        """Look until it is enough."""
        deadline = time.monotonic() + 150
        while not is_enough(seen := look()):
            assert time.monotonic() < deadline, (seen, self.log.read_text()[-3000:])
            time.sleep(0.05)
        return seen

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job."""
        return self.client.get(f"/jobs/{job_id}").json()


FAULTS = (
    # each of the first documents meets one: what MindRouter does when it is restarted, busy, or in trouble
    Fault(kind="server_error", endpoint="ocr", times=3),
    Fault(kind="rate_limited", endpoint="ocr", times=3),
    Fault(kind="gone", endpoint="ocr", times=1, seconds=20),
    Fault(kind="slow", endpoint="ocr", times=1, seconds=900),
    Fault(kind="hang_up", endpoint="ocr", times=1),
)


@pytest.mark.timeout(400)
def test_the_service_reads_ten_documents_through_every_fault_and_a_kill_and_says_how_far_it_is(
    tmp_path: Path,
) -> None:
    bad = unreadable_documents()[0]
    documents = [*text_documents(9, pages=2), bad]
    library, data_sets = tmp_path / "library", tmp_path / "data-sets"
    write_library(library)
    write_cases(data_sets / SLUG, documents)
    as_git(library)
    as_git(data_sets)
    github = SimulatedGitHub(tmp_path / "github", token=GITHUB_TOKEN)
    github.state.add_repository(LIBRARY, library)
    github.state.add_repository(DATA_SETS, data_sets)
    held = Held()
    held.after = 6
    book = AnswerBook.from_folders([library, data_sets])
    mindrouter = gateway(book, held, *FAULTS, attempt_seconds=0.5)
    with running(github) as github_url, running(mindrouter) as mindrouter_url:
        service = Service(tmp_path, mindrouter_url, github_url)
        service.start()
        try:
            answer = service.client.post("/evaluate", json={"skill_name": SLUG, "replicates": 2})
            assert answer.status_code == 202, answer.text
            accepted = answer.json()
            # two models, ten cases, two replicates; the bad one is found out when it is looked at
            assert (accepted["calls"], accepted["documents"]) == (40, 10)
            service.until(held.is_waiting.is_set, lambda is_waiting: is_waiting)
            job = service.job(accepted["job_id"])
            assert (job["status"], job["phase"]) == ("running", "reading")
            assert job["documents"]["total"] == 10
            assert job["documents"]["read"] >= 6
            number = job["documents"]["read"] + 1
            page = service.client.get("/", headers={"Accept": "text/html"}).text
            assert f"reading documents {number} of 10" in page
            assert mindrouter.gateway.calls.total() == 0
            service.kill()
            held.open()
            service.start()
            job = service.until(
                lambda: service.job(accepted["job_id"]),
                lambda job: job["status"] not in {"queued", "running"},
            )
        finally:
            service.close()
        assert job["status"] == "completed", (job["error"], service.log.read_text()[-3000:])
        assert job["progress"] == {"done": 36, "total": 36, "errors": 0}
        assert job["documents"] == {"read": 10, "total": 10}
        assert mindrouter.gateway.calls.total() == 36
        read = mindrouter.gateway.documents_read
        assert set(read) == hashes([made for made in documents if made.pages])
        # what was read before the kill is not read again; the one in hand was begun anew
        assert sorted(read.values()) == [1] * 8 + [2]
        shown = _published(github) + service.log.read_text() + json.dumps(job)
    assert "AW-2000" not in shown
    assert "principal investigator" not in shown.lower()
    assert "notice-0" not in shown
    assert "document_read" in shown


def _published(github: SimulatedGitHub) -> str:
    """All that the pull request shows and commits."""
    repository = github.state.repositories[LIBRARY]
    (pull,) = repository.pulls
    branch = pull.head
    return (
        f"{pull.title} {pull.body} "
        + repository.bare.file(branch, f"components/{SLUG}/leaderboard.json").decode()
    )
