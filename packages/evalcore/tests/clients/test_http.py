"""The client of one provider: what a call costs in requests and waits, and what its reply says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest

from evalcore.clients.http import open_http_client
from evalcore.clients.interface import Call, Served
from evalcore.clients.registry import dialect_of
from evalcore.clients.reply import Reply
from evalcore.clients.retry import RetryPolicy
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.library.models import BUILT_IN, Model, Provider

KEY = "sk-canary-5e1f"
PROVIDER = Provider(name="cloud", api="openai", base_url="https://host.example", api_key_env="CLOUD_KEY")
ANSWER = {
    "choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2},
}
Answering = Callable[[httpx.Request], httpx.Response]


def refusal(status: int, message: str = "no", code: str | None = None, **headers: str) -> httpx.Response:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, json=body)


def answered() -> httpx.Response:
    return httpx.Response(200, json=ANSWER)


class Server:
    """Answers calls by a list, the last one for ever; each takes two seconds. Its models are `m`."""

    def __init__(
        self, *answers: httpx.Response | Exception | Answering, listed: httpx.Response | None = None
    ):
        self.answers = list(answers) or [answered()]
        self.listed = listed or httpx.Response(200, json={"data": [{"id": "m"}]})
        self.calls: list[httpx.Request] = []
        self.lists = 0
        self.now = 0.0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.lists += 1
            return httpx.Response(self.listed.status_code, content=self.listed.content)
        self.calls.append(request)
        self.now += 2.0
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        if not isinstance(found, httpx.Response):
            return found(request)
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)


class Seen:
    """What one conversation was like."""

    def __init__(self, server: Server, **settings) -> None:
        self.server = server
        self.waits: list[tuple[str, str, float]] = []
        self.lent: list[float] = []
        """Waits in which the call's slot was others'."""
        self._depth = 0
        self._settings = settings

    def open(self):
        kind = self._settings.pop("kind", "openai")
        provider = self._settings.pop("provider", PROVIDER)
        server = self.server

        async def sleep(seconds: float) -> None:
            if self._depth:
                self.lent.append(seconds)
            server.now += seconds

        values = {
            "transport": httpx.MockTransport(server.handle),
            "clock": lambda: server.now,
            "wall_clock": lambda: datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(seconds=server.now),
            "sleep": sleep,
            "random": lambda: 0.5,
            "on_wait": lambda *waited: self.waits.append(waited),
        }
        return open_http_client(
            dialect_of(BUILT_IN[kind]), provider, provider.base_url, KEY, **values | self._settings
        )

    @asynccontextmanager
    async def slot(self):
        self._depth += 1
        yield
        self._depth -= 1

    def call(self, **model) -> Reply:
        return self.calls(1, **model)[0]

    def calls(self, count: int, **model) -> list[Reply]:
        async def made() -> list[Reply]:
            async with self.open() as client:
                return [
                    await client.call(
                        Call(
                            case="one",
                            replicate=number,
                            model=Model("m", "cloud", **model),
                            system="the prompt",
                            user="the input",
                            schema=None,
                        ),
                        self.slot,
                    )
                    for number in range(count)
                ]

        return asyncio.run(made())

    def served(self) -> Served:
        async def asked() -> Served:
            async with self.open() as client:
                return await client.served()

        return asyncio.run(asked())


# what a reply says


def test_a_reply_says_what_was_sent_and_what_came() -> None:
    server = Server()
    reply = Seen(server, new_request_id=lambda: "id-1").call(params={"seed": 3})
    (request,) = server.calls
    assert (reply.case, reply.replicate, reply.text, reply.finish_reason) == ("one", 0, "{}", "stop")
    assert (reply.usage.prompt, reply.usage.completion) == (7, 2)
    assert reply.request_sha256 == sha256(request.content).hexdigest()
    assert (reply.request_id, request.headers["x-request-id"]) == ("id-1", "id-1")
    assert (reply.seed, json.loads(request.content)["seed"]) == (3, 3)
    assert (reply.attempts, reply.error, reply.unstreamed, reply.batched) == (1, None, False, False)


def test_the_time_of_a_reply_is_of_its_last_attempt_and_its_beginning_that_of_the_first() -> None:
    reply = Seen(Server(refusal(500), refusal(500), answered())).call()
    assert reply.attempts == 3
    assert reply.latency_ms == 2000.0
    assert reply.started_at == "2026-01-05T09:00:00.000Z"
    # three attempts of two seconds, and waits of 0.5 and 1 s between them
    assert reply.finished_at == "2026-01-05T09:00:07.500Z"


def test_every_attempt_has_the_same_bytes_and_the_same_id() -> None:
    server = Server(refusal(500), refusal(500), answered())
    Seen(server).call(params={"seed": 3})
    assert len({request.content for request in server.calls}) == 1
    assert len({request.headers["x-request-id"] for request in server.calls}) == 1


def test_each_call_has_an_id_of_its_own() -> None:
    replies = Seen(Server()).calls(3)
    assert len({reply.request_id for reply in replies}) == 3


# how often it is sent, and how long is waited


def test_a_failure_that_stays_ends_after_as_many_tries_as_the_policy_has() -> None:
    server = Server(refusal(500))
    reply = Seen(server, retry=RetryPolicy(tries=3)).call()
    assert (reply.error.code, reply.attempts, len(server.calls)) == ("server_error", 3, 3)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal(400), "bad_request"),
        (refusal(403), "forbidden"),
        (refusal(404, code="model_not_found"), "unknown_model"),
        (refusal(429, code="insufficient_quota"), "quota_exceeded"),
        (refusal(400, code="context_length_exceeded"), "context_length"),
        (refusal(302, location="https://elsewhere.example"), "unexpected_answer"),
    ],
)
def test_what_is_final_is_sent_once(answer: httpx.Response, code: str) -> None:
    server = Server(answer)
    reply = Seen(server).call()
    assert (reply.error.code, reply.attempts, len(server.calls)) == (code, 1, 1)
    assert reply.text is None


def test_a_used_up_quota_keeps_every_other_call_from_being_sent() -> None:
    server = Server(refusal(429, code="insufficient_quota"))
    replies = Seen(server).calls(4)
    assert [reply.error.code for reply in replies] == ["quota_exceeded"] * 4
    assert len(server.calls) == 1
    assert [reply.attempts for reply in replies] == [1, 0, 0, 0]


def test_a_parameter_that_the_model_refuses_is_refused_once_for_all_calls() -> None:
    server = Server(refusal(400, code="unsupported_parameter"))
    assert {reply.error.code for reply in Seen(server).calls(3)} == {"parameter_refused"}
    assert len(server.calls) == 1


def test_a_rate_limit_is_waited_out_as_it_says_and_costs_no_try() -> None:
    limit = refusal(429, code="rate_limit_exceeded", retry_after="9")
    seen = Seen(Server(*[limit] * 7, answered()), retry=RetryPolicy(tries=2))
    reply = seen.call()
    assert (reply.error, reply.attempts) == (None, 8)
    assert {code for _, code, _ in seen.waits} == {"rate_limited"}
    assert all(seconds >= 9 for _, _, seconds in seen.waits)


def test_every_wait_is_announced_and_lends_the_calls_slot() -> None:
    seen = Seen(Server(refusal(500), answered()))
    seen.call()
    assert seen.waits == [("m", "server_error", 0.5)]
    assert seen.lent == [0.5]


def test_a_connection_that_cannot_be_made_is_tried_again() -> None:
    seen = Seen(Server(httpx.ConnectError("no route to 10.1.2.3"), answered()))
    reply = seen.call()
    assert (reply.error, reply.attempts) == (None, 2)
    assert seen.waits[0][1] == "unreachable"


def test_a_connection_that_is_never_made_says_so_without_an_address() -> None:
    reply = Seen(Server(httpx.ConnectError("no route to 10.1.2.3")), retry=RetryPolicy(tries=2)).call()
    assert reply.error.code == "unreachable"
    assert "10.1.2.3" not in reply.error.message


# the key


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [
        ("openai", "authorization", f"Bearer {KEY}"),
        ("anthropic", "x-api-key", KEY),
        ("google", "x-goog-api-key", KEY),
    ],
)
def test_the_key_goes_into_one_header_and_not_into_address_or_body(
    kind: str, header: str, value: str
) -> None:
    server = Server(refusal(400))
    Seen(server, kind=kind).call()
    (request,) = server.calls
    assert request.headers[header] == value
    assert KEY not in str(request.url)
    assert KEY.encode() not in request.content
    assert [name for name, text in request.headers.items() if KEY in text] == [header]


@pytest.mark.parametrize("kind", ["openai", "anthropic", "google"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_reply(kind: str, status: int) -> None:
    answer = refusal(status, f"the key {KEY} is wrong: Bearer {KEY}")
    reply = Seen(Server(answer, listed=answer), kind=kind, retry=RetryPolicy(tries=2)).call()
    assert reply.error is not None
    assert KEY not in repr(reply)


def test_a_refused_key_that_the_list_of_models_refuses_too_ends_every_call() -> None:
    server = Server(refusal(401), listed=refusal(401))
    replies = Seen(server).calls(3)
    assert {reply.error.code for reply in replies} == {"unauthorized"}
    assert (len(server.calls), server.lists) == (1, 2)


def test_a_refused_key_that_the_list_of_models_accepts_is_tried_again() -> None:
    server = Server(refusal(401), answered())
    reply = Seen(server).call()
    assert (reply.error, reply.attempts, server.lists) == (None, 2, 1)


# which models there are


def test_the_models_that_are_served_are_those_of_the_list() -> None:
    server = Server()
    assert set(Seen(server).served().models) == {"m"}
    assert server.lists == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_the_list_refuses_names_its_variable_and_not_its_value(status: int) -> None:
    with pytest.raises(ProviderRefused) as caught:
        Seen(Server(listed=refusal(status, f"no {KEY}"))).served()
    assert "CLOUD_KEY" in caught.value.hint
    assert KEY not in caught.value.line


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": 7}'])
def test_what_is_no_list_of_models_is_an_error_that_names_base_url(body: bytes) -> None:
    with pytest.raises(ProviderUnreachable, match="is no list of models") as caught:
        Seen(Server(listed=httpx.Response(200, content=body))).served()
    assert "base_url" in caught.value.hint


def test_a_list_that_fails_for_good_is_not_waited_for_without_end() -> None:
    server = Server(listed=refusal(500))
    with pytest.raises(ProviderUnreachable):
        Seen(server).served()
    assert 1 < server.lists <= RetryPolicy().tries


# headers that are read


def test_a_limit_that_is_nearly_used_up_is_waited_for_before_the_next_call() -> None:
    def limited(_: httpx.Request) -> httpx.Response:
        headers: Mapping[str, str] = {
            "x-ratelimit-limit-requests": "10",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "60s",
        }
        return httpx.Response(200, headers=headers, json=ANSWER)

    seen = Seen(Server(limited))
    replies = seen.calls(2)
    assert [reply.attempts for reply in replies] == [1, 1]
    assert [(code, round(seconds)) for _, code, seconds in seen.waits] == [("rate_limited", 6)]
    # the wait is before the call, and none of its time
    assert replies[1].latency_ms == 2000.0


def test_a_server_that_repeats_the_key_does_not_bring_it_into_replies() -> None:
    quoting = {**ANSWER, "choices": [{"message": {"content": f'{{"is": "{KEY}"}}'}, "finish_reason": "stop"}]}
    reply = Seen(Server(httpx.Response(200, json=quoting))).call()
    assert reply.text == '{"is": "[secret]"}'
    refused = Seen(Server(refusal(400, f"your header was Bearer {KEY}"))).call()
    assert refused.error is not None
    assert KEY not in refused.error.message


def test_a_server_that_repeats_the_key_in_a_refusal_of_its_list_does_not_bring_it_into_the_error() -> None:
    with pytest.raises(ProviderRefused) as caught:
        Seen(Server(listed=refusal(401, f"unknown key {KEY}"))).served()
    assert KEY not in caught.value.line
