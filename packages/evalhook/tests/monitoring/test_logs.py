"""The log: JSON lines, a request's id on each and in the answer, no secrets, no forged lines."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from evalcore.clients.reply import CallError
from evalcore.secret import Scrubber, Secret
from evalhook.monitoring.logs import JobLogs, configure_logging

HUSH = "mr2_not-to-be-seen"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where the log goes; the configuration of before comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging(Scrubber([Secret(HUSH)]), stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail(text: str) -> None:
    raise RuntimeError(text)


def parsed(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_every_line_of_a_request_and_its_job_has_the_id_of_the_answer(world, lines: io.StringIO) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        answer = await client.post("/evaluate", json={"skill_name": "memo", "replicates": 1})
        asked.append(answer.headers["x-request-id"])
        await world.ended(client, answer.json()["job_id"])

    asked: list[str] = []
    world.story(tell)
    by_event = {line["event"]: line for line in parsed(lines) if line["event"] != "request"}
    assert {"job_started", "run_started", "run_finished", "job_ended"} <= by_event.keys()
    assert {line["request_id"] for line in by_event.values()} == set(asked)
    for line in parsed(lines):
        assert {"event", "level", "logger", "timestamp", "request_id"} <= line.keys()


@pytest.mark.parametrize("path", ["/health", "/nothing", "/jobs/x", "/jobs?limit=0"])
def test_every_answer_has_an_id_refusals_included(world, path: str) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = await client.get(path, headers=headers)
            assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])

    world.story(tell)


def test_a_callers_own_id_is_kept_unless_it_is_odd(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for shown, is_kept in (("run-42.1", True), ("a" * 65, False), ('x"}{', False), ("", False)):
            answer = await client.get("/jobs", headers={"X-Request-ID": shown})
            assert (answer.headers["x-request-id"] == shown) is is_kept

    world.story(tell)


@pytest.mark.parametrize("path", ["/evaluate", "/login"])
def test_a_client_that_goes_away_in_the_middle_is_no_crash(world, lines: io.StringIO, path: str) -> None:
    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(_message: object) -> None:
        pass

    async def tell(client: httpx.AsyncClient) -> None:
        headers = [(b"authorization", client.headers["authorization"].encode()), (b"host", b"hook")]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
            "raw_path": path.encode(), "query_string": b"", "scheme": "http", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("hook", 80),
        }  # fmt: skip
        await world.app(scope, receive, send)

    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    world.story(tell)
    assert "request_crashed" not in lines.getvalue()
    assert '"level": "error"' not in lines.getvalue()


def test_secrets_are_masked_in_fields_messages_and_tracebacks(lines: io.StringIO) -> None:
    log = structlog.stdlib.get_logger("test")
    log.info("said", key=HUSH, nested={"deep": [HUSH]})
    logging.getLogger("library").warning("a library says %s", HUSH)
    try:
        fail(HUSH)
    except RuntimeError:
        log.exception("crashed")
    assert HUSH not in lines.getvalue()
    assert lines.getvalue().count("[secret]") >= 4


def test_a_traceback_is_one_line_without_local_variables(lines: io.StringIO) -> None:
    password = "local-" + "variable"
    try:
        fail(str(len(password)))
    except RuntimeError:
        structlog.stdlib.get_logger("test").exception("crashed")
    (line,) = parsed(lines)
    assert "RuntimeError" in str(line["exception"])
    assert password not in lines.getvalue()


def test_a_hostile_text_cannot_forge_a_line(lines: io.StringIO) -> None:
    structlog.stdlib.get_logger("test").info("said", text='x\n{"event": "forged"}\u2028\x1b[31m')
    assert len(lines.getvalue().splitlines()) == 1
    assert len(parsed(lines)) == 1


def test_http_libraries_do_not_write_urls(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://host/?token=1")
    assert lines.getvalue() == ""


def test_a_jobs_lines_are_in_a_file_of_its_own_too(world, lines: io.StringIO) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        ids.extend([(await world.evaluated(client))["job_id"] for _ in range(2)])

    ids: list[str] = []
    folder = world.settings.jobs_dir
    configure_logging(Scrubber([Secret(HUSH)]), lines, JobLogs(folder))
    world.story(tell)
    for job_id in ids:
        kept = [json.loads(line) for line in (folder / job_id / "job.log").read_text().splitlines()]
        assert {line["job_id"] for line in kept} == {job_id}
        assert kept[0]["event"] == "job_started"
        assert kept == [line for line in parsed(lines) if line.get("job_id") == job_id]


def test_a_jobs_log_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    logs = JobLogs(tmp_path, max_bytes=100)
    job_id = "0" * 36
    for number in range(1000):
        logs.append(job_id, f"line {number}")
    newest = (tmp_path / job_id / "job.log").read_text().splitlines()
    older = (tmp_path / job_id / "job.log.1").read_text().splitlines()
    assert newest[-1] == "line 999"
    assert older + newest == [f"line {number}" for number in range(1000 - len(older + newest), 1000)]
    assert sum(path.stat().st_size for path in (tmp_path / job_id).iterdir()) <= 200


@pytest.mark.parametrize("job_id", ["../../etc/passwd", "", "x", "0" * 35 + "/"])
def test_an_odd_id_names_no_file(tmp_path: Path, job_id: str) -> None:
    JobLogs(tmp_path / "jobs").append(job_id, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_does_not_stop_the_log(tmp_path: Path) -> None:
    JobLogs(tmp_path / "nothing").append("0" * 36, "x")


def test_a_failed_call_is_logged_without_its_case(world, lines: io.StringIO) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        world.router.call_error = CallError("infrastructure", "http_500", "the case is patient-ozymandias")
        await world.evaluated(client)

    world.story(tell)
    failed = [line for line in parsed(lines) if line["event"] == "call_failed"]
    assert len(failed) == 8
    assert {line["code"] for line in failed} == {"http_500"}
    # A word, not a number: request ids are hexadecimal, and one in ten runs held any four digits.
    assert "ozymandias" not in lines.getvalue()
    assert "case" not in failed[0]
