"""A dialect needs only what its servers have: one without streams, seeds, version and queue is called too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime

import httpx
import pytest

from evalcore.clients.dialect import Dialect, Request
from evalcore.clients.failures import Failure, by_status, wait_as_asked
from evalcore.clients.http import open_http_client
from evalcore.clients.interface import Call, Served, ServedModel
from evalcore.clients.reply import Answer, Reply
from evalcore.library.models import Model, Provider

CALL = Call(
    case="a",
    replicate=3,
    model=Model(id="m", provider="p", params={"seed": 7}, stream=True),
    system="s",
    user="u",
    schema=None,
)


class Plain(Dialect):
    """What is abstract in Dialect, and nothing else."""

    models_path = "/models"

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {"X-Key": api_key or ""}

    def request(self, call: Call) -> Request:
        return Request(path="/ask", body=json.dumps({"ask": call.user, "stream": call.model.stream}).encode())

    def read_answer(self, body: bytes) -> Answer | Failure:
        return Answer(text=body.decode(), finish_reason="length", usage=None)

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        return wait_as_asked(by_status(status, body.decode()), headers, now)

    def read_served(self, models: bytes, version: bytes | None) -> Served:
        assert version is None
        return Served(version=None, models={name: ServedModel(id=name) for name in models.decode().split()})


class PlainServer:
    """A server of that dialect: it answers with the request's body, after the refusals it is given."""

    def __init__(self, refusals: list[httpx.Response] | None = None) -> None:
        self.refusals = refusals or []
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if request.url.path == "/models":
            return httpx.Response(200, content=b"m n")
        return self.refusals.pop(0) if self.refusals else httpx.Response(200, content=request.content)


def asked(server: PlainServer) -> tuple[Reply, Served, float]:
    """One call and one look at the models; the last value is how long was waited, in simulated seconds."""
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async def ask() -> tuple[Reply, Served]:
        provider = Provider(name="p", api="openai", base_url="http://p.example", api_key_env=None)
        transport = httpx.MockTransport(server)
        async with open_http_client(
            Plain(),
            provider,
            "http://p.example",
            None,
            transport=transport,
            clock=lambda: now[0],
            sleep=sleep,
            random=lambda: 0.0,
        ) as client:
            return await client.call(CALL), await client.served()

    reply, served = asyncio.run(ask())
    return reply, served, now[0]


def test_a_dialect_that_never_streams_is_called_without_and_the_reply_says_so() -> None:
    reply, served, _ = asked(PlainServer())
    assert reply.text == '{"ask": "u", "stream": false}'
    assert reply.unstreamed
    assert set(served.models) == {"m", "n"}


def test_without_a_path_for_the_version_nothing_but_the_calls_and_the_list_is_asked_for() -> None:
    server = PlainServer()
    asked(server)
    assert server.paths == ["/ask", "/models"]


def test_the_seed_of_a_reply_is_the_one_in_the_request_and_not_the_one_that_is_configured() -> None:
    assert CALL.seed == 10
    assert asked(PlainServer())[0].seed is None


def test_statuses_mean_the_same_in_every_dialect_and_retry_after_is_waited_for() -> None:
    busy = httpx.Response(429, headers={"Retry-After": "9"}, content=b"slow down")
    reply, _, waited = asked(PlainServer([busy]))
    assert (reply.error, reply.attempts, waited) == (None, 2, 9.0)
    refused = asked(PlainServer([httpx.Response(422, content=b"too odd")]))[0].error
    assert refused is not None
    assert (refused.code, refused.message) == ("bad_request", "the request was refused (422): too odd")


def test_a_dialect_without_what_every_one_needs_is_not_made() -> None:
    class Silent(Dialect):
        models_path = "/models"

    with pytest.raises(TypeError, match="read_answer"):
        Silent()  # type: ignore[abstract]
