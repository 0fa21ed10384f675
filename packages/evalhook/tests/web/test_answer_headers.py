"""What a browser must not do with an answer stands in each of them, whoever made it."""

from __future__ import annotations

import httpx
import pytest

NEVER_A_PAGE = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/health", {}, 200),
        ("/jobs", {}, 200),
        ("/metrics", {}, 200),
        ("/schema/openapi.json", {}, 200),
        ("/jobs/x", {}, 404),
        ("/nothing", {}, 404),
        ("/evaluate", {}, 405),
        ("/jobs", {"Authorization": ""}, 401),
    ],
)
def test_no_answer_is_read_as_a_page_or_stored(
    world, path: str, headers: dict[str, str], status: int
) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == status
        assert NEVER_A_PAGE.items() <= dict(answer.headers).items()
        assert answer.headers["content-type"].split(";")[0] != "text/html"

    world.story(tell)


def test_a_page_keeps_its_own(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        style = await client.get("/static/page.css", headers={"Authorization": ""})
        assert style.headers.get_list("cache-control") == ["public, max-age=300"]
        (policy,) = (await client.get("/login")).headers.get_list("content-security-policy")
        assert "script-src 'self'" in policy

    world.story(tell)
