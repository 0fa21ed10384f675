"""The pages: who may see them, what a browser is told to allow, what hostile text becomes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalhook.jobs import JobError, JobResult, ModelRow, Progress
from evalhook.monitoring.live import JobProgress, ModelProgress, Wait
from evalhook.web import pages
from evalhook.web.pages import TEMPLATES, RunningJob, View
from evalhook.web.schemas import JobView


def test_what_a_job_came_to_stands_beside_its_pull_request() -> None:
    said = "<b>x</b> & beta are level"
    view = View("1", "2026-01-01T00:00:00Z", None, (job_view("x", "https://a.example/pull/7"),), 0)
    job_id = view.jobs[0].job_id
    shown = pages.status_page(msgspec.structs.replace(view, sentences={job_id: said}))
    assert "&lt;b&gt;x&lt;/b&gt; &amp; beta are level <a href=" in shown


def stranger(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same service, asked by a browser that has no bearer token."""
    return httpx.AsyncClient(transport=client._transport, base_url="https://127.0.0.1")


async def signed_in(browser: httpx.AsyncClient, token: str) -> httpx.Response:
    return await browser.post("/login", data={"token": token})


def test_a_stranger_sees_the_form_and_nothing_else(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        async with stranger(client) as browser:
            answer = await browser.get("/")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert 'type="password"' in answer.text
            assert "0.1.0" not in answer.text
            for path in ("/jobs", "/jobs/x", "/jobs/x/events", "/metrics", "/nothing"):
                assert (await browser.get(path)).status_code == 401
            assert (await browser.post("/evaluate", json={"skill_name": "memo"})).status_code == 401

    world.story(tell)


def test_the_token_opens_a_session_that_reads_alone(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        job = await world.evaluated(client)
        async with stranger(client) as browser:
            answer = await signed_in(browser, world.token)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            shown = await browser.get("/")
            assert shown.status_code == 200
            assert "memo" in shown.text
            assert world.token not in shown.text
            assert (await browser.get("/jobs")).json()["jobs"] == [job]
            assert (await browser.get(f"/jobs/{job['job_id']}/events")).status_code == 200
            assert (await browser.post("/evaluate", json={"skill_name": "memo"})).status_code == 401
            assert (await browser.get("/metrics")).status_code == 401
            await browser.post("/logout")
            assert (await browser.get("/")).status_code == 401

    world.story(tell)


def test_a_session_ends_when_the_tokens_change(world, tmp_path: Path) -> None:
    file = tmp_path / "next"
    world.changes = {"MINDROUTER_EVAL_WEBHOOK_TOKEN_NEXT_FILE": str(file)}

    async def tell(client: httpx.AsyncClient) -> None:
        async with stranger(client) as browser:
            await signed_in(browser, world.token)
            assert (await browser.get("/")).status_code == 200
            file.write_text("n" * 40)
            assert (await browser.get("/")).status_code == 401

    world.story(tell)


def test_a_wrong_token_opens_nothing_and_is_said_so(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        async with stranger(client) as browser:
            for wrong in ("", "wrong", "é", world.token[:-1]):
                answer = await signed_in(browser, wrong)
                assert answer.status_code == 401
                assert "That is not the token" in answer.text
                assert not browser.cookies
            browser.cookies.set("evalhook", "made-up", domain="127.0.0.1")
            assert (await browser.get("/")).status_code == 401

    world.story(tell)


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_forms_of_other_sites_are_refused(world, path: str, headers: dict[str, str]) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        async with stranger(client) as browser:
            answer = await browser.post(path, data={"token": world.token}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
            assert "set-cookie" not in answer.headers

    world.story(tell)


@pytest.mark.parametrize("base", ["http://127.0.0.1", "http://localhost:8080", "https://hook"])
def test_the_cookie_is_for_this_site_and_encrypted_ways_alone(world, base: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(transport=client._transport, base_url=base) as browser:
            answer = await browser.post("/login", data={"token": world.token})
            cookie = answer.headers["set-cookie"]
            assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
            assert cookie.startswith("__Host-")
            assert "Domain" not in cookie

    world.story(tell)


def test_a_browser_may_run_nothing_but_our_own_script(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for answer in (
            await client.get("/"),
            await client.get("/static/page.js"),
            await client.get("/login"),
        ):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
        shown = (await client.get("/")).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", shown)
        assert re.findall(r"<script[^>]*>", shown) == ['<script src="/static/page.js" defer>']

    world.story(tell)


@pytest.mark.parametrize("name", ["page.js", "base.css", "page.css", "icon.svg"])
def test_script_style_and_icon_need_no_token(world, name: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        async with stranger(client) as browser:
            answer = await browser.get(f"/static/{name}")
            assert answer.status_code == 200
            assert answer.headers["content-type"].count("charset") <= 1
            for odd in ("nothing", "..%2fauth.py", "%2e%2e/auth.py"):
                assert (await browser.get(f"/static/{odd}")).status_code in {401, 404}

    world.story(tell)


def test_the_running_job_is_readable_without_a_script(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.gate = asyncio.Event()
        accepted = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 2})
        await world.router.asked.wait()
        shown = (await client.get("/")).text
        assert '<noscript><meta http-equiv="refresh"' in shown
        for text in ("memo", "0 of 8", "alpha", "beta", "In flight"):
            assert text in shown
        world.router.gate.set()
        await world.ended(client, accepted.json()["job_id"])
        assert "Nothing is running" in (await client.get("/")).text

    world.story(tell)


def job_view(text: str, url: str | None = None) -> JobView:
    return JobView(
        job_id=text,
        skill_name=text,
        replicates=1,
        git_sha=None,
        prompt_commit=text,
        dataset_commit=None,
        status="failed",
        created_at="2026-01-01T00:00:00.000Z",
        started_at="2026-01-01T00:00:00.000Z",
        finished_at="2026-01-01T01:00:05.000Z",
        progress=Progress(),
        result=JobResult(url, text, (ModelRow(text, "complete", 0.5, None, text),)),
        error=JobError(text, text) if url is None else None,
    )


@given(st.text())
def test_foreign_text_is_never_markup(text: str) -> None:
    running = RunningJob(
        job_view(text),
        JobProgress(text, "calling", 1, 2, 0, 0, None, None, (Wait(text, 1, 40),)),
        (ModelProgress(text, "calling", 1, 2, 0, 0, text),),
    )

    def shape(page_text: str) -> list[str]:
        return re.findall(r"</?[a-z0-9]+", page_text)

    def shown(job: RunningJob) -> str:
        return pages.status_page(View("1", "2026-01-01T00:00:00Z", job, (job.job,), 0))

    plain = RunningJob(
        job_view("x"),
        JobProgress("x", "calling", 1, 2, 0, 0, None, None, (Wait("x", 1, 40),)),
        (ModelProgress("x", "calling", 1, 2, 0, 0, "x"),),
    )
    assert shape(shown(running)) == shape(shown(plain))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/x"])
def test_an_odd_address_is_no_link(url: str) -> None:
    shown = pages.status_page(View("1", "2026-01-01T00:00:00Z", None, (job_view("x", url),), 0))
    assert "<a " not in shown


def test_attributes_cannot_be_broken_out_of() -> None:
    template = TEMPLATES.from_string('<p title="{{ text }}">{{ text }}</p>')
    shown = template.render(text='" onload="x')
    assert shown.startswith('<p title="&#34; onload=&#34;x">')
    assert template.render(text="a\u202eb\x00c") == '<p title="a b c">a b c</p>'


def test_no_template_marks_a_text_as_safe() -> None:
    loader = TEMPLATES.loader
    assert loader is not None
    names = loader.list_templates()
    assert {"status.html", "login.html"} <= set(names)
    for name in names:
        source = loader.get_source(TEMPLATES, name)[0]
        assert not re.search(r"\|\s*safe|autoescape|Markup", source), name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "\u2013"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (9000.4, "2 h 30 min"),
    ],
)
def test_durations_read_well(seconds: float | None, words: str) -> None:
    assert pages.duration(seconds) == words
