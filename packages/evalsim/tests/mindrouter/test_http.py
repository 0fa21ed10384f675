"""The pieces of HTTP that the simulated gateway answers with."""

from __future__ import annotations

import asyncio

import pytest

from evalsim.mindrouter.http import Disconnected, Exchange, Response
from evalsim.serving import ConnectionCut


class Line:
    """One request as a server passes it on, and what was sent back."""

    def __init__(self, *messages, headers=()):
        self.messages, self.sent = list(messages), []
        scope = {"method": "POST", "path": "/x", "headers": list(headers)}
        self.exchange = Exchange(scope, self._receive, self._send)

    async def _receive(self):
        return self.messages.pop(0)

    async def _send(self, message):
        self.sent.append(message)

    def do(self, work):
        return asyncio.run(work(self.exchange))

    @property
    def headers(self):
        return self.sent[0]["headers"]


def part(data, *, more=False):
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_comes_in_parts():
    assert Line(part(b"a", more=True), part(b"b")).do(Exchange.body) == b"ab"


def test_a_client_that_goes_has_no_body():
    with pytest.raises(Disconnected):
        Line(part(b"a", more=True), {"type": "http.disconnect"}).do(Exchange.body)


def test_the_clients_going_is_waited_for():
    line = Line(part(b"a", more=True), part(b"b"), {"type": "http.disconnect"})
    line.do(Exchange.disconnection)
    assert line.messages == []


def test_a_request_id_is_echoed_or_made():
    assert Line(headers=[(b"x-request-id", b"abc")]).exchange.request_id == "abc"
    assert Line().exchange.request_id != Line().exchange.request_id


@pytest.mark.parametrize(
    ("response", "names"),
    [
        (Response(200, b"ab"), [b"content-length", b"content-type", b"x-request-id"]),
        (Response(403, b"", has_length=False), [b"content-type", b"x-request-id"]),
        (Response(500, b"x", has_request_id=False), [b"content-length", b"content-type"]),
        (
            Response(405, b"", headers=((b"allow", b"GET"),)),
            [b"content-length", b"content-type", b"allow", b"x-request-id"],
        ),
    ],
)
def test_a_whole_answer_has_the_headers_that_it_is_to_have(response, names):
    line = Line()
    line.do(lambda exchange: exchange.answer(response))
    assert [name for name, _ in line.headers] == names
    assert line.sent[0]["status"] == response.status
    assert line.sent[1] == {"type": "http.response.body", "body": response.body, "more_body": False}


def test_a_stream_has_two_request_ids():
    line = Line(headers=[(b"x-request-id", b"mine")])
    line.do(Exchange.start_stream)
    ids = [value for name, value in line.headers if name == b"x-request-id"]
    assert ids[0].startswith(b"chatcmpl-")
    assert ids[1] == b"mine"


def test_an_answer_may_be_cut_before_the_length_that_it_named():
    line = Line()
    with pytest.raises(ConnectionCut):
        line.do(lambda exchange: exchange.cut_after(Response(200, b"abcdef"), 3))
    assert dict(line.headers)[b"content-length"] == b"7"
    assert line.sent[1] == {"type": "http.response.body", "body": b"abc", "more_body": True}
