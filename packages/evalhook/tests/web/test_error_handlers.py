"""What is raised while a request is served becomes an answer of one form, with secrets masked."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from litestar import Litestar, get, post
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotAuthorizedException,
    ValidationException,
)

from evalcore.secret import MASK, Scrubber, Secret
from evalhook import errors, problems
from evalhook.errors import CurrentJob
from evalhook.problems import Problem
from evalhook.web.error_handlers import error_handlers
from evalhook.web.request_log import RequestLog

SECRET = "ghp_canary_0123456789"


def answer_to(error, method="GET", path="/"):
    """Ask an application whose only handler raises the error."""

    @get("/")
    async def raising() -> None:
        raise error

    @post("/other")
    async def other() -> None:
        return None

    app = Litestar(
        [raising, other],
        exception_handlers=error_handlers(Scrubber([Secret(SECRET)])),
        openapi_config=None,
        logging_config=None,
    )

    async def ask():
        transport = httpx.ASGITransport(RequestLog(app, new_id=lambda: "made"))
        async with httpx.AsyncClient(transport=transport, base_url="http://hook") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


def error_of(answer):
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["error"]


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (errors.NotReady("the clone cannot be used"), 503, "not_ready"),
        (errors.UnknownCommit("there is no such commit"), 422, "unknown_commit"),
        (errors.UnknownSkill("there is no such component"), 404, "unknown_skill"),
        (errors.UnusableComponent("the prompt is empty"), 422, "unusable_component"),
        (errors.UnknownJob("x"), 404, "unknown_job"),
        (errors.WrongState("x", "has ended"), 409, "wrong_state"),
    ],
)
def test_a_refusal_of_the_domain_has_its_status_and_code(refusal, status, code):
    answer = answer_to(refusal)
    assert answer.status_code == status
    assert error_of(answer) == {"code": code, "message": refusal.message}


def test_a_busy_service_says_who_holds_the_slot():
    answer = answer_to(errors.Busy(CurrentJob("job-1", "memo", "2026-01-05T09:00:00.000Z")))
    assert answer.status_code == 409
    assert answer.json() == {
        "busy": True,
        "current_job": {"job_id": "job-1", "skill": "memo", "started_at": "2026-01-05T09:00:00.000Z"},
    }


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (problems.invalid_request("the body is no JSON"), 400, "invalid_request"),
        (problems.too_large(4096), 413, "too_large"),
        (problems.too_slow(10), 408, "request_timeout"),
        (problems.unsupported_media_type(), 415, "unsupported_media_type"),
        (problems.forbidden(), 403, "forbidden"),
    ],
)
def test_a_problem_is_answered_as_it_is(problem, status, code):
    answer = answer_to(problem)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


def test_the_headers_of_a_problem_are_sent():
    assert answer_to(problems.unauthorised()).headers["www-authenticate"] == "Bearer"


def test_secrets_in_a_message_are_masked():
    answer = answer_to(Problem(400, "invalid_request", f"git said {SECRET}"))
    assert SECRET not in answer.text
    assert MASK in error_of(answer)["message"]


def test_a_message_is_one_bounded_line():
    message = error_of(answer_to(errors.NotReady("a\nb\x1b[31m" + "c" * 5000)))["message"]
    assert message.startswith("a b")
    assert message.isprintable()
    assert len(message) == errors.MAX_MESSAGE


def test_a_crash_is_told_by_the_requests_id_and_nothing_else(capsys):
    answer = answer_to(RuntimeError(f"broken {SECRET}"))
    assert answer.status_code == 500
    assert error_of(answer) == {
        "code": "internal",
        "message": "an error of the service itself; its log has it under request made",
    }
    capsys.readouterr()


@pytest.mark.parametrize(
    "error", [InternalServerException(detail=SECRET), HTTPException(status_code=503, detail=SECRET)]
)
def test_a_failure_of_the_framework_is_a_crash(error, capsys):
    answer = answer_to(error)
    assert answer.status_code == 500
    assert SECRET not in answer.text
    capsys.readouterr()


def test_a_path_that_is_not_there_is_told_with_where_to_look():
    answer = answer_to(None, path="/nowhere")
    assert answer.status_code == 404
    assert error_of(answer) == {
        "code": "not_found",
        "message": "there is nothing at this path; see /schema/openapi.json",
    }


def test_a_method_that_is_not_allowed_is_told_with_those_that_are():
    answer = answer_to(None, method="GET", path="/other")
    assert answer.status_code == 405
    assert error_of(answer)["code"] == "method_not_allowed"
    assert "POST" in answer.headers["allow"]


def test_each_part_of_a_request_that_is_wrong_is_named():
    error = ValidationException(
        detail="x", extra=[{"key": "limit", "message": "too large"}, {"key": "a", "message": "b"}]
    )
    answer = answer_to(error)
    assert answer.status_code == 400
    assert error_of(answer) == {"code": "invalid_request", "message": "limit: too large; a: b"}


def test_without_parts_the_frameworks_words_are_used():
    assert error_of(answer_to(ValidationException(detail="odd")))["message"] == "odd"


def test_headers_of_the_framework_are_not_passed_on():
    answer = answer_to(NotAuthorizedException(headers={"X-Secret": "1", "Allow": "GET"}))
    assert "x-secret" not in answer.headers
    assert answer_to(MethodNotAllowedException(headers={"Allow": "GET"})).headers["allow"] == "GET"


def test_every_answer_is_json_that_ends():
    for error in (RuntimeError("x"), errors.NotReady("x"), ValidationException(), problems.forbidden()):
        assert json.loads(answer_to(error).text)
