"""The service as its callers see it, over real HTTP: what is sent where, and what any answer means."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from evalcli.workflows import service as module
from evalcli.workflows.service import (
    JobState,
    ServiceBusy,
    ServiceClient,
    ServiceRefused,
    ServiceRequest,
    ServiceUnreachable,
    service_from,
    service_url,
)
from evalcore.errors import ConfigurationError, EvaluatorError
from evalsim.asgi import Answer

JOB_ID = "0199f3a0-0000-7000-8000-000000000001"
COMMIT = "a" * 40
TOKEN = "t0ken-canary-" + "x" * 32


@pytest.fixture
def client(service) -> ServiceClient:
    return ServiceClient(service.url, lambda: TOKEN)


def raised(client: ServiceClient, kind: type[EvaluatorError] = EvaluatorError) -> EvaluatorError:
    with pytest.raises(kind) as caught:
        client.evaluate(ServiceRequest("memo"))
    assert "\n" not in caught.value.line
    assert TOKEN not in caught.value.line
    return caught.value


# what is asked


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (ServiceRequest("memo"), {"skill_name": "memo", "replicates": 10}),
        (ServiceRequest("memo", 3, COMMIT), {"skill_name": "memo", "replicates": 3, "git_sha": COMMIT}),
        (ServiceRequest("memo", git_sha=""), {"skill_name": "memo", "replicates": 10}),
        (
            ServiceRequest("memo", models=("a", "b")),
            {"skill_name": "memo", "replicates": 10, "models": ["a", "b"]},
        ),
    ],
)
def test_what_is_not_said_is_left_to_the_service(request_: ServiceRequest, body: dict[str, Any]) -> None:
    assert request_.body == body


def test_a_request_goes_with_its_token_and_the_accepted_job_comes_back(service, client) -> None:
    service.accepts()
    started = client.evaluate(ServiceRequest("memo", 10))
    assert (started.job_id, started.calls, started.prompt_commit) == (JOB_ID, 120, COMMIT)
    assert service.requests == [
        ("POST", "/evaluate", {"skill_name": "memo", "replicates": 10}, f"Bearer {TOKEN}")
    ]


def test_the_token_is_asked_for_anew_with_each_request(service) -> None:
    service.accepts()
    tokens = iter(["first", "second"])
    client = ServiceClient(service.url, lambda: next(tokens))
    for _ in range(2):
        client.evaluate(ServiceRequest("memo"))
    assert [authorization for *_, authorization in service.requests] == ["Bearer first", "Bearer second"]


def test_a_job_and_the_list_of_jobs_are_read(service, client, make_job) -> None:
    service.says(f"/jobs/{JOB_ID}", (200, make_job("running", progress={"done": 3, "total": 9, "errors": 1})))
    service.says("/jobs", (200, {"jobs": [make_job("completed"), make_job("failed")]}))
    found = client.job(JOB_ID)
    assert (found.status, found.progress.done, found.progress.total) == ("running", 3, 9)
    assert [one.status for one in client.jobs(2)] == ["completed", "failed"]


@pytest.mark.parametrize(
    ("status", "has_ended"),
    [("queued", False), ("running", False), ("completed", True), ("failed", True), ("cancelled", True)],
)
def test_a_job_that_neither_waits_nor_runs_has_ended(status: str, *, has_ended: bool) -> None:
    assert JobState(JOB_ID, "memo", status).has_ended is has_ended


def test_a_field_that_a_later_service_has_is_passed_over(service, client, make_job) -> None:
    service.says(f"/jobs/{JOB_ID}", (200, make_job("running", of_tomorrow={"x": 1})))
    assert client.job(JOB_ID).status == "running"


# what it refuses


def test_a_refusal_is_in_the_services_words(service, client) -> None:
    error = {"code": "unknown_component", "message": "there is no component `memo`"}
    service.says("/evaluate", (404, {"error": error}))
    refused = raised(client, ServiceRefused)
    assert "answers 404: unknown_component: there is no component `memo`" in refused.line
    assert not refused.retryable


def test_a_busy_service_names_the_job_that_it_is_at(service, client) -> None:
    current = {"job_id": JOB_ID, "skill": "other", "started_at": "2026-01-05T09:00:00Z"}
    service.says("/evaluate", (409, {"busy": True, "current_job": current}))
    busy = raised(client, ServiceBusy)
    assert f"job {JOB_ID} has been evaluating other since 2026-01-05T09:00:00Z" in busy.line


def test_an_error_of_the_services_own_is_a_refusal_and_a_proxys_is_none(service, client) -> None:
    service.says("/evaluate", (503, {"error": {"code": "not_ready", "message": "starting"}}))
    assert not raised(client, ServiceRefused).retryable
    service.says("/evaluate", (502, b"<html>Bad gateway</html>"))
    assert raised(client, ServiceUnreachable).retryable


def test_a_redirect_is_not_followed_with_the_token(service, client) -> None:
    service.said["/evaluate"] = [Answer(302, b"elsewhere", (("Location", f"{service.url}/elsewhere"),))]
    raised(client, ServiceRefused)
    assert len(service.requests) == 1


def test_a_status_that_was_not_expected_is_no_success(service, client) -> None:
    service.says("/evaluate", (200, {"job_id": JOB_ID, "status_url": "/"}))
    raised(client, ServiceRefused)


def test_words_without_end_are_cut(service, client) -> None:
    service.says("/evaluate", (400, {"error": {"code": "x", "message": "y" * 10_000}}))
    assert len(raised(client, ServiceRefused).line) < 1000


HOSTILE = [
    b"",
    b"{",
    b"[]",
    b"7",
    b"<html>",
    b"\xff\xfe",
    b'{"job_id": "\xff"}',
    b'{"job_id": 7}',
    b'{"x": ' + b"[" * 100_000,
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"error": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"error": {"code": "a\\u0000\\u001b[2J", "message": "b\\nc"}}',
    b'{"busy": true, "current_job": null}',
]


@pytest.mark.parametrize("status", [200, 202, 400, 404, 409, 500])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_answered_is_one_line(service, client, status: int, body: bytes) -> None:
    service.says("/evaluate", (status, body))
    raised(client)


def test_an_answer_without_end_is_read_up_to_a_bound(service, client, monkeypatch) -> None:
    monkeypatch.setattr(module, "LONGEST_ANSWER", 1000)
    service.says("/evaluate", (202, b'{"job_id": "' + b"x" * 100_000 + b'", "status_url": "/"}'))
    raised(client, ServiceUnreachable)


def test_a_service_that_is_not_there_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = raised(ServiceClient(url, lambda: TOKEN), ServiceUnreachable)
    assert (error.retryable, "ConnectError" in error.line) == (True, True)


# where the token may go


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://eval.example", "https://eval.example"),
        ("  https://eval.example/ \n", "https://eval.example"),
        ("https://eval.example/evaluate", "https://eval.example"),
        ("https://eval.example/evaluate/", "https://eval.example"),
        ("https://eval.example:8443/sub", "https://eval.example:8443/sub"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_services_root_is_read_from_what_people_write(text: str, url: str) -> None:
    assert service_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "eval.example",
        "http://eval.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "ftp://eval.example",
        "file:///etc/passwd",
        "https://[::1",
        "//eval.example",
        "https://",
        "https:///evaluate",
    ],
)
def test_what_a_token_must_not_be_sent_to_is_refused_by_the_settings_name(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        service_url(text)
    assert caught.value.where == "EVAL_WEBHOOK_URL"


@pytest.mark.parametrize("text", ["https://user:secret@eval.example", "https://secret@eval.example/evaluate"])
def test_a_user_in_the_address_is_refused_since_it_would_take_the_tokens_place(text: str) -> None:
    """And every error would show it."""
    with pytest.raises(ConfigurationError) as caught:
        service_url(text)
    assert "secret" not in caught.value.line


# which token


def test_the_shared_token_is_taken_without_its_line_ends(service) -> None:
    service.accepts()
    environ = {
        "EVAL_WEBHOOK_URL": service.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN": f"{TOKEN[:9]}\n{TOKEN[9:]}\n",
    }
    service_from(environ).evaluate(ServiceRequest("memo"))
    assert service.requests[0][3] == f"Bearer {TOKEN}"


def test_the_shared_token_may_stand_in_a_file(service, tmp_path) -> None:
    service.accepts()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environ = {
        "EVAL_WEBHOOK_URL": service.url,
        "MINDROUTER_EVAL_WEBHOOK_TOKEN_FILE": str(tmp_path / "token"),
    }
    service_from(environ).evaluate(ServiceRequest("memo"))
    assert service.requests[0][3] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("value", ["schlüssel", "a\x00b", "a\x1bb"])
def test_what_no_header_can_hold_is_no_token_and_is_not_shown(value: str) -> None:
    environ = {"EVAL_WEBHOOK_URL": "https://eval.example", "MINDROUTER_EVAL_WEBHOOK_TOKEN": value}
    with pytest.raises(ConfigurationError, match="is no token") as caught:
        service_from(environ)
    assert value not in caught.value.line


def test_githubs_own_token_is_asked_for_the_service_and_with_githubs_words(service) -> None:
    service.accepts()
    service.says("/token", (200, {"value": "of-this-job"}))
    environ = {
        "EVAL_WEBHOOK_URL": service.url,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{service.url}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
    }
    service_from(environ).evaluate(ServiceRequest("memo"))
    (asked, evaluated) = service.requests
    assert (asked[0], asked[1], asked[3]) == ("GET", "/token", "bearer runner")
    assert evaluated[3] == "Bearer of-this-job"


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b"no"), (200, b"no"), (200, b'{"value": 7}'), (200, b"\xff"), (200, b'{"x": ' + b"[" * 100_000)],
)
def test_without_a_token_of_githubs_nothing_is_asked_of_the_service(
    service, status: int, body: bytes
) -> None:
    service.says("/token", (status, body))
    environ = {
        "EVAL_WEBHOOK_URL": service.url,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{service.url}/token",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
    }
    with pytest.raises(ServiceRefused, match="GitHub gave no token"):
        service_from(environ).evaluate(ServiceRequest("memo"))
    assert [path for _, path, *_ in service.requests] == ["/token"]


def test_without_any_token_it_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        service_from({"EVAL_WEBHOOK_URL": "https://eval.example"})
    assert "id-token: write" in caught.value.hint
