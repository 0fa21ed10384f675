"""The bearer token: one and the same refusal for everything that is not it."""

from __future__ import annotations

import httpx
import pytest

PATHS = [("POST", "/evaluate"), ("GET", "/jobs"), ("GET", "/jobs/x"), ("GET", "/schema"), ("GET", "/nothing")]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_path_but_health_needs_the_token(world, method: str, path: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, path, headers={"Authorization": ""})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "unauthorized"

    world.story(tell)


def test_missing_malformed_and_wrong_tokens_get_the_same_answer(world) -> None:
    shown = [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {world.token}",
        world.token,
        f"Bearer {world.token}x",
        f"Bearer {world.token[:-1]}",
        f"Bearer {world.token} {world.token}",
        "Bearer \u00ff\u00fe",
    ]

    async def tell(client: httpx.AsyncClient) -> None:
        del client.headers["Authorization"]
        answers = set()
        for value in shown:
            headers = {} if value is None else {"Authorization": value.encode("latin-1")}
            answer = await client.get("/jobs", headers=headers)
            kept = {k: v for k, v in answer.headers.items() if k not in {"x-request-id", "date"}}
            answers.add((answer.status_code, answer.text, str(sorted(kept.items()))))
        assert len(answers) == 1
        assert "401" in str(answers)

    world.story(tell)


def test_two_authorization_headers_are_refused(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        del client.headers["Authorization"]
        twice = [("Authorization", f"Bearer {world.token}")] * 2
        assert (await client.get("/jobs", headers=twice)).status_code == 401

    world.story(tell)


def test_the_scheme_is_read_whatever_its_case(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get("/jobs", headers={"Authorization": f"bEARER {world.token}"})
        assert answer.status_code == 200

    world.story(tell)


def test_health_needs_no_token_and_discloses_only_the_version(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get("/health", headers={"Authorization": ""})
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "version": "0.1.0"}

    world.story(tell)


def test_the_token_comes_before_the_body(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", headers={"Authorization": "Bearer no"}, content=b"x" * 9000)
        assert answer.status_code == 401

    world.story(tell)
