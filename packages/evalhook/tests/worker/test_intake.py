"""What POST /evaluate refuses, in which order, and that the slot is free after every refusal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

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
from evalcore.git.errors import CloneDirty, CloneDiverged, CloneLocked, GitTimedOut, UnknownCommit

GOOD = {"skill_name": "memo", "replicates": 1}


async def is_free(world: Any, client: httpx.AsyncClient) -> bool:
    """Whether the slot is: another request gets as far as the component that it names."""
    world.clones.fail_at, world.router.error = "", None
    answer = await client.post("/evaluate", json={"skill_name": "missing"})
    return answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"memo"',
        b"{}",
        b'{"skill_name": null}',
        b'{"skill_name": 7}',
        b'{"skill_name": ""}',
        b'{"skill_name": "Memo"}',
        b'{"skill_name": "../memo"}',
        b'{"skill_name": "-memo"}',
        b'{"skill_name": "memo\\n"}',
        b'{"skill_name": "' + b"m" * 101 + b'"}',
        b'{"skill_name": "memo", "replicates": 0}',
        b'{"skill_name": "memo", "replicates": 101}',
        b'{"skill_name": "memo", "replicates": true}',
        b'{"skill_name": "memo", "replicates": 2.5}',
        b'{"skill_name": "memo", "replicates": "2"}',
        b'{"skill_name": "memo", "replicates": null}',
        b'{"skill_name": "memo", "replicates": 1e400}',
        b'{"skill_name": "memo", "replicates": NaN}',
        b'{"skill_name": "memo", "git_sha": "abc"}',
        b'{"skill_name": "memo", "git_sha": "main"}',
        b'{"skill_name": "memo", "git_sha": "--exec=id"}',
        b'{"skill_name": "memo", "git_sha": "1111111\\n"}',
        b'{"skill_name": "memo", "git_sha": "' + b"a" * 41 + b'"}',
        b'{"skill_name": "memo", "skill": "memo"}',
        b'{"skill_name": "memo", "skill_name": "memo"}',
        b'{"skill_name": "memo"} {}',
        b'{"skill_name": "\xff"}',
        b'\xef\xbb\xbf{"skill_name": "memo"}',
        b'{"skill_name": "memo", "x": ' + b"[" * 2000 + b"}",
        b"[" * 4000,
    ],
)
def test_a_malformed_request_is_400_and_touches_nothing(world, body: bytes) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["code"] == "invalid_request"
        assert "\n" not in error["message"]
        assert world.clones.pulls == 0
        assert await is_free(world, client)

    world.story(tell)


@pytest.mark.parametrize("git_sha", [None, "1111111", "1" * 40, "2222222"])
def test_a_well_formed_request_is_accepted(world, git_sha: str | None) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client, git_sha=git_sha)
        assert job["git_sha"] == git_sha
        assert job["prompt_commit"] == (world.older if git_sha == "2222222" else world.tip)

    world.story(tell)


def test_a_whole_number_is_one_however_json_writes_it(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(
            "/evaluate", content=b'{"skill_name": "memo", "replicates": 2.0}', headers=headers
        )
        assert (answer.status_code, answer.json()["replicates"]) == (202, 2)
        await world.ended(client, answer.json()["job_id"])

    world.story(tell)


def test_replicates_default_to_ten(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json={"skill_name": "memo"})
        assert answer.json()["replicates"] == 10
        assert answer.json()["calls"] == 2 * 2 * 10
        await world.ended(client, answer.json()["job_id"])

    world.story(tell)


@pytest.mark.parametrize("size", [4097, 20_000, 2_000_000])
def test_a_body_over_4_kib_is_413_however_it_is_sent(world, size: int) -> None:
    padded = json.dumps(GOOD).encode().ljust(size)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 1000):
            yield padded[start : start + 1000]

    async def tell(client: httpx.AsyncClient) -> None:
        for content in (padded, chunks()):
            answer = await client.post("/evaluate", content=content, headers={"Content-Type": "text/plain"})
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "too_large"

    world.story(tell)


def test_a_body_of_4_kib_is_not_too_large(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        padded = json.dumps(GOOD).encode().ljust(4096)
        answer = await client.post("/evaluate", content=padded, headers={"Content-Type": "application/json"})
        assert answer.status_code == 202
        await world.ended(client, answer.json()["job_id"])

    world.story(tell)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_anything_but_json_is_415_even_when_malformed(world, headers: dict[str, str]) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", content=b"{", headers=headers)
        assert answer.status_code == 415
        assert answer.json()["error"]["code"] == "unsupported_media_type"

    world.story(tell)


def test_a_charset_of_utf_8_is_json_too(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
        answer = await client.post("/evaluate", content=json.dumps(GOOD).encode(), headers=headers)
        assert answer.status_code == 202
        await world.ended(client, answer.json()["job_id"])

    world.story(tell)


REFUSALS = [
    ("pull", CloneDirty("has local changes", where="/clone"), 503, "not_ready"),
    ("pull", CloneDiverged("has diverged", where="/clone"), 503, "not_ready"),
    ("pull", CloneLocked("is locked", where="/clone"), 503, "not_ready"),
    ("pull", GitTimedOut("took too long", where="/clone"), 503, "not_ready"),
    ("pull", StorageError("no space left", where="/clone"), 503, "not_ready"),
    ("models", ConfigurationError("unknown key", where="models.yaml:3"), 503, "not_ready"),
    ("commit", UnknownCommit("is not there", where="abcdef0"), 422, "unknown_commit"),
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
        assert await is_free(world, client)

    world.story(tell)


@pytest.mark.parametrize("error", [ProviderUnreachable("no answer"), ProviderRefused("refuses the key")])
def test_an_unusable_mindrouter_is_503(world, error: Exception) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.error = error
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert await is_free(world, client)

    world.story(tell)


def test_a_models_file_without_local_models_is_503(world, only_cloud_models) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        kept, world.clones.models_file = world.clones.models_file, only_cloud_models
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        assert "provider mindrouter" in answer.json()["error"]["message"]
        world.clones.models_file = kept
        assert await is_free(world, client)

    world.story(tell)


def test_an_unknown_skill_is_404(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json={"skill_name": "missing"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_skill")
        assert await is_free(world, client)

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
        assert await is_free(world, client)

    world.story(tell)


def test_a_cancelled_request_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.clones.gate = asyncio.Event()
        request = asyncio.create_task(client.post("/evaluate", json=GOOD))
        await world.clones.pulled.wait()
        request.cancel()
        await asyncio.wait([request])
        world.clones.gate = None
        assert await is_free(world, client)

    world.story(tell)


def test_a_job_that_cannot_be_kept_is_503_and_frees_the_slot(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        folder = world.settings.jobs_dir
        folder.rename(folder.with_name("elsewhere"))
        answer = await client.post("/evaluate", json=GOOD)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
        folder.with_name("elsewhere").rename(folder)
        assert await is_free(world, client)

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
