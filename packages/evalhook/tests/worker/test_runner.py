"""How a job ends: well, in part, or with an error that has a code; the slot free again each time."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from evalcore.errors import LeaderboardError, StorageError
from evalcore.git.errors import PushRefused


async def start(client: httpx.AsyncClient) -> str:
    answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2})
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def test_a_job_runs_every_local_model_and_publishes_their_records(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client)
        assert job["status"] == "completed"
        assert job["error"] is None
        assert job["progress"] == {"done": 8, "total": 8, "errors": 0}
        assert job["result"]["pull_request_url"] == "https://github.example/pull/memo"
        assert job["result"]["branch"] == "eval-results/x"
        rows = [(row["model"], row["status"], row["accuracy"]) for row in job["result"]["models"]]
        assert rows == [("alpha", "complete", 1.0), ("beta", "complete", 1.0)]
        assert [record.model for record in world.publishing.records] == ["alpha", "beta"]
        assert {record.origin for record in world.publishing.records} == {"vm"}
        assert {record.prompt_commit for record in world.publishing.records} == {world.tip}
        assert job["created_at"] <= job["started_at"] <= job["finished_at"]

    world.story(tell)


def test_the_slot_is_free_as_soon_as_the_job_is_shown_finished(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for _ in range(2):
            await world.evaluated(client)
        assert [job["status"] for job in (await client.get("/jobs")).json()["jobs"]] == ["completed"] * 2

    world.story(tell)


def test_a_model_that_is_not_served_is_skipped_with_the_reason(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.served_models = ("beta",)
        job = await world.evaluated(client)
        assert job["status"] == "completed"
        skipped, complete = job["result"]["models"]
        assert (skipped["model"], skipped["status"], skipped["accuracy"]) == ("alpha", "skipped", None)
        assert skipped["reason"]
        assert complete["status"] == "complete"
        assert job["progress"] == {"done": 4, "total": 4, "errors": 0}
        assert world.publishing.skipped_models == {"alpha": skipped["reason"]}

    world.story(tell)


def test_a_job_whose_models_are_all_unserved_fails(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.served_models = ()
        job = await world.evaluated(client)
        assert (job["status"], job["error"]["code"]) == ("failed", "no_model_served")
        assert "alpha" in job["error"]["message"]
        assert world.publishing.records == []
        await assert_slot_is_free(client)

    world.story(tell)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PushRefused("the remote refuses the push", where="main", hint="let it"), "push_refused"),
        (LeaderboardError("is not valid", where="leaderboard.json"), "invalid_leaderboard"),
        (StorageError("no space left", where="/clone"), "storage"),
    ],
)
def test_results_that_cannot_be_published_fail_the_job_and_are_still_told(world, error, code: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = error
        job = await world.evaluated(client)
        assert (job["status"], job["error"]) == ("failed", {"code": code, "message": error.line})
        assert [row["accuracy"] for row in job["result"]["models"]] == [1.0, 1.0]
        assert len(list(world.settings.runs_dir.glob("*/record.json"))) == 2
        await assert_slot_is_free(client)

    world.story(tell)


@pytest.mark.parametrize("where", ["calling", "publishing"])
def test_a_crash_is_internal_and_its_traceback_is_in_the_log_only(world, where: str, capsys) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        crash = RuntimeError("a mistake\nof ours")
        world.router.crash = crash if where == "calling" else None
        world.publishing.error = crash if where == "publishing" else None
        job = await world.evaluated(client)
        assert (job["status"], job["error"]["code"]) == ("failed", "internal")
        assert job["job_id"] in job["error"]["message"]
        assert "mistake" not in json.dumps(job)
        await assert_slot_is_free(client)

    world.story(tell)
    assert "job_crashed" in capsys.readouterr().out


def test_a_runs_folder_that_cannot_be_written_is_a_storage_error(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.settings.runs_dir.write_text("in the way")
        job = await world.evaluated(client)
        assert (job["status"], job["error"]["code"]) == ("failed", "storage")
        world.settings.runs_dir.unlink()
        await assert_slot_is_free(client)

    world.story(tell)


def test_a_job_whose_end_cannot_be_kept_is_still_shown_and_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        job_id = await start(client)
        await world.router.asked.wait()
        folder = world.settings.jobs_dir
        world.publishing.after = lambda: folder.rename(folder.with_name("elsewhere"))
        world.router.gate.set()
        assert (await world.ended(client, job_id))["status"] == "completed"
        world.publishing.after = None
        folder.with_name("elsewhere").rename(folder)
        await assert_slot_is_free(client)

    world.story(tell)


def test_a_secret_in_an_error_is_masked(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        key = world.settings.mindrouter_api_key.reveal()
        world.publishing.error = PushRefused(f"the remote says {key}")
        job = await world.evaluated(client)
        assert key not in json.dumps(job)
        assert "[secret]" in job["error"]["message"]

    world.story(tell)


def test_progress_is_told_while_the_job_runs(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        job_id = await start(client)
        await world.router.asked.wait()
        job = (await client.get(f"/jobs/{job_id}")).json()
        assert job["status"] == "running"
        assert job["progress"] == {"done": 0, "total": 8, "errors": 0}
        assert (job["result"], job["error"], job["finished_at"]) == (None, None, None)
        world.router.gate.set()
        await world.ended(client, job_id)

    world.story(tell)


def test_stopping_keeps_the_replies_and_the_next_start_goes_on(world) -> None:
    async def stop_midway(client: httpx.AsyncClient) -> None:
        world.router.gate, world.router.gate_after = asyncio.Event(), 3
        job_id.append(await start(client))
        while world.router.calls < 8:  # noqa: ASYNC110 - the stand-in has no event for it
            await asyncio.sleep(0)

    async def look(client: httpx.AsyncClient) -> None:
        job = await world.ended(client, job_id[0])
        assert (job["status"], job["error"]) == ("completed", None)
        assert job["progress"] == {"done": 8, "total": 8, "errors": 0}
        assert world.router.calls == 8 + 5
        await assert_slot_is_free(client)

    job_id: list[str] = []
    world.story(stop_midway)
    assert kept_state(world.settings.jobs_dir, job_id[0]) == "running"
    world.router.gate = None
    world.story(look)
    assert kept_state(world.settings.jobs_dir, job_id[0]) == "completed"


def kept_state(folder: Path, job_id: str) -> str:
    state: str = json.loads((folder / f"{job_id}.json").read_bytes())["state"]["status"]
    return state


async def assert_slot_is_free(client: httpx.AsyncClient) -> None:
    answer = await client.post("/evaluate", json={"skill_name": "missing"})
    assert answer.status_code == 404


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)
