"""Every request has an id, in its answer and in all that is logged for it."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
import structlog
from structlog.testing import capture_logs

from evalhook.web.request_log import (
    MAX_METHOD,
    MAX_PATH,
    RequestLog,
    current_request_id,
    seconds_since_arrival,
)


class App:
    """Answers with a status, and remembers what it saw."""

    def __init__(self, status=200, error=None):
        self.status, self.error = status, error
        self.seen = []

    async def __call__(self, scope, _receive, send):
        self.seen.append((current_request_id(), scope))
        if self.error is not None:
            raise self.error
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})


def request(app, *, path="/jobs", method="GET", headers=(), kind="http"):
    """Send a request through the log; gives the messages that were sent and the lines that were logged."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": kind, "method": method, "path": path, "headers": list(headers)}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        asyncio.run(RequestLog(app, new_id=lambda: "made")(scope, receive, send))
    return sent, lines


def test_an_answer_bears_the_id_beside_its_own_headers():
    sent, _ = request(App())
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"made")]
    assert sent[1] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize("shown", [b"abc", b"A.b_c-1", b"x" * 64])
def test_a_callers_own_id_is_taken(shown):
    sent, lines = request(App(), headers=[(b"X-Request-ID", shown)])
    assert sent[0]["headers"][-1] == (b"x-request-id", shown)
    assert lines[0]["request_id"] == shown.decode()


@pytest.mark.parametrize(
    "shown", [b"", b"x" * 65, b"a b", b"a\nb", b"a\r\nSet-Cookie: x", b"\xff", b"<script>", b"a\n"]
)
def test_an_id_that_could_do_harm_is_replaced(shown):
    sent, _ = request(App(), headers=[(b"x-request-id", shown)])
    assert sent[0]["headers"][-1] == (b"x-request-id", b"made")


def test_of_several_ids_the_first_usable_one_is_taken():
    headers = [(b"x-request-id", b"a b"), (b"x-request-id", b"good"), (b"x-request-id", b"later")]
    assert request(App(), headers=headers)[0][0]["headers"][-1][1] == b"good"


def test_a_request_is_logged_with_how_it_ended():
    _, (line,) = request(App(status=404))
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/jobs", 404)
    assert (line["log_level"], line["request_id"]) == ("info", "made")
    assert line["duration_ms"] >= 0


def test_a_health_check_says_nothing_worth_reading():
    assert request(App(), path="/health")[1][0]["log_level"] == "debug"


def test_a_long_path_and_a_long_method_are_cut():
    _, (line,) = request(App(), path="/" + "x" * 5000, method="X" * 5000)
    assert len(line["path"]) == MAX_PATH
    assert len(line["method"]) == MAX_METHOD


def test_a_request_that_crashed_is_logged_without_a_status():
    app = App(error=RuntimeError("boom"))
    with capture_logs() as lines, pytest.raises(RuntimeError, match="boom"):
        asyncio.run(
            RequestLog(app)({"type": "http", "method": "GET", "path": "/", "headers": []}, None, None)
        )
    assert lines[0]["status"] is None


def test_a_request_that_the_stop_of_the_service_ends_is_answered_and_no_crash():
    sent, (line,) = request(App(error=asyncio.CancelledError()))
    assert sent[0]["status"] == line["status"] == 503
    assert json.loads(sent[1]["body"])["error"]["code"] == "not_ready"


def test_an_answer_that_has_begun_is_not_begun_again():
    async def half(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        request(half)


def test_what_is_no_request_passes_by():
    sent, lines = request(App(), kind="lifespan")
    assert lines == []
    assert sent[0]["headers"] == [(b"a", b"b")]


def test_the_id_is_known_while_the_request_is_served_and_no_longer():
    app = App()
    request(app)
    assert app.seen[0][0] == "made"
    assert current_request_id() == ""


def test_ids_that_are_made_differ():
    made = [RequestLog(App())._new_id() for _ in range(20)]
    assert len(set(made)) == 20
    assert all(len(one) == 16 and one.isalnum() for one in made)


def test_how_long_ago_a_request_arrived_is_known():
    app = App()
    request(app)
    assert seconds_since_arrival(app.seen[0][1]) >= 0
