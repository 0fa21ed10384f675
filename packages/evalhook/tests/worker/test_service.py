"""Accepting a job is bounded in time as a whole, whatever the request waits for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from evalhook.threads import in_thread
from evalhook.worker.service import ANSWER_SECONDS, CANCELLED_SECONDS, CLONES_SECONDS

REQUEST = {"skill_name": "memo", "replicates": 2}
STEPS = {
    "pull": ("clones", "the pull of the clones"),
    "read": ("clones", "reading .evaluator/models.yaml"),
    "probe": ("router", "MindRouter"),
    "commit": ("clones", "looking the commit up"),
    "material": ("clones", "reading the component and its cases"),
}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A service that has next to no time to answer; `undo` gives it its own again."""
    monkeypatch.setattr("evalhook.web.routes.ANSWER_SECONDS", 0.05)
    monkeypatch.setattr("evalhook.worker.service.CANCELLED_SECONDS", 0.05)
    return monkeypatch


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("places", ["0", "3"])
def test_a_slow_step_is_refused_by_its_name_and_the_slot_is_free_again(
    world, hurried: pytest.MonkeyPatch, step: str, places: str
) -> None:
    whose, words = STEPS[step]
    world.changes = {"EVALHOOK_QUEUE": places}
    part = getattr(world, whose)
    former = getattr(part, step)

    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    async def tell(client: httpx.AsyncClient) -> None:
        setattr(part, step, never)
        answer = await client.post("/evaluate", json=REQUEST)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert answer.json()["error"]["message"].startswith(f"{words} takes too long to answer within 50 s")
        setattr(part, step, former)
        hurried.undo()
        assert (await world.evaluated(client))["status"] == "completed"
        assert len((await client.get("/jobs")).json()["jobs"]) == 1

    world.story(tell)


def test_the_slot_stays_taken_while_a_thread_is_still_at_work_in_the_clones(
    world, hurried: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    pull = world.clones.pull

    async def slow_pull() -> Any:
        await in_thread(ended.wait)
        return await pull()

    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.pull = slow_pull
        answer = await client.post("/evaluate", json=REQUEST)
        assert answer.status_code == 503, answer.text
        busy = await client.post("/evaluate", json=REQUEST)
        assert (busy.status_code, busy.json()["current_job"]["skill"]) == (409, "memo")
        ended.set()
        hurried.undo()
        world.clones.pull = pull
        while (answer := await client.post("/evaluate", json=REQUEST)).status_code == 409:  # noqa: ASYNC110 - a thread ends
            await asyncio.sleep(0)
        assert answer.status_code == 202
        assert (await world.ended(client, answer.json()["job_id"]))["status"] == "completed"

    world.story(tell)


def test_the_time_to_answer_covers_the_longest_pull_and_leaves_some_for_cancelling() -> None:
    assert CLONES_SECONDS + CANCELLED_SECONDS < ANSWER_SECONDS
