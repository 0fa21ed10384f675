"""The pages' handlers: what they take, what they send beside the page, and what they list."""

from __future__ import annotations

import re

import httpx
import pytest

from evalhook.web import page_routes
from evalhook.web.page_routes import PAGE_HEADERS, STATIC_TYPES


def stranger(client):
    return httpx.AsyncClient(transport=client._transport, base_url="https://127.0.0.1")


@pytest.mark.parametrize("path", ["/login", "/static/page.css", "/static/page.js", "/static/icon.svg"])
def test_every_page_tells_the_browser_to_run_nothing_of_others(world, path):
    async def tell(client):
        async with stranger(client) as browser:
            headers = (await browser.get(path)).headers
        for name in PAGE_HEADERS.keys() - {"Cache-Control"}:
            assert headers[name] == PAGE_HEADERS[name]

    world.story(tell)


def test_pages_are_stored_nowhere_and_static_files_for_a_while(world):
    async def tell(client):
        assert (await client.get("/")).headers["cache-control"] == "no-store"
        async with stranger(client) as browser:
            assert (await browser.get("/login")).headers["cache-control"] == "no-store"
            assert (await browser.get("/static/page.css")).headers["cache-control"] == "public, max-age=300"

    world.story(tell)


@pytest.mark.parametrize(("name", "kind"), STATIC_TYPES.items())
def test_a_static_file_is_of_its_type(world, name, kind):
    async def tell(client):
        answer = await client.get(f"/static/{name}")
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert answer.content

    world.story(tell)


@pytest.mark.parametrize("name", ["nothing.js", "page_routes.py", "%2e%2e%2fpages.py", "..%2f..%2fapp.py"])
def test_no_path_reaches_the_file_system(world, name):
    async def tell(client):
        answer = await client.get(f"/static/{name}")
        assert answer.status_code == 404
        assert "import" not in answer.text

    world.story(tell)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"token",
        b"token=",
        b"token=%20",
        b"other=x",
        b"\xff\xfe",
        b"token=%FF",
        b"&&&&&",
        b"a=1&b=2&c=3&d=4&token=x",
        b"token=%ED%A0%80",
        b'{"token": "x"}',
    ],
)
def test_a_form_that_holds_no_token_opens_nothing(world, body):
    async def tell(client):
        async with stranger(client) as browser:
            answer = await browser.post("/login", content=body)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "set-cookie" not in answer.headers
            assert "That is not the token." in answer.text

    world.story(tell)


def test_blanks_around_a_pasted_token_are_no_matter(world):
    async def tell(client):
        async with stranger(client) as browser:
            answer = await browser.post("/login", data={"token": f"  {world.token}\n"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")

    world.story(tell)


def test_a_form_over_the_limit_of_a_body_is_refused(world):
    async def tell(client):
        async with stranger(client) as browser:
            assert (await browser.post("/login", content=b"token=" + b"x" * 5000)).status_code == 413

    world.story(tell)


def test_signing_out_without_a_session_is_no_error(world):
    async def tell(client):
        async with stranger(client) as browser:
            answer = await browser.post("/logout")
            assert (answer.status_code, answer.headers["location"]) == (303, "/")

    world.story(tell)


def test_signing_out_ends_one_session_alone(world):
    async def tell(client):
        async with stranger(client) as one, stranger(client) as other:
            for browser in (one, other):
                await browser.post("/login", data={"token": world.token})
            await one.post("/logout")
            assert (await one.get("/")).status_code == 401
            assert (await other.get("/")).status_code == 200

    world.story(tell)


def test_a_page_from_another_site_signs_nobody_in_or_out(world):
    async def tell(client):
        async with stranger(client) as browser:
            for path in ("/login", "/logout"):
                answer = await browser.post(
                    path, data={"token": world.token}, headers={"Origin": "https://elsewhere.example"}
                )
                assert answer.status_code == 403
                assert answer.json()["error"]["code"] == "forbidden"

    world.story(tell)


def test_a_page_without_any_job_is_a_page(world):
    async def tell(client):
        answer = await client.get("/")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")

    world.story(tell)


def test_the_newest_jobs_are_listed_and_the_others_counted(world, monkeypatch):
    monkeypatch.setattr(page_routes, "SHOWN_JOBS", 2)

    async def tell(client):
        for name in "abcd":
            await world.evaluated(client, skill_name=f"memo-{name}", replicates=1)
        page = (await client.get("/")).text
        assert [name for name in "abcd" if f"memo-{name}" in page] == ["c", "d"]
        assert re.search(r"\b2 more\b|\b2 older\b|\b2 earlier\b", page), page[-1500:]

    world.story(tell)


def test_the_events_of_an_unknown_job_are_not_found(world):
    async def tell(client):
        answer = await client.get("/jobs/nothing/events")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "unknown_job"

    world.story(tell)


def test_the_events_of_a_job_that_has_ended_end_at_once(world):
    async def tell(client):
        job = await world.evaluated(client)
        answer = await client.get(f"/jobs/{job['job_id']}/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "event: done" in answer.text

    world.story(tell)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/login"), ("DELETE", "/"), ("POST", "/static/page.js")]
)
def test_what_a_page_does_not_do_is_refused(world, method, path):
    async def tell(client):
        assert (await client.request(method, path)).status_code == 405

    world.story(tell)
