"""The application as a whole: the order in which a request is checked, and what every answer bears."""

from __future__ import annotations

import httpx
import pytest

FIRST_KNOWN = {"skill_name": "memo", "replicates": 2}


def stranger(client):
    return httpx.AsyncClient(transport=client._transport, base_url="http://hook")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/evaluate"),
        ("GET", "/jobs"),
        ("GET", "/jobs/x"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
        ("PUT", "/jobs"),
    ],
)
def test_without_a_token_nothing_is_known_not_even_what_there_is(world, method, path):
    async def tell(client):
        async with stranger(client) as other:
            answer = await other.request(method, path, content=b"x" * 10_000)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "unauthorized"

    world.story(tell)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic x", "Bearer wrong", "bearer\x00x", "Bearer " + "x" * 5000],
)
def test_a_missing_a_malformed_and_a_wrong_token_get_the_same_answer(world, authorization):
    async def tell(client):
        async with stranger(client) as other:
            plain = await other.get("/jobs")
            answer = await other.get("/jobs", headers={"Authorization": authorization.replace("\x00", " ")})
        assert (answer.status_code, answer.content) == (plain.status_code, plain.content)

    world.story(tell)


def test_health_is_open_and_discloses_nothing_else(world):
    async def tell(client):
        async with stranger(client) as other:
            answer = await other.get("/health")
        assert answer.status_code == 200
        assert set(answer.json()) == {"status", "version"}

    world.story(tell)


@pytest.mark.parametrize("path", ["/health", "/jobs", "/nothing", "/evaluate"])
def test_every_answer_bears_a_request_id(world, path):
    async def tell(client):
        assert (await client.get(path)).headers["x-request-id"]
        assert (await client.get(path, headers={"X-Request-ID": "mine"})).headers["x-request-id"] == "mine"

    world.story(tell)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content": b"x" * 5000, "headers": {"content-type": "text/plain"}}, 413),
        ({"content": b"{", "headers": {"content-type": "text/plain"}}, 415),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"json": FIRST_KNOWN | {"skill_name": "missing", "git_sha": "9999999"}}, 422),
        ({"json": FIRST_KNOWN | {"skill_name": "missing"}}, 404),
    ],
)
def test_a_request_is_refused_by_the_first_check_that_it_fails(world, options, status):
    async def tell(client):
        answer = await client.post("/evaluate", **options)
        assert answer.status_code == status, answer.text
        assert await world.slot_is_free(client)

    world.story(tell)
