"""Errors of the domain get their HTTP status in one place, in one envelope."""

from __future__ import annotations

import ast
import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest

import evalhook
from evalhook import errors, problems
from evalhook.errors import CurrentJob, Refusal

REFUSALS = [
    (errors.NotReady("x"), 503, "not_ready"),
    (errors.UnknownCommit("x"), 422, "unknown_commit"),
    (errors.UnknownModel("x"), 422, "unknown_model"),
    (errors.UnknownSkill("x"), 404, "unknown_skill"),
    (errors.UnusableComponent("x"), 422, "unusable_component"),
    (errors.UnknownJob("x"), 404, "unknown_job"),
    (errors.WrongState("x", "is running"), 409, "wrong_state"),
]


@pytest.mark.parametrize(("refusal", "status", "code"), REFUSALS)
def test_a_refusal_is_answered_with_its_code_and_message(refusal: Refusal, status: int, code: str) -> None:
    problem = problems.of_refusal(refusal)
    assert problem.status == status
    assert msgspec.json.decode(problem.encoded()) == {"error": {"code": code, "message": refusal.message}}


def test_busy_names_the_job_that_runs() -> None:
    problem = problems.of_refusal(errors.Busy(CurrentJob("id", "memo", "2026-01-01T00:00:00Z")))
    assert problem.status == 409
    assert msgspec.json.decode(problem.encoded()) == {
        "busy": True,
        "current_job": {"job_id": "id", "skill": "memo", "started_at": "2026-01-01T00:00:00Z"},
    }


def test_every_kind_of_refusal_has_a_status() -> None:
    made = {type(refusal) for refusal, *_ in REFUSALS} | {errors.Busy}
    assert set(Refusal.__subclasses__()) == made


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 418])
def test_the_frameworks_refusals_keep_their_status_and_only_the_allow_header(status: int) -> None:
    problem = problems.of_status(status, "no", {"Allow": "GET", "X-Other": "1"})
    assert (problem.status, problem.headers) == (status, {"Allow": "GET"})
    assert problem.code.isidentifier()


def test_a_problem_is_sent_as_one_whole_answer() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(problems.send_problem(send, problems.unauthorised()))
    start, body = sent
    headers = dict(start["headers"])
    assert (start["status"], headers[b"www-authenticate"]) == (401, b"Bearer")
    assert int(headers[b"content-length"]) == len(body["body"])
    assert body["more_body"] is False


def test_no_http_status_stands_outside_web_and_problems() -> None:
    """Statuses of other servers' answers are named by the library that asks them."""
    root = Path(evalhook.__file__).parent
    refusals = {status.value for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        if path.parent.name != "web" and path.name != "problems.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in refusals and type(node.value) is int
    ]
    assert found == []
