"""Jobs that wait, are cancelled, stall, run late, find the disk full, or are finished by hand."""

from __future__ import annotations

import asyncio
import html
import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from evalcore.errors import EvaluatorError, StorageError
from evalcore.git.errors import PushRefused
from evalcore.github.transport import GitHubUnreachable


async def post(client: httpx.AsyncClient, **request: Any) -> httpx.Response:
    return await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2} | request)


async def shown(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    return (await client.get(f"/jobs/{job_id}")).json()


async def until(client: httpx.AsyncClient, job_id: str, wanted: Any) -> dict[str, Any]:
    while True:
        if wanted(job := await shown(client, job_id)):
            return job
        await asyncio.sleep(0)


def attends(code: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a job needs this attention: hurried clocks may let it be stalled for a moment before."""
    return lambda job: job.get("attention", {}).get("code") == code


async def settled(is_so: Callable[[], bool]) -> None:
    while True:
        if is_so():
            return
        await asyncio.sleep(0)


@pytest.fixture
def queueing(world) -> Any:
    world.changes["EVALHOOK_QUEUE"] = "2"
    return world


def test_without_a_queue_busy_is_409(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        first = (await post(client)).json()["job_id"]
        assert (await post(client)).status_code == 409
        world.router.gate.set()
        await world.ended(client, first)

    world.story(tell)


def test_jobs_wait_in_line_and_run_in_their_order(queueing) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        queueing.router.gate = asyncio.Event()
        first = (await post(client)).json()
        second, third = [(await post(client, skill_name=name)).json() for name in ("b", "c")]
        assert [job["status"] for job in (first, second, third)] == ["running", "queued", "queued"]
        assert (second["position"], third["position"]) == (1, 2)
        job = await shown(client, third["job_id"])
        assert (job["status"], job["phase"], job["position"]) == ("queued", "waiting", 2)
        full = await post(client, skill_name="d")
        assert (full.status_code, full.json()["current_job"]["job_id"]) == (409, first["job_id"])
        queueing.router.gate.set()
        ended = [await queueing.ended(client, job["job_id"]) for job in (first, second, third)]
        assert [job["status"] for job in ended] == ["completed"] * 3
        assert ended[0]["finished_at"] <= ended[1]["started_at"] <= ended[2]["started_at"]

    queueing.story(tell)


def test_a_duplicate_of_a_waiting_job_is_answered_with_that_job(queueing) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        queueing.router.gate = asyncio.Event()
        await post(client)
        second, again = [(await post(client)).json() for _ in range(2)]
        assert again == second
        other = (await post(client, replicates=3)).json()
        assert other["position"] == 2
        queueing.router.gate.set()
        await queueing.ended(client, other["job_id"])

    queueing.story(tell)


def test_waiting_jobs_are_kept_over_a_restart(queueing) -> None:
    async def stop(client: httpx.AsyncClient) -> None:
        queueing.router.gate = asyncio.Event()
        ids.extend([(await post(client, skill_name=name)).json()["job_id"] for name in ("a", "b", "c")])
        await queueing.router.asked.wait()

    async def look(client: httpx.AsyncClient) -> None:
        for job_id in ids:
            assert (await queueing.ended(client, job_id))["status"] == "completed"
        started = [(await shown(client, job_id))["started_at"] for job_id in ids]
        assert started == sorted(started)

    ids: list[str] = []
    queueing.story(stop)
    queueing.router.gate = None
    queueing.story(look)


def test_cancelling_a_waiting_job_lets_the_others_be(queueing) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        queueing.router.gate = asyncio.Event()
        first, second, third = [(await post(client, skill_name=name)).json()["job_id"] for name in "abc"]
        answer = await client.post(f"/jobs/{second}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
        assert (await shown(client, third))["position"] == 1
        queueing.router.gate.set()
        assert (await queueing.ended(client, first))["status"] == "completed"
        assert (await queueing.ended(client, third))["status"] == "completed"

    queueing.story(tell)


def test_cancelling_stops_the_calls_keeps_what_there_is_and_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate, world.router.gate_after = asyncio.Event(), 3
        job_id = (await post(client)).json()["job_id"]
        await settled(lambda: world.router.calls == 8)
        answer = await client.post(f"/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
        lines = [path.read_bytes().count(b"\n") for path in world.settings.runs_dir.glob("*/replies.jsonl")]
        assert sum(lines) == 3
        world.router.gate = None
        assert (await world.evaluated(client))["status"] == "completed"
        again = await client.post(f"/jobs/{job_id}/cancel")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "wrong_state")
        assert (await client.post("/jobs/unknown/cancel")).status_code == 404

    world.story(tell)


def test_a_wish_to_cancel_survives_a_restart(world) -> None:
    async def stop(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        ids.append((await post(client)).json()["job_id"])
        await world.router.asked.wait()

    async def look(client: httpx.AsyncClient) -> None:
        assert (await world.ended(client, ids[0]))["status"] == "cancelled"

    ids: list[str] = []
    world.story(stop)
    path = world.settings.jobs_dir / f"{ids[0]}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"is_cancelling": True}))
    world.story(look)


def test_a_job_that_does_not_move_says_so_and_for_what_it_waits(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        job_id = (await post(client)).json()["job_id"]
        job = await until(client, job_id, attends("stalled"))
        assert job["attention"]["code"] == "stalled"
        assert "no call has ended for 20 min; waiting for alpha replicate 1" in job["attention"]["message"]
        assert "one" not in job["attention"]["message"].split()
        world.router.gate.set()
        ended = await world.ended(client, job_id)
        assert (ended["status"], ended.get("attention")) == ("completed", None)

    world.story(tell)


def test_a_job_past_its_deadline_is_ended_with_what_it_has(world) -> None:
    async def stop(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        ids.append((await post(client)).json()["job_id"])
        await world.router.asked.wait()

    async def look(client: httpx.AsyncClient) -> None:
        job = await world.ended(client, ids[0])
        assert (job["status"], job["error"]["code"]) == ("failed", "deadline_exceeded")
        assert "24 h" in job["error"]["message"]

    ids: list[str] = []
    world.story(stop)
    path = world.settings.jobs_dir / f"{ids[0]}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"elapsed_s": 86400}))
    world.story(look)


def test_a_full_disk_holds_the_job_until_there_is_room(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = StorageError("no space left on device", where="/clone")
        job_id = (await post(client)).json()["job_id"]
        job = await until(client, job_id, attends("publishing_delayed"))
        assert "no space left" in job["attention"]["message"]
        world.publishing.error = None
        assert (await world.ended(client, job_id))["status"] == "completed"

    world.story(tell)


def test_a_disk_that_fills_while_calls_are_made_is_waited_for_and_no_call_is_lost(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.crash = StorageError(
            "cannot be written (No space left on device)", where="replies.jsonl"
        )
        job_id = (await post(client)).json()["job_id"]
        job = await until(client, job_id, attends("storage_full"))
        assert (job["status"], job["attention"]["code"]) == ("running", "storage_full")
        world.router.crash = None
        ended = await world.ended(client, job_id)
        assert (ended["status"], ended.get("attention")) == ("completed", None)
        assert ended["progress"] == {"done": 8, "total": 8, "errors": 0}

    world.story(tell)


def test_no_call_is_made_while_its_reply_could_not_be_kept(world, monkeypatch) -> None:
    looks: list[set[Path]] = []
    mended: list[bool] = []
    error = StorageError("cannot be written (Read-only file system)", where="replies.jsonl")

    def read_only(folders: Iterable[Path]) -> None:
        looks.append(set(folders))
        if not mended:
            raise error

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.crash = error
        job_id = (await post(client)).json()["job_id"]
        job = await until(client, job_id, attends("storage_full"))
        calls, since = world.router.calls, job["attention"]["since"]
        world.router.crash = None
        await settled(lambda: len(looks) > 5)
        job = await shown(client, job_id)
        assert (world.router.calls, job["attention"]["since"]) == (calls, since)
        mended.append(True)
        ended = await world.ended(client, job_id)
        assert (ended["status"], ended.get("attention")) == ("completed", None)
        assert ended["progress"] == {"done": 8, "total": 8, "errors": 0}
        runs = world.settings.runs_dir
        assert looks[0] == {runs.parent, runs, *runs.iterdir()}

    monkeypatch.setattr("evalhook.worker.execution.require_writable", read_only)
    world.story(tell)


def test_a_github_that_is_away_is_waited_for_and_its_tries_are_told(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = GitHubUnreachable("GitHub answers 502")
        job_id = (await post(client)).json()["job_id"]
        job = await until(client, job_id, attends("publishing_delayed"))
        assert (job["status"], job["phase"]) == ("running", "publishing")
        assert job["attention"]["code"] == "publishing_delayed"
        world.publishing.error = None
        ended = await world.ended(client, job_id)
        assert (ended["status"], ended.get("attention")) == ("completed", None)
        tries = [outbox.tries for outbox in world.publishing.outboxes]
        assert tries[0] == 1

    world.story(tell)


def test_a_stop_in_the_moment_in_which_a_job_is_taken_up_ends_it_at_once(world) -> None:
    """Its plan is being read then, and nothing runs yet that could be cancelled."""

    async def begin(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        ids.append((await post(client)).json()["job_id"])
        await world.router.asked.wait()

    async def look(client: httpx.AsyncClient) -> None:
        assert (await world.ended(client, ids[0]))["status"] == "completed"

    async def nothing(_: httpx.AsyncClient) -> None:
        await asyncio.sleep(0)

    ids: list[str] = []
    world.story(begin)
    world.router.gate = None
    world.story(nothing)
    world.story(look)


def test_a_stop_does_not_wait_for_calls_that_a_full_disk_ended(world, monkeypatch) -> None:
    is_seen = threading.Event()

    def full(_folders: Iterable[Path]) -> None:
        is_seen.wait()
        raise StorageError("No space left on device")

    async def tell(client: httpx.AsyncClient) -> None:
        world.router.crash = StorageError("No space left on device")
        job_id = (await post(client)).json()["job_id"]
        await until(client, job_id, attends("storage_full"))
        is_seen.set()

    async def look(client: httpx.AsyncClient) -> None:
        world.router.crash = None
        (job,) = (await client.get("/jobs")).json()["jobs"]
        assert (await world.ended(client, job["job_id"]))["status"] == "completed"

    world.changes["EVALHOOK_GRACE_SECONDS"] = "3600"
    with monkeypatch.context() as patch:
        patch.setattr("evalhook.worker.execution.require_writable", full)
        world.story(tell)
    world.story(look)


@pytest.mark.parametrize(
    ("part", "fault", "error"),
    [
        ("router", "crash", StorageError("cannot be written (No space left on device)")),
        ("publishing", "error", GitHubUnreachable("GitHub answers 502")),
    ],
)
def test_whatever_needs_attention_is_on_the_page(world, part: str, fault: str, error: EvaluatorError) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        setattr(getattr(world, part), fault, error)
        job_id = (await post(client)).json()["job_id"]
        while True:
            if error.line in html.unescape((await client.get("/")).text):
                break
        setattr(getattr(world, part), fault, None)
        assert (await world.ended(client, job_id))["status"] == "completed"
        assert error.line not in html.unescape((await client.get("/")).text)

    world.story(tell)


def test_what_could_not_be_published_is_finished_by_hand(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = PushRefused("protected branch")
        job_id = (await post(client)).json()["job_id"]
        failed = await world.ended(client, job_id)
        assert (failed["status"], failed["error"]["code"]) == ("failed", "push_refused")
        world.publishing.error = None
        calls = world.router.calls
        answer = await client.post(f"/jobs/{job_id}/publish")
        assert (answer.status_code, answer.json()["status"]) == (202, "running")
        ended = await world.ended(client, job_id)
        assert (ended["status"], ended["error"]) == ("completed", None)
        assert ended["result"]["pull_request_url"]
        assert world.router.calls == calls
        again = await client.post(f"/jobs/{job_id}/publish")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "wrong_state")
        assert (await client.post("/jobs/unknown/publish")).status_code == 404

    world.story(tell)


def test_a_record_that_is_there_is_not_scored_again_after_a_restart(world) -> None:
    async def stop(client: httpx.AsyncClient) -> None:
        world.publishing.error = GitHubUnreachable("away")
        ids.append((await post(client)).json()["job_id"])
        await until(client, ids[0], attends("publishing_delayed"))

    async def look(client: httpx.AsyncClient) -> None:
        assert (await world.ended(client, ids[0]))["status"] == "completed"

    ids: list[str] = []
    world.story(stop)
    before = {path: path.stat().st_ino for path in world.settings.runs_dir.glob("*/record.json")}
    calls, world.publishing.error = world.router.calls, None
    world.story(look)
    assert {path: path.stat().st_ino for path in before} == before
    assert len(before) == 2
    assert world.router.calls == calls


def test_a_model_that_was_left_out_stays_out_after_a_restart(world) -> None:
    async def stop(client: httpx.AsyncClient) -> None:
        world.router.served_models = ("beta",)
        world.publishing.error = None
        world.router.gate = asyncio.Event()
        ids.append((await post(client)).json()["job_id"])
        path = world.settings.jobs_dir / f"{ids[0]}.json"
        await settled(lambda: "alpha" in json.loads(path.read_text()).get("skipped", {}))

    async def look(client: httpx.AsyncClient) -> None:
        job = await world.ended(client, ids[0])
        assert [row["status"] for row in job["result"]["models"]] == ["skipped", "complete"]

    ids: list[str] = []
    world.story(stop)
    world.router.served_models, world.router.gate = ("alpha", "beta"), None
    world.story(look)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)
