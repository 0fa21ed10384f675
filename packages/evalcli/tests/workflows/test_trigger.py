"""`evalcli trigger`: the request, the identity it is made with, and how its end is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from evalcli.workflows.service import LONGEST_ANSWER
from evalsim.oidc import SigningKey, SimulatedIssuer
from evalsim.oidc.app import REQUEST_TOKEN
from evalsim.serving import running

TOKEN = "t0ken-" + "x" * 32
JOB_ID = "0199f3a0-0000-7000-8000-000000000001"


@pytest.fixture
def trigger(evalcli: Callable[..., Any], service: Any) -> Callable[..., Any]:
    def run(*arguments: str, **environment: str | None) -> Any:
        given = {"EVAL_WEBHOOK_URL": service.url, "MINDROUTER_EVAL_WEBHOOK_TOKEN": TOKEN, "GITHUB_SHA": None}
        return evalcli("trigger", *arguments, **{**given, **environment})

    return run


def test_the_request_is_what_the_options_say(service: Any, trigger: Callable[..., Any]) -> None:
    service.accepts()
    ended = trigger(
        "components/memo/", "--replicates", "3", "--git-sha", "b" * 12, "--model", "m/1", "--model", "2"
    )
    assert (ended.code, ended.out) == (0, f"{service.url}/jobs/{JOB_ID}\n")
    ((method, path, body, authorization),) = service.requests
    assert (method, path, authorization) == ("POST", "/evaluate", f"Bearer {TOKEN}")
    assert body == {"skill_name": "memo", "replicates": 3, "git_sha": "b" * 12, "models": ["m/1", "2"]}
    assert "120 calls" in ended.err


def test_in_actions_the_triggering_commit_is_sent(service: Any, trigger: Callable[..., Any]) -> None:
    service.accepts()
    trigger("memo", GITHUB_SHA="c" * 40, EVAL_WEBHOOK_URL=f"{service.url}/evaluate/")
    trigger("memo")
    bodies = [body for _, _, body, _ in service.requests]
    assert bodies == [
        {"skill_name": "memo", "replicates": 10, "git_sha": "c" * 40},
        {"skill_name": "memo", "replicates": 10},
    ]


def test_without_the_shared_token_githubs_own_is_shown_anew_each_time(
    service: Any, trigger: Callable[..., Any], make_job: Any
) -> None:
    service.accepts()
    service.says(f"/jobs/{JOB_ID}", (200, make_job("running")), (200, make_job("completed")))
    issuer = SimulatedIssuer(SigningKey("first"), repository="org/library")
    with running(issuer) as url:
        issuer.url = url
        request = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/token?api-version=2.0"}
        runner = {**request, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN}
        assert trigger("memo", "--wait", MINDROUTER_EVAL_WEBHOOK_TOKEN=None, **runner).code == 0
        wrong = {**request, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong"}
        refused = trigger("memo", MINDROUTER_EVAL_WEBHOOK_TOKEN=None, **wrong)
    assert (refused.code, "GitHub gave no token" in refused.err) == (1, True)
    assert len(service.requests) == 3
    for _, _, _, authorization in service.requests:
        claims = jwt.decode(authorization.removeprefix("Bearer "), options={"verify_signature": False})
        assert (claims["aud"], claims["repository"]) == (service.url, "org/library")
    assert issuer.asked.count("/token") == 4


def test_waiting_ends_with_the_pull_request(service: Any, trigger: Callable[..., Any], make_job: Any) -> None:
    service.accepts()
    models = [{"model": "m", "status": "complete", "accuracy": 1, "reproducibility": 1, "reason": None}]
    result = {"pull_request_url": "https://github.test/pull/7", "branch": "b", "models": models}
    service.says(
        f"/jobs/{JOB_ID}",
        (200, make_job("running", progress={"done": 1, "total": 120, "errors": 0})),
        (503, b"<html>restarting</html>"),
        (200, make_job("running", progress={"done": 61, "total": 120, "errors": 0})),
        (200, make_job("running", progress={"done": 62, "total": 120, "errors": 0})),
        (200, make_job("completed", result=result)),
    )
    ended = trigger("memo", "--wait")
    assert (ended.code, ended.out) == (0, "https://github.test/pull/7\n")
    told = [line.partition(": ")[2] for line in ended.err.splitlines()]
    assert told[1:] == ["running, 0 % of 120 calls", "running, 50 % of 120 calls", "complete"]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_that_does_not_complete_is_1(
    service: Any, trigger: Callable[..., Any], make_job: Any, status: str
) -> None:
    service.accepts()
    error = {"code": "no_model_served", "message": "none\n::error::x"} if status == "failed" else None
    service.says(f"/jobs/{JOB_ID}", (200, make_job(status, error=error)))
    ended = trigger("memo", "--wait")
    assert (ended.code, ended.out) == (1, "")
    assert f"{JOB_ID} {status}" in ended.err
    assert not any(line.startswith("::") for line in ended.err.splitlines())


BUSY = {
    "busy": True,
    "current_job": {"job_id": "j-1", "skill": "other", "started_at": "2026-01-01T00:00:00Z"},
}
REFUSALS = [
    (409, BUSY, "is busy: job j-1 has been evaluating other since 2026-01-01T00:00:00Z"),
    (
        401,
        {"error": {"code": "unauthorized", "message": "no valid token"}},
        "401: unauthorized: no valid token",
    ),
    (404, {"error": {"code": "unknown_skill", "message": "no memo"}}, "unknown_skill: no memo"),
    (502, b"<html>Bad gateway</html>", "502: <html>Bad gateway</html>"),
    (500, b"", "(no words)"),
    (302, b"elsewhere", "302: elsewhere"),
    (202, b"no json", "answers 202 with what no service says"),
    (202, b"[" * 100_000, "answers 202 with what no service says"),
    (400, b"x" * (LONGEST_ANSWER + 1), "400: xxx"),
    (400, f"Authorization: Bearer {TOKEN}".encode(), "400: Authorization: Bearer [token]"),
]


@pytest.mark.parametrize(("status", "body", "words"), REFUSALS)
def test_a_refusal_is_1_with_the_services_words_on_one_line(
    service: Any, trigger: Callable[..., Any], status: int, body: object, words: str
) -> None:
    service.says("/evaluate", (status, body))
    ended = trigger("memo")
    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert len(ended.err) < 1000
    assert TOKEN not in ended.err


def test_a_service_that_is_not_there_is_1_and_one_that_goes_away_ends_the_waiting(
    service: Any, trigger: Callable[..., Any]
) -> None:
    assert trigger("memo", EVAL_WEBHOOK_URL="http://127.0.0.1:1").code == 1
    service.accepts()
    service.says(f"/jobs/{JOB_ID}", (502, b"gone"))
    ended = trigger("memo", "--wait")
    assert (ended.code, "502: gone" in ended.err) == (1, True)
    assert len(service.requests) == 32


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"EVAL_WEBHOOK_URL": None}, "EVAL_WEBHOOK_URL: is not set"),
        ({"EVAL_WEBHOOK_URL": "http://eval.example.edu"}, "does not begin with https://"),
        ({"EVAL_WEBHOOK_URL": "eval.example.edu"}, "does not begin with https://"),
        ({"EVAL_WEBHOOK_URL": "https://[x"}, "EVAL_WEBHOOK_URL: is no address"),
        ({"MINDROUTER_EVAL_WEBHOOK_TOKEN": "naïve"}, "MINDROUTER_EVAL_WEBHOOK_TOKEN: is no token"),
        ({"MINDROUTER_EVAL_WEBHOOK_TOKEN": None}, "MINDROUTER_EVAL_WEBHOOK_TOKEN: is not set"),
        (
            {"MINDROUTER_EVAL_WEBHOOK_TOKEN": None, "MINDROUTER_EVAL_WEBHOOK_TOKEN_FILE": "/none"},
            "_FILE: cannot be",
        ),
    ],
)
def test_what_is_not_set_is_2(trigger: Callable[..., Any], environment: dict[str, str], words: str) -> None:
    ended = trigger("memo", **{"ACTIONS_ID_TOKEN_REQUEST_URL": None, **environment})
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert trigger("memo", "--replicates", "101").code == 2
    assert trigger().code == 2
