"""What POST /evaluate refuses, in which order, and that the slot is free after every refusal."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from evalcore.errors import (
    CaseError,
    ComponentError,
    ConfigurationError,
    ProviderRefused,
    ProviderUnreachable,
    StorageError,
)
from evalcore.git.errors import CloneDirty, CloneDiverged, CloneLocked, CommitNotFound, GitTimedOut

GOOD = {"skill_name": "memo", "replicates": 1}


@pytest.mark.parametrize("git_sha", [None, "1111111", "1" * 40, "2222222"])
def test_a_well_formed_request_is_accepted(world, git_sha: str | None) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client, git_sha=git_sha)
        assert job["git_sha"] == git_sha
        assert job["prompt_commit"] == (world.older if git_sha == "2222222" else world.tip)

    world.story(tell)


REFUSALS = [
    ("pull", CloneDirty("has local changes", where="/clone"), 503, "not_ready"),
    ("pull", CloneDiverged("has diverged", where="/clone"), 503, "not_ready"),
    ("pull", CloneLocked("is locked", where="/clone"), 503, "not_ready"),
    ("pull", GitTimedOut("took too long", where="/clone"), 503, "not_ready"),
    ("pull", StorageError("no space left", where="/clone"), 503, "not_ready"),
    ("read", ConfigurationError("unknown key", where="models.yaml:3"), 503, "not_ready"),
    ("commit", CommitNotFound("is not there", where="abcdef0"), 422, "unknown_commit"),
    ("commit", CloneLocked("is locked", where="/clone"), 503, "not_ready"),
    ("material", ComponentError("has no version", where="prompt.md"), 422, "unusable_component"),
    ("material", CaseError("no usable case", where="memo"), 422, "unusable_component"),
    ("material", GitTimedOut("took too long", where="/clone"), 503, "not_ready"),
    ("material", StorageError("no space left", where="/clone"), 503, "not_ready"),
]


@pytest.mark.parametrize(("step", "error", "status", "code"), REFUSALS)
def test_every_refusal_says_why_and_frees_the_slot(
    world, step: str, error: Exception, status: int, code: str
) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.fail_at, world.clones.error = step, error
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert error.what in answer.json()["error"]["message"]
        assert error.where in answer.json()["error"]["message"]
        assert await world.slot_is_free(client)

    world.story(tell)


def test_a_refusal_names_no_folder_of_the_machine(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        where = str(world.settings.prompt_library)
        world.clones.fail_at = "pull"
        world.clones.error = CloneLocked("is locked", where=where, hint=f"delete {where}/.git/index.lock")
        message = (await client.post("/evaluate", json=GOOD)).json()["error"]["message"]
        assert message.startswith("the clone of the prompt library: is locked; delete ")
        assert str(world.folder) not in message

    world.story(tell)


def test_a_failed_job_names_no_folder_of_the_machine(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = StorageError("cannot be written", where=str(world.settings.runs_dir))
        job = await world.evaluated(client)
        assert job["error"] == {
            "code": "storage",
            "message": "the state directory/runs: cannot be written",
        }

    world.story(tell)


@pytest.mark.parametrize("error", [ProviderUnreachable("no answer"), ProviderRefused("refuses the key")])
def test_an_unusable_mindrouter_is_503(world, error: Exception) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.error = error
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert await world.slot_is_free(client)

    world.story(tell)


def test_a_models_file_without_local_models_is_503(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.list_models("opus", provider="anthropic")
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert "provider mindrouter" in answer.json()["error"]["message"]
        world.clones.list_models("alpha", "beta")
        assert await world.slot_is_free(client)

    world.story(tell)


def test_an_unknown_skill_is_404(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json={"skill_name": "missing"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_skill")
        assert await world.slot_is_free(client)

    world.story(tell)


def test_the_clone_is_looked_at_before_the_commit_and_the_commit_before_the_skill(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        both = {"skill_name": "missing", "git_sha": "abcdef0"}
        world.clones.fail_at, world.clones.error = "pull", CloneDirty("has local changes")
        assert (await client.post("/evaluate", json=both)).status_code == 503
        world.clones.fail_at = ""
        assert (await client.post("/evaluate", json=both)).json()["error"]["code"] == "unknown_commit"

    world.story(tell)


def test_a_crash_while_a_request_is_checked_is_500_and_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.fail_at, world.clones.error = "material", RuntimeError("a mistake of ours")
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
        assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
        assert "mistake of ours" not in answer.text
        assert await world.slot_is_free(client)

    world.story(tell)


def test_a_cancelled_request_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.gate = asyncio.Event()
        request = asyncio.create_task(client.post("/evaluate", json=GOOD))
        await world.clones.pulled.wait()
        request.cancel()
        await asyncio.wait([request])
        world.clones.gate = None
        assert await world.slot_is_free(client)

    world.story(tell)


def test_a_job_that_cannot_be_kept_is_503_and_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        folder = world.settings.jobs_dir
        folder.rename(folder.with_name("elsewhere"))
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        folder.with_name("elsewhere").rename(folder)
        assert await world.slot_is_free(client)

    world.story(tell)


def test_of_fifty_requests_at_once_exactly_one_is_accepted(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        answers = await asyncio.gather(*(client.post("/evaluate", json=GOOD) for _ in range(50)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [202] + [409] * 49
        accepted = next(answer.json() for answer in answers if answer.status_code == 202)
        for answer in answers:
            if answer.status_code == 409:
                body = answer.json()
                assert body["busy"] is True
                assert body["current_job"]["job_id"] == accepted["job_id"]
                assert body["current_job"]["skill"] == "memo"
                assert set(body) == {"busy", "current_job"}
        assert world.clones.pulls == 1
        world.router.gate.set()
        await world.ended(client, accepted["job_id"])

    world.story(tell)


def test_a_malformed_request_is_400_while_a_job_runs(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        accepted = (await client.post("/evaluate", json=GOOD)).json()
        assert (await client.post("/evaluate", json={"skill_name": "Bad"})).status_code == 400
        assert (await client.post("/evaluate", json={"skill_name": "missing"})).status_code == 409
        world.router.gate.set()
        await world.ended(client, accepted["job_id"])

    world.story(tell)


def test_only_the_models_that_are_named_are_evaluated(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client, models=["beta", "beta"])
        assert [row["model"] for row in job["result"]["models"]] == ["beta"]
        assert job["models"] == ["beta", "beta"]
        assert "models" not in await world.evaluated(client)

    world.story(tell)


@pytest.mark.parametrize("name", ["gamma", "", "x" * 201, "\ud800", 7, None])
def test_a_model_that_is_none_of_the_local_ones_is_refused(world, name: object) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        body = json.dumps(GOOD | {"models": ["alpha", name]})
        answer = await client.post("/evaluate", content=body, headers={"Content-Type": "application/json"})
        is_name = isinstance(name, str) and 0 < len(name) < 200
        expected = (422, "unknown_model") if is_name else (400, "invalid_request")
        assert (answer.status_code, answer.json()["error"]["code"]) == expected
        if is_name:
            assert "alpha, beta" in answer.json()["error"]["message"]
        assert await world.slot_is_free(client)

    world.story(tell)


@pytest.mark.parametrize("models", [[], "alpha", {"alpha": 1}, ["alpha"] * 101])
def test_models_are_a_list_of_names(world, models: object) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json=GOOD | {"models": models})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")

    world.story(tell)


def test_mindrouter_is_looked_at_before_the_models_that_are_named(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.error = ProviderUnreachable("no answer")
        answer = await client.post("/evaluate", json=GOOD | {"models": ["gamma"]})
        assert answer.status_code == 503

    world.story(tell)
