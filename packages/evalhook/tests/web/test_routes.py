"""The API's answers beside refusals (for those see test_intake): shapes, headers, the one error envelope."""

from __future__ import annotations

import httpx
import pytest


def test_an_accepted_request_tells_where_its_job_is(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 3})
        assert answer.status_code == 202
        body = answer.json()
        assert list(body) == [
            "job_id",
            "status",
            "skill_name",
            "replicates",
            "prompt_commit",
            "calls",
            "status_url",
        ]
        assert (body["status"], body["calls"]) == ("running", 12)
        assert answer.headers["location"] == body["status_url"] == f"/jobs/{body['job_id']}"
        assert (await client.get(body["status_url"])).json()["job_id"] == body["job_id"]
        await world.ended(client, body["job_id"])

    world.story(tell)


def test_a_job_has_every_field_of_the_contract_in_its_order(world, job_fields) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client, git_sha="1111111")
        assert list(job) == job_fields
        assert list(job["result"]) == ["pull_request_url", "branch", "models"]
        assert list(job["result"]["models"][0]) == [
            "model",
            "status",
            "accuracy",
            "reproducibility",
            "reason",
        ]
        assert job["dataset_commit"] == world.older

    world.story(tell)


def test_jobs_are_listed_newest_first_up_to_the_limit(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        ids = [(await world.evaluated(client))["job_id"] for _ in range(3)]
        listed = (await client.get("/jobs")).json()["jobs"]
        assert [job["job_id"] for job in listed] == ids[::-1]
        assert listed[0] == (await client.get(f"/jobs/{ids[-1]}")).json()
        limited = (await client.get("/jobs?limit=2")).json()["jobs"]
        assert [job["job_id"] for job in limited] == ids[:0:-1]

    world.story(tell)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5"])
def test_a_limit_out_of_bounds_is_400(world, limit: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get(f"/jobs?limit={limit}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
        assert "limit" in answer.json()["error"]["message"]

    world.story(tell)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/jobs/none/more", 404, "not_found"),
        ("GET", "/jobs/none", 404, "unknown_job"),
        ("GET", "/jobs/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("GET", "/evaluate", 405, "method_not_allowed"),
        ("DELETE", "/jobs", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
    ],
)
def test_the_frameworks_own_refusals_have_the_same_envelope(
    world, method: str, path: str, status: int, code: str
) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, path)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "message"}
        assert answer.json()["error"]["code"] == code
        assert ("allow" in answer.headers) is (status == 405)

    world.story(tell)
