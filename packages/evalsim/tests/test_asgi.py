"""The pieces of ASGI that the simulated applications share."""

from __future__ import annotations

import asyncio

import pytest

from evalsim.asgi import BODY_LIMIT, Answer, header, json_answer, read_body, send_answer, serve_lifespan


def received(*messages):
    left = list(messages)

    async def receive():
        return left.pop(0)

    return receive


def body_of(*messages):
    return asyncio.run(read_body(received(*messages)))


def part(data, *, more=False):
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_is_put_together_from_its_parts():
    assert body_of(part(b"a", more=True), part(b"b", more=True), part(b"c")) == b"abc"
    assert body_of({"type": "http.request"}) == b""


def test_a_client_that_has_gone_sent_no_body():
    assert body_of(part(b"a", more=True), {"type": "http.disconnect"}) is None


def test_a_body_over_the_limit_is_not_read_on():
    assert body_of(part(b"x" * BODY_LIMIT)) == b"x" * BODY_LIMIT
    assert body_of(part(b"x" * BODY_LIMIT, more=True), part(b"x", more=True)) is None


@pytest.mark.parametrize(("name", "value"), [("X-Key", "v"), ("x-key", "v"), ("other", None)])
def test_a_header_is_found_whatever_its_case(name, value):
    assert header({"headers": [(b"x-key", b"v"), (b"x-key", b"later")]}, name) == value


def sent(answer):
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(send_answer(send, answer))
    return messages


def test_an_answer_is_sent_whole_with_its_length():
    start, body = sent(Answer(201, b"abc", (("X-A", "b"),)))
    assert (start["status"], start["headers"]) == (201, [(b"x-a", b"b"), (b"content-length", b"3")])
    assert body == {"type": "http.response.body", "body": b"abc"}
    assert sent(Answer(204))[0]["headers"] == [(b"content-length", b"0")]


def test_json_has_githubs_content_type():
    answer = json_answer(200, {"a": [1]}, (("Link", "x"),))
    assert answer.body == b'{"a":[1]}'
    assert answer.headers == (("Content-Type", "application/json; charset=utf-8"), ("Link", "x"))


def test_starting_and_stopping_takes_nothing():
    said = []

    async def send(message):
        said.append(message["type"])

    kinds = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    asyncio.run(serve_lifespan(received(*kinds), send))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
