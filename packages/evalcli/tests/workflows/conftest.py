"""A service that answers what a test says, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from evalcli.workflows import waiting
from evalsim.asgi import (
    Answer,
    Receive,
    Scope,
    Send,
    header,
    json_answer,
    read_body,
    send_answer,
    serve_lifespan,
)
from evalsim.serving import running

TOKEN = "t0ken-" + "x" * 32
JOB_ID = "0199f3a0-0000-7000-8000-000000000001"
COMMIT = "a" * 40


class SaidService:
    """Answers each call with the next thing that is said for its path; the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, Any, str]] = []
        self.said: dict[str, list[Answer]] = {}

    def says(self, path: str, *answers: tuple[int, object]) -> None:
        self.said[path] = [
            Answer(status, body) if isinstance(body, bytes) else json_answer(status, body)
            for status, body in answers
        ]

    def accepts(self) -> None:
        accepted = {"job_id": JOB_ID, "status": "running", "skill_name": "memo", "replicates": 10,
                    "prompt_commit": COMMIT, "calls": 120, "status_url": f"/jobs/{JOB_ID}"}  # fmt: skip
        self.says("/evaluate", (202, accepted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        body = await read_body(receive) or b""
        path = scope["path"]
        self.requests.append(
            (scope["method"], path, json.loads(body) if body else None, header(scope, "authorization") or "")
        )
        answers = self.said.get(path, [json_answer(404, {"error": {"code": "not_found", "message": path}})])
        await send_answer(send, answers.pop(0) if len(answers) > 1 else answers[0])


def job(status: str, **fields: Any) -> dict[str, Any]:
    """A job as the service shows it."""
    return {
        "job_id": JOB_ID, "skill_name": "memo", "replicates": 10, "git_sha": None, "prompt_commit": COMMIT,
        "dataset_commit": None, "status": status, "created_at": "2026-01-05T09:00:00.000Z",
        "started_at": None, "finished_at": None,
        "progress": {"done": 0, "total": 0, "errors": 0}, "result": None, "error": None,
    } | fields  # fmt: skip


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[SaidService]:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    said = SaidService()
    with running(said) as url:
        said.url = url
        yield said


@pytest.fixture
def make_job() -> Any:
    return job
