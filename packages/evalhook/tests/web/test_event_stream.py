"""A job as server-sent events: whole at the start, gathered in between, `done` at the end."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import httpx

from evalhook.errors import UnknownJob
from evalhook.jobs import Job
from evalhook.monitoring.events import MOST_FOLLOWERS, EventHub
from evalhook.monitoring.live import Live
from evalhook.web.event_stream import JobEvents


def parsed(text: str) -> list[tuple[str, Any]]:
    """The events of a stream, by name."""
    blocks = [
        dict(line.split(": ", 1) for line in block.splitlines()) for block in text.split("\n\n") if block
    ]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


async def started(client: httpx.AsyncClient, world: Any) -> str:
    world.router.gate = asyncio.Event()
    answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2})
    await world.router.asked.wait()
    return answer.json()["job_id"]


def test_a_job_is_followed_to_its_end(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job_id = await started(client, world)
        asyncio.get_running_loop().call_later(0.3, world.router.gate.set)
        answer = await client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "7"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        events = parsed(answer.text)
        first, last = events[0], events[-1]
        assert (first[0], first[1]["done"], first[1]["total"], first[1]["in_flight"]) == ("progress", 0, 8, 8)
        assert {data["model"] for name, data in events if name == "model"} == {"alpha", "beta"}
        assert last == ("done", (await client.get(f"/jobs/{job_id}")).json())
        counts = [data["done"] for name, data in events if name == "progress"]
        assert counts == sorted(counts)

    world.story(tell)


def test_a_job_that_has_ended_is_one_event(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client)
        answer = await client.get(f"/jobs/{job['job_id']}/events")
        assert parsed(answer.text) == [("done", job)]

    world.story(tell)


def test_events_need_the_token_and_a_job(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        assert (await client.get("/jobs/none/events")).status_code == 404
        assert (await client.get("/jobs/none/events", headers={"Authorization": ""})).status_code == 401

    world.story(tell)


def test_a_silent_stream_has_a_heartbeat_and_leaves_no_reader_behind(running_job: Job) -> None:
    running = running_job

    async def story() -> None:
        hub = EventHub()
        live = Live(hub, asyncio.get_running_loop().time)
        events = aiter(JobEvents("a", hub, live, lambda _: running, "10.0.0.1", heartbeat=0.01))
        seen = [await anext(events) for _ in range(3)]
        assert seen[0].startswith(b"retry: ")
        assert parsed(seen[1].decode()) == [("progress", {"done": 3, "total": 8, "errors": 0})]
        assert seen[2].startswith(b":")
        await events.aclose()
        assert len(hub) == 0

    asyncio.run(story())


def test_a_place_is_taken_before_the_answer_begins_and_free_where_it_never_does(running_job: Job) -> None:
    async def story() -> None:
        hub = EventHub(most=1)
        events = JobEvents(
            "a", hub, Live(hub, asyncio.get_running_loop().time), lambda _: running_job, "10.0.0.1"
        )
        assert len(hub) == 1
        del events  # the reader left before the first byte
        assert len(hub) == 0

    asyncio.run(story())


def test_a_stream_whose_place_is_given_to_another_address_ends(running_job: Job) -> None:
    async def story() -> None:
        hub = EventHub(most=2)
        live = Live(hub, asyncio.get_running_loop().time)
        held = [JobEvents("a", hub, live, lambda _: running_job, "10.0.0.1") for _ in range(2)]
        first = aiter(held[0])
        assert (await anext(first)).startswith(b"retry: ")
        hub.follow("a", "10.0.0.2")
        assert len([event async for event in first]) == 1
        assert len(hub) == 2

    asyncio.run(story())


def test_a_job_that_is_dropped_ends_its_streams() -> None:
    def gone(job_id: str) -> Job:
        raise UnknownJob(job_id)

    async def story() -> None:
        hub = EventHub()
        events = JobEvents("a", hub, Live(hub, asyncio.get_running_loop().time), gone, "10.0.0.1")
        assert len([event async for event in events]) == 1
        assert len(hub) == 0

    asyncio.run(story())


def test_of_many_at_once_no_more_are_let_in_than_are_allowed_and_none_is_an_error(world, capsys) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job_id = await started(client, world)
        asyncio.get_running_loop().call_later(1.0, world.router.gate.set)
        answers = await asyncio.gather(*(client.get(f"/jobs/{job_id}/events") for _ in range(300)))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses == {200: MOST_FOLLOWERS, 503: 300 - MOST_FOLLOWERS}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.json()["error"]["code"] == "not_ready"

    world.story(tell)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
