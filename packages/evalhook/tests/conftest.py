"""The real application; its neighbours (clones, MindRouter, publishing) are small stand-ins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
from litestar.types import ASGIApp

from evalcore.clients.interface import Call, Client, OnWait, Served, ServedModel, YieldSlot
from evalcore.clients.outage import OutagePolicy
from evalcore.clients.reply import CallError, Reply
from evalcore.documents.interface import Originals, Reader, ReadText, Unreadable
from evalcore.effects import Effects, real_effects
from evalcore.errors import UnknownComponent
from evalcore.evaluation.material import Material
from evalcore.formats.strict_json import sha256_hex
from evalcore.git.errors import CommitNotFound
from evalcore.library.checkout import Checkout, FolderCheckout
from evalcore.library.component import CaseSource, Document, ReaderName
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import ModelsFile
from evalcore.library.reading import ReadingEntry
from evalcore.publishing.outbox import Outbox, Published
from evalcore.runs.plan import JobPlan
from evalcore.runs.record import RunRecord
from evalhook import jobs
from evalhook.app import create_app
from evalhook.config.settings import Settings, read_settings
from evalhook.jobs import Job, Progress, Queued
from evalhook.worker.repositories import Tips
from evalsim.testing import make_case, make_component, make_reply

TOKEN = "a-token-of-at-least-thirty-two-characters"
T = TypeVar("T")
TIP = "1" * 40
OLDER = "2" * 40


@pytest.fixture
def job_fields() -> list[str]:
    """The fields of a job that the contract names, in its order."""
    return [
        "job_id",
        "skill_name",
        "replicates",
        "git_sha",
        "prompt_commit",
        "dataset_commit",
        "status",
        "created_at",
        "started_at",
        "finished_at",
        "progress",
        "result",
        "error",
    ]


class Clones:
    """Stands in for the two clones; `fail_at` names the step that raises `error`.

    What is read of the prompt library at its tip lies in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.error: Exception | None = None
        self.fail_at = ""
        self.list_models("alpha", "beta")
        self.pulls = 0
        self.pulled = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.cases = ("one", "two")
        """Those whose inputs are texts."""
        self.documents: dict[str, bytes] = {}
        """PDFs that are the inputs of cases, by the cases' names."""
        self.inputs = ReadingEntry()
        self.source: CaseSource = "library"
        """Where the documents come from."""

    async def prepare(self) -> None:
        return None

    async def pull(self) -> Tips:
        self.pulls += 1
        self.pulled.set()
        if self.gate is not None:
            await self.gate.wait()
        self._perhaps_fail("pull")
        return Tips(library=TIP, data_sets=OLDER)

    def list_models(self, *ids: str, provider: str = "mindrouter") -> None:
        """Write models.yaml anew."""
        path = self.folder / MODELS_PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"models": [{"id": name, "provider": provider} for name in ids]}))

    async def read(self, tips: Tips, read: Callable[[Checkout], T]) -> T:  # noqa: ARG002
        self._perhaps_fail("read")
        return read(FolderCheckout(self.folder))

    async def commit(self, git_sha: str | None, tips: Tips) -> str:
        self._perhaps_fail("commit")
        for known in (tips.library, OLDER):
            if git_sha is None or known.startswith(git_sha.lower()):
                return known
        raise CommitNotFound("there is no such commit", where=git_sha or "")

    async def material(self, commit: str, tips: Tips, slug: str) -> Material:  # noqa: ARG002
        self._perhaps_fail("material")
        if slug == "missing":
            raise UnknownComponent(f"there is no component `{slug}`", where=f"components/{slug}")
        cases = [make_case(name, '{"due": "May"}') for name in self.cases]
        cases += [
            msgspec.structs.replace(
                make_case(name, '{"due": "May"}'),
                input="",
                source=self.source,
                document=Document("input.pdf", sha256_hex(data), len(data), f"{name}/input.pdf"),
            )
            for name, data in self.documents.items()
        ]
        return Material(make_component(slug), tuple(cases), (), self.inputs)

    @contextmanager
    def originals(self, plan: JobPlan) -> Iterator[Originals]:  # noqa: ARG002
        yield lambda case: self.documents[case.name]

    def _perhaps_fail(self, step: str) -> None:
        if self.fail_at == step and self.error is not None:
            raise self.error


class Router:
    """Stands in for MindRouter: serves the models in `served` and answers each call with `answer`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.served_models = ("alpha", "beta")
        self.answer = '{"due": "May"}'
        self.gate: asyncio.Event | None = None
        self.gate_after = 0
        self.asked = asyncio.Event()
        self.crash: Exception | None = None
        self.call_error: CallError | None = None
        self.calls = 0
        self.inputs: list[str] = []
        """The user messages of the calls, in their order."""
        self.read: list[str] = []
        """The SHA-256 of each document that was read, in their order."""
        self.reading_gate: asyncio.Event | None = None
        self.reading_gate_after = 0
        self.reading = asyncio.Event()
        """Set once a document waits at the gate."""
        self.reader_name: ReaderName = "mindrouter"
        self.unreadable: set[str] = set()
        self.reader_error: Exception | None = None

    async def probe(self, models: ModelsFile) -> None:  # noqa: ARG002
        if self.error is not None:
            raise self.error

    @asynccontextmanager
    async def open(self, plan: JobPlan) -> AsyncIterator[Mapping[str, Client]]:  # noqa: ARG002
        yield {"mindrouter": self}

    def require_reader(self, plan: JobPlan) -> None:  # noqa: ARG002
        if self.reader_error is not None:
            raise self.reader_error

    @asynccontextmanager
    async def open_reader(
        self,
        plan: JobPlan,  # noqa: ARG002
        on_wait: OnWait,  # noqa: ARG002
        outage: OutagePolicy,  # noqa: ARG002
    ) -> AsyncIterator[Reader]:
        yield StandInReader(self)

    async def served(self) -> Served:
        return Served(version="1", models={name: ServedModel(id=name) for name in self.served_models})

    async def call(self, call: Call, _yield_slot: YieldSlot) -> Reply:
        self.calls += 1
        self.inputs.append(call.user)
        self.asked.set()
        if self.gate is not None and self.calls > self.gate_after:
            await self.gate.wait()
        if self.crash is not None:
            raise self.crash
        request_id = f"{call.model.id}-{call.case}-{call.replicate}"
        return make_reply(
            call.case, call.replicate, self.answer, request_id=request_id, error=self.call_error
        )


class StandInReader:
    """Stands in for MindRouter's OCR: a document's text tells its hash."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self.name: ReaderName = router.reader_name

    async def version(self) -> str | None:
        return "1"

    async def read(self, document: Document, data: bytes, pages: int | None) -> ReadText | Unreadable:  # noqa: ARG002
        if (
            self._router.reading_gate is not None
            and len(self._router.read) >= self._router.reading_gate_after
        ):
            self._router.reading.set()
            await self._router.reading_gate.wait()
        if self._router.crash is not None:
            raise self._router.crash
        self._router.read.append(document.sha256)
        if document.sha256 in self._router.unreadable:
            return Unreadable("MindRouter does not read it")
        return ReadText(f"text of {document.sha256}\n", pages)


class Publishing:
    """Stands in for commit-back and remembers what it was given."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.records: list[RunRecord] = []
        self.skipped_models: dict[str, str] = {}
        self.outboxes: list[Outbox] = []
        self.after: Callable[[], object] | None = None

    def publish(
        self,
        plan: JobPlan,
        records: Sequence[RunRecord],
        skipped_models: Mapping[str, str],
        outbox: Outbox,
        save: Callable[[Outbox], None],
    ) -> Published:
        self.outboxes.append(outbox)
        if self.error is not None:
            raise self.error
        save(msgspec.structs.replace(outbox, branch="eval-results/x"))
        self.records, self.skipped_models = list(records), dict(skipped_models)
        if self.after is not None:
            self.after()
        return Published(f"https://github.example/pull/{plan.component.slug}", "eval-results/x")


def hurried_effects() -> Effects:
    """The real ones, but waiting takes no time: the clock moves on instead."""
    waited = 0.0
    real = real_effects()

    async def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        await asyncio.sleep(0)

    return msgspec.structs.replace(real, sleep=sleep, monotonic=lambda: real.monotonic() + waited)


class World:
    """The application and its neighbours; `story` runs a coroutine against it over ASGI."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clones, self.router, self.publishing = Clones(folder / "tip"), Router(), Publishing()
        self.app: ASGIApp | None = None
        self.changes: dict[str, str] = {}
        """Settings that are to be different."""

    token = TOKEN
    tip, older = TIP, OLDER

    @property
    def settings(self) -> Settings:
        return read_settings(service_environment(self.folder, **self.changes))

    @staticmethod
    async def ended(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
        """Wait for a job's end and return it."""
        while True:
            job = (await client.get(f"/jobs/{job_id}")).json()
            if job["status"] not in {"queued", "running"}:
                return job
            await asyncio.sleep(0)

    async def evaluated(self, client: httpx.AsyncClient, **request: Any) -> dict[str, Any]:
        """Ask for an evaluation that is accepted, and return its job at the end."""
        answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2} | request)
        assert answer.status_code == 202, answer.text
        return await self.ended(client, answer.json()["job_id"])

    async def slot_is_free(self, client: httpx.AsyncClient) -> bool:
        """Whether another request gets as far as the component that it names."""
        self.clones.fail_at, self.router.error = "", None
        answer = await client.post("/evaluate", json={"skill_name": "missing"})
        return answer.status_code == 404

    @asynccontextmanager
    async def running(self) -> AsyncIterator[httpx.AsyncClient]:
        self.app = create_app(
            self.settings,
            sources=self.clones,
            gateway=self.router,
            publisher=self.publishing,
            effects=hurried_effects(),
        )
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = httpx.ASGITransport(self.app)
        async with (
            lifespan(self.app),
            httpx.AsyncClient(transport=transport, base_url="http://hook", headers=headers) as client,
        ):
            yield client

    def story(self, tell: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def run() -> None:
            async with asyncio.timeout(30), self.running() as client:
                await tell(client)

        asyncio.run(run())


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Drive the lifespan protocol as a server does."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await task


def service_environment(folder: Path, **changes: str) -> dict[str, str]:
    """The settings of a service that commits nothing back."""
    return {
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN,
        "MINDROUTER_BASE_URL": "http://127.0.0.1:1",
        "MINDROUTER_API_KEY": "mr2_key-for-tests",
        "EVALHOOK_PROMPT_LIBRARY": str(folder / "library"),
        "EVALHOOK_STATE_DIR": str(folder / "state"),
        "EVALHOOK_COMMIT_BACK": "none",
        "EVALHOOK_GRACE_SECONDS": "0",
        **changes,
    }


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Settings that are right, with what is to be different."""
    return lambda **changes: service_environment(tmp_path, **changes)


@pytest.fixture
def running_job() -> Job:
    """A job with some calls made."""
    queued = Job(
        job_id="a",
        skill_name="memo",
        replicates=1,
        git_sha=None,
        prompt_commit=TIP,
        dataset_commit=None,
        created_at="2026-01-01T00:00:00.000Z",
        progress=Progress(done=3, total=8),
        state=Queued(),
    )
    return jobs.start(queued, queued.created_at)
