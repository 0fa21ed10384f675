"""The OpenAPI document says what the API does: every status, every error, who needs the token."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import jsonschema_rs
import pytest
from litestar.handlers import HTTPRouteHandler

from evalcore.git.errors import PushRefused
from evalhook.web import page_routes, routes


def document(world: Any) -> dict[str, Any]:
    async def tell(client: httpx.AsyncClient) -> None:
        found.append((await client.get("/schema/openapi.json")).json())

    found: list[dict[str, Any]] = []
    world.story(tell)
    return found[0]


def test_every_operation_is_described_with_its_answers(world) -> None:
    """Which refusals a handler has, docs/reference.md says (tests/test_reference.py); here, that all show."""
    paths = document(world)["paths"]
    described = {
        (method.upper(), path): set(operation["responses"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    declared = {
        (method, path.replace(":str}", "}")): {str(handler.status_code), *map(str, handler.responses or {})}
        for handler in (*routes.ROUTES, *page_routes.ROUTES)
        if isinstance(handler, HTTPRouteHandler) and handler.include_in_schema is not False
        for method in handler.http_methods - {"HEAD", "OPTIONS"}
        for path in handler.paths
    }
    assert described == declared
    assert ("POST", "/evaluate") in described
    for (method, path), statuses in described.items():
        refusals = {"403", "431"} if path == "/health" else {"401", "403", "431", "500"}
        refusals |= {"400", "404"} if "{" in path else set()
        refusals |= {"409", "503"} if method == "POST" else set()
        assert refusals <= statuses, (
            f"web/routes.py: {method} {path} lacks {sorted(refusals - statuses)} in `responses`"
        )


def test_all_but_health_need_the_token(world) -> None:
    described = document(world)
    scheme = described["components"]["securitySchemes"]["BearerToken"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation.get("security", []) == ([] if path == "/health" else [{"BearerToken": []}])


def test_the_body_is_described_as_it_is_checked(world) -> None:
    operation = document(world)["paths"]["/evaluate"]["post"]
    assert operation["requestBody"]["required"] is True
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for(schema)
    for good in ({"skill_name": "a"}, {"skill_name": "a.b", "replicates": 100, "git_sha": "abcdef0"}):
        assert validator.is_valid(good)
    for bad in (
        {},
        {"skill_name": "A"},
        {"skill_name": "a", "replicates": 0},
        {"skill_name": "a", "replicates": True},
        {"skill_name": "a", "git_sha": "abc"},
        {"skill_name": "a", "more": 1},
    ):
        assert not validator.is_valid(bad)


def test_what_the_service_answers_is_valid_under_its_own_description(world) -> None:
    described = document(world)

    def check(answer: httpx.Response, method: str, path: str) -> None:
        response = described["paths"][path][method]["responses"][str(answer.status_code)]
        schema = response["content"]["application/json"]["schema"] | {"components": described["components"]}
        jsonschema_rs.validator_for(schema).validate(answer.json())

    async def tell(client: httpx.AsyncClient) -> None:
        accepted = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 1})
        check(accepted, "post", "/evaluate")
        check(await client.post("/evaluate", json={"skill_name": "memo"}), "post", "/evaluate")
        path = accepted.headers["location"]
        check(await client.get(path), "get", "/jobs/{job_id}")
        await world.ended(client, accepted.json()["job_id"])
        check(await client.get(path), "get", "/jobs/{job_id}")
        check(await client.get("/jobs/none"), "get", "/jobs/{job_id}")
        check(await client.get("/jobs"), "get", "/jobs")
        check(await client.get("/jobs?limit=0"), "get", "/jobs")
        check(await client.get("/health"), "get", "/health")
        check(await client.post("/evaluate", json={}), "post", "/evaluate")

    world.story(tell)


def test_both_refusals_to_publish_are_valid_under_the_description(world) -> None:
    described = document(world)
    where = described["paths"]["/jobs/{job_id}/publish"]["post"]["responses"]["409"]["content"]
    schema = where["application/json"]["schema"] | {"components": described["components"]}

    async def tell(client: httpx.AsyncClient) -> None:
        world.publishing.error = PushRefused("protected branch")
        failed = await world.evaluated(client)
        world.publishing.error = None
        world.router.gate = asyncio.Event()
        running = (await client.post("/evaluate", json={"skill_name": "memo"})).json()
        for job, key in ((failed, "busy"), (running, "error")):
            answer = await client.post(f"/jobs/{job['job_id']}/publish")
            assert answer.status_code == 409
            assert key in answer.json()
            jsonschema_rs.validator_for(schema).validate(answer.json())
        world.router.gate.set()
        await world.ended(client, running["job_id"])

    world.story(tell)


@pytest.mark.parametrize("path", ["/schema/swagger", "/schema/%3Cscript%3E"])
def test_beside_the_description_there_is_nothing_and_no_page_says_so(world, path: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()["error"]) == {"code", "message"}

    world.story(tell)


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json"])
def test_the_description_needs_the_token_and_is_no_page_with_scripts_of_others(world, path: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
        assert "<script" not in answer.text
        assert (await client.get(path, headers={"Authorization": ""})).status_code == 401

    world.story(tell)
    assert json.dumps(document(world)).count(world.token) == 0
