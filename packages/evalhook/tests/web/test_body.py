"""The body of POST /evaluate: bounded in size, JSON by its header, decoded strictly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

GOOD = {"skill_name": "memo", "replicates": 1}


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
        assert await world.slot_is_free(client)

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
