"""The client against the simulated MindRouter over real HTTP: every failure, and what becomes of the call.

The clock and the waits are simulated; time limits are real and short.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from evalcore.clients.failures import Code
from evalcore.clients.http import HttpClient, open_http_client
from evalcore.clients.interface import Call
from evalcore.clients.openai.dialect import DIALECT as OPENAI
from evalcore.clients.reply import Reply, Usage
from evalcore.clients.retry import RetryPolicy
from evalcore.clients.stream_limit import SILENCE_SECONDS
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.library.models import Model, Provider, StructuredOutput
from evalsim.mindrouter import (
    AnswerBook,
    Expected,
    Fault,
    FaultKind,
    SimConfig,
    SimModel,
    SimulatedMindRouter,
)
from evalsim.serving import ConnectionCut, running

KEY = "mr2_test"
USER = "The input."
TEXT = '{"answer":42,"reason":"it is"}'
BOOK = AnswerBook({USER: Expected(value=json.loads(TEXT), is_json=True)})
Story = Callable[["Setting", HttpClient], Awaitable[None]]


class Stage:
    """One server for all tests of this file; each puts its own simulation behind it."""

    def __init__(self) -> None:
        self.url = ""
        self.clients: set[tuple[str, int]] = set()
        self.app: SimulatedMindRouter | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.clients.add(scope["client"])
        if self.app is not None:
            await self.app(scope, receive, send)


STAGE = Stage()


@pytest.fixture(scope="module", autouse=True)
def _stage() -> Iterator[None]:
    STAGE.app = Setting().app
    with running(STAGE) as STAGE.url:
        yield


class Setting:
    """A simulated gateway, a clock that only waiting moves, and what was waited for."""

    def __init__(self, *models: SimModel, **config: Any) -> None:
        self.now = 0.0
        self.waits: list[tuple[str, float]] = []
        sim = SimConfig(models=models or (SimModel(id="m"),), keys=(KEY,), **config)
        self.app = SimulatedMindRouter(sim, BOOK, clock=lambda: self.now, sleep=self.sleep)
        self.key = KEY
        self.policy = RetryPolicy()
        self.silence = SILENCE_SECONDS

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def play(self, story: Story) -> None:
        STAGE.app = self.app
        asyncio.run(self._play(story, STAGE.url))

    async def _play(self, story: Story, url: str) -> None:
        provider = Provider(name="mindrouter", api="openai", base_url=url, api_key_env="MINDROUTER_API_KEY")
        async with open_http_client(
            OPENAI,
            provider,
            f"{url}/v1/",
            self.key,
            clock=lambda: self.now,
            sleep=self.sleep,
            random=lambda: 0.5,
            new_request_id=lambda: "request-1",
            retry=self.policy,
            silence=self.silence,
            on_wait=lambda _model, reason, seconds: self.waits.append((reason, seconds)),
        ) as client:
            await story(self, client)

    def reply(self, *, stream: bool, **more: Any) -> Reply:
        """Make one call and give its reply."""
        replies: list[Reply] = []

        async def story(_setting: Setting, client: HttpClient) -> None:
            replies.append(await client.call(call(stream=stream, **more)))

        self.play(story)
        return replies[0]


def call(
    *,
    stream: bool = True,
    model: str = "m",
    replicate: int = 0,
    timeout: float = 5.0,
    idle_timeout: float = 120.0,
    output: StructuredOutput = "none",
    params: dict[str, Any] | None = None,
) -> Call:
    configured = Model(
        id=model,
        provider="mindrouter",
        stream=stream,
        timeout=timeout,
        idle_timeout=idle_timeout,
        structured_output=output,
        params=params or {},
    )
    return Call(case="a", replicate=replicate, model=configured, system="Prompt.", user=USER, schema=None)


def faulty(kind: FaultKind, times: int | None = 1, **config: Any) -> Setting:
    return Setting(faults=(Fault(kind=kind, times=times),), **config)


def codes(replies: Iterable[Reply]) -> list[str | None]:
    return [reply.error.code if reply.error else None for reply in replies]


both = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@both
def test_answer_comes_with_its_usage_and_identity(*, stream: bool) -> None:
    reply = Setting().reply(stream=stream)
    assert (reply.text, reply.finish_reason, reply.error) == (TEXT, "stop", None)
    assert isinstance(reply.usage, Usage)
    assert (reply.request_id, reply.attempts) == ("request-1", 1)
    assert reply.started_at.endswith("Z")
    assert len(reply.request_sha256) == 64


@both
def test_each_replicate_is_sent_a_seed_of_its_own_which_is_kept(*, stream: bool) -> None:
    seeds = [Setting().reply(stream=stream, params={"seed": 40}, replicate=at).seed for at in range(3)]
    assert seeds == [40, 41, 42]
    assert Setting().reply(stream=stream, replicate=2).seed is None


@both
def test_request_carries_key_and_request_id_and_no_origin(*, stream: bool) -> None:
    setting = Setting()
    setting.reply(stream=stream)
    (seen,) = setting.app.seen
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["x-request-id"] == "request-1"
    assert not {"origin", "referer", "cookie"} & set(seen.headers)


@both
def test_connection_is_used_again(*, stream: bool) -> None:
    async def story(_setting: Setting, client: HttpClient) -> None:
        STAGE.clients.clear()
        for number in range(5):
            assert (await client.call(call(stream=stream, replicate=number))).text == TEXT
        assert len(STAGE.clients) == 1

    Setting().play(story)


def test_status_counts_though_the_error_is_cut_in_its_body() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 502, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"detail": "All', "more_body": True})
        raise ConnectionCut

    setting = Setting()
    setting.policy = RetryPolicy(tries=1)
    with running(app) as url:
        replies: list[Reply] = []

        async def story(_setting: Setting, client: HttpClient) -> None:
            replies.append(await client.call(call()))

        asyncio.run(setting._play(story, url))
    assert codes(replies) == ["bad_gateway"]


# What happens once, and then: the failure's code that is waited for, and the seconds.
RETRIED_WHOLE: list[tuple[FaultKind, Code, float]] = [
    ("server_error", "server_error", 0.5),
    ("bad_gateway", "bad_gateway", 30.5),
    ("no_capacity", "no_capacity", 10.5),
    ("unsuitable", "model_unavailable", 15.5),
    ("backend_429", "backend_busy", 5.5),
    ("hang_up", "connection_lost", 0.5),
    ("cut", "connection_lost", 0.5),
    ("empty", "empty_answer", 0.5),
    ("garbage", "unreadable_answer", 0.5),
    ("no_choices", "no_choices", 0.5),
    ("rate_limited", "rate_limited", 60.5),
]
RETRIED_STREAMED: list[tuple[FaultKind, Code, float]] = [
    ("server_error", "server_error", 0.5),
    ("bad_gateway", "bad_gateway", 30.5),
    ("no_capacity", "no_capacity", 10.5),
    ("unsuitable", "model_unavailable", 15.5),
    ("backend_429", "backend_busy", 5.5),
    ("hang_up", "connection_lost", 0.5),
    ("cut", "connection_lost", 0.5),
    ("empty", "refused_stream", 0.5),
    ("garbage", "unreadable_answer", 0.5),
    ("no_choices", "connection_lost", 0.5),
    ("error_event", "server_error", 0.5),
    ("no_done", "connection_lost", 0.5),
    ("no_finish", "connection_lost", 0.5),
]


@pytest.mark.parametrize(("kind", "code", "seconds"), RETRIED_WHOLE)
def test_passing_failure_is_waited_out_and_retried(kind: FaultKind, code: str, seconds: float) -> None:
    setting = faulty(kind)
    reply = setting.reply(stream=False)
    assert (reply.text, reply.attempts, reply.error) == (TEXT, 2, None)
    assert setting.waits == [(code, seconds)]


@pytest.mark.parametrize(("kind", "code", "seconds"), RETRIED_STREAMED)
def test_passing_failure_of_a_stream_is_waited_out_and_retried(
    kind: FaultKind, code: str, seconds: float
) -> None:
    setting = faulty(kind)
    reply = setting.reply(stream=True)
    assert (reply.text, reply.attempts, reply.error) == (TEXT, 2, None)
    assert setting.waits == [(code, seconds)]


@both
@pytest.mark.parametrize(
    ("kind", "code", "fault"),
    [
        ("backend_400", "bad_request", "infrastructure"),
        ("content_refused", "content_refused", "infrastructure"),
        ("context_length", "context_length", "model"),
        ("no_structured_content", "no_content", "model"),
    ],
)
def test_final_failure_is_not_retried(kind: FaultKind, code: str, fault: str, *, stream: bool) -> None:
    reply = faulty(kind, times=None).reply(stream=stream)
    assert reply.error is not None
    assert (reply.error.code, reply.error.fault, reply.attempts) == (code, fault, 1)
    assert reply.text is None


@both
def test_failure_that_stays_ends_after_five_tries(*, stream: bool) -> None:
    reply = faulty("server_error", times=None).reply(stream=stream)
    assert (codes([reply]), reply.attempts) == (["server_error"], 5)
    assert reply.is_infrastructure_failure


@both
def test_model_away_comes_back_when_its_breaker_closes(*, stream: bool) -> None:
    setting = faulty("gone", breaker_seconds=25.0)
    reply = setting.reply(stream=stream)
    assert (reply.text, reply.attempts) == (TEXT, 3)
    assert setting.waits == [("model_unavailable", 15.5), ("model_unavailable", 16.0)]


@both
def test_unknown_model_is_unavailable_in_the_end(*, stream: bool) -> None:
    reply = Setting().reply(stream=stream, model="never-heard-of")
    assert codes([reply]) == ["model_unavailable"]


@both
def test_wrong_letter_case_is_unavailable_in_the_end(*, stream: bool) -> None:
    assert codes([Setting().reply(stream=stream, model="M")]) == ["model_unavailable"]


def test_a_calls_place_is_lent_while_it_waits_and_not_while_it_is_out() -> None:
    setting = Setting(faults=(Fault(kind="bad_gateway", times=1), Fault(kind="server_error", times=1)))
    places: list[tuple[str, int]] = []

    @asynccontextmanager
    async def lent() -> AsyncIterator[None]:
        places.append(("lent", setting.app.gateway.calls["m"]))
        yield
        places.append(("back", setting.app.gateway.calls["m"]))

    async def story(_setting: Setting, client: HttpClient) -> None:
        assert codes([await client.call(call(), lent)]) == [None]

    setting.play(story)
    assert places == [("lent", 1), ("back", 1), ("lent", 2), ("back", 2)]


def test_502_holds_back_the_model_for_all_its_calls_and_no_other() -> None:
    setting = Setting(
        SimModel(id="m"),
        SimModel(id="other"),
        faults=(Fault(kind="bad_gateway", model="m", times=1),),
        breaker_seconds=25.0,
    )
    setting.policy = RetryPolicy(tries=1)

    async def story(setting: Setting, client: HttpClient) -> None:
        assert codes([await client.call(call())]) == ["bad_gateway"]
        assert codes([await client.call(call(model="other"))]) == [None]
        assert setting.waits == []
        assert codes([await client.call(call())]) == [None]
        assert setting.waits == [("bad_gateway", 30.0)]

    setting.play(story)


def test_model_that_stays_down_is_given_up_so_that_the_run_ends() -> None:
    setting = faulty("bad_gateway", times=None)

    async def story(setting: Setting, client: HttpClient) -> None:
        replies = [await client.call(call(replicate=number)) for number in range(50)]
        assert set(codes(replies)) <= {"bad_gateway", "model_unavailable"}
        assert setting.now < 400
        assert setting.app.gateway.calls["m"] < 15

    setting.play(story)


@both
def test_rate_limit_is_waited_out_for_the_whole_user(*, stream: bool) -> None:
    setting = Setting(SimModel(id="m"), SimModel(id="other"), requests_per_minute=4)

    async def story(setting: Setting, client: HttpClient) -> None:
        models = ["m", "other"] * 5
        replies = await asyncio.gather(*(client.call(call(stream=stream, model=model)) for model in models))
        assert codes(replies) == [None] * 10
        assert "rate_limited" in {reason for reason, _ in setting.waits}
        assert 120 <= setting.now < 600

    setting.play(story)


@both
def test_used_up_quota_is_final_and_ends_the_other_calls_at_once(*, stream: bool) -> None:
    setting = Setting(token_quota=1)

    async def story(setting: Setting, client: HttpClient) -> None:
        replies = [await client.call(call(stream=stream, replicate=number)) for number in range(5)]
        assert codes(replies) == [None, *["quota_exceeded"] * 4]
        assert [reply.attempts for reply in replies] == [1, 1, 0, 0, 0]
        assert replies[4].error == replies[1].error
        assert setting.now == 0

    setting.play(story)


def test_refused_stream_asks_for_the_reason_and_all_learn_it() -> None:
    setting = Setting(requests_per_minute=4)

    async def story(setting: Setting, client: HttpClient) -> None:
        replies = await asyncio.gather(*(client.call(call(replicate=number)) for number in range(8)))
        assert codes(replies) == [None] * 8
        chats = [seen for seen in setting.app.seen if seen.path == "/v1/chat/completions"]
        # eight calls, the four refused once more, and one question
        assert len(chats) == 8 + 4 + 1

    setting.play(story)


@both
def test_silence_is_tried_once_more_and_then_infrastructures(*, stream: bool) -> None:
    setting = faulty("silent", times=None)
    reply = setting.reply(stream=stream, timeout=0.1)
    assert reply.error is not None
    assert (reply.error.code, reply.error.fault, reply.attempts) == ("timeout", "infrastructure", 2)
    assert reply.error.message == "no answer within 0.1 s"


@both
def test_one_silence_is_got_over(*, stream: bool) -> None:
    reply = faulty("silent").reply(stream=stream, timeout=0.3)
    assert (reply.text, reply.attempts) == (TEXT, 2)


def test_answer_that_stops_in_the_middle_is_infrastructures_and_tried_again() -> None:
    reply = faulty("stalled", times=None).reply(stream=True, idle_timeout=0.1)
    assert reply.error is not None
    assert (reply.error.code, reply.error.fault, reply.attempts) == ("idle_timeout", "infrastructure", 5)
    reply = faulty("stalled").reply(stream=True, idle_timeout=0.2)
    assert (reply.text, reply.attempts) == (TEXT, 2)


# An answer of 34 pieces; the time between them, and a pause in the middle, are real.
SLOW = SimModel(id="m", characters_per_event=1, events_per_read=1)


def test_answer_that_goes_on_beyond_its_limit_is_the_models_timeout() -> None:
    setting = Setting(msgspec.structs.replace(SLOW, pace=0.05))
    setting.sleep = asyncio.sleep  # type: ignore[method-assign]
    setting.app = SimulatedMindRouter(setting.app.config, BOOK)
    reply = setting.reply(stream=True, timeout=0.5)
    assert reply.error is not None
    assert (reply.error.code, reply.error.fault, reply.attempts) == ("timeout", "model", 1)


def test_silence_inside_an_answer_does_not_count_against_its_limit() -> None:
    setting = Setting(SLOW)
    setting.app = SimulatedMindRouter(
        msgspec.structs.replace(setting.app.config, faults=(Fault(kind="pause", seconds=1.5),)), BOOK
    )
    setting.silence = 0.5
    reply = setting.reply(stream=True, timeout=1.0, idle_timeout=20.0)
    assert (reply.text, reply.attempts) == (TEXT, 1)


def test_giving_up_a_stream_closes_its_connection() -> None:
    setting = Setting(SimModel(id="m", slots=1), faults=(Fault(kind="silent", times=1),))
    # with one slot, the second attempt could not be answered if the first still held it
    assert setting.reply(stream=True, timeout=0.3).text == TEXT


@both
def test_cut_at_the_token_limit_is_told(*, stream: bool) -> None:
    reply = faulty("truncated").reply(stream=stream)
    assert (reply.finish_reason, reply.error) == ("length", None)
    assert reply.text is not None


@both
def test_max_tokens_cut_by_the_gateway_is_told(*, stream: bool) -> None:
    setting = Setting(SimModel(id="m", context_length=1024 + 9))
    reply = setting.reply(stream=stream, params={"max_tokens": 5000})
    assert (reply.finish_reason, reply.text) == ("length", TEXT[:16])


@both
@pytest.mark.parametrize("kind", ["no_usage", "zero_usage"])
def test_usage_that_was_not_counted_is_unknown(kind: FaultKind, *, stream: bool) -> None:
    reply = faulty(kind).reply(stream=stream)
    assert (reply.text, reply.usage) == (TEXT, None)


@both
def test_reasoning_is_not_part_of_the_answer(*, stream: bool) -> None:
    assert faulty("thinking").reply(stream=stream).text == TEXT


@both
def test_null_content_is_kept_as_an_answer_without_text(*, stream: bool) -> None:
    reply = faulty("null_content").reply(stream=stream)
    assert (reply.text, reply.error) == (None, None)


@both
def test_null_content_of_structured_output_is_the_models(*, stream: bool) -> None:
    reply = faulty("null_content").reply(stream=stream, output="json_object")
    assert reply.error is not None
    assert (reply.error.code, reply.error.fault) == ("no_content", "model")


@both
@pytest.mark.parametrize("kind", ["fenced", "prose", "think_tags", "broken_json", "wrong_keys"])
def test_odd_answer_is_kept_as_it_came(kind: FaultKind, *, stream: bool) -> None:
    reply = faulty(kind).reply(stream=stream)
    assert (reply.error, reply.attempts) == (None, 1)
    assert reply.text not in {None, TEXT}


@both
def test_refused_key_ends_the_call(*, stream: bool) -> None:
    setting = Setting()
    setting.key = "mr2_wrong"
    reply = setting.reply(stream=stream)
    assert (codes([reply]), reply.attempts) == (["unauthorized"], 1)


def test_a_model_whose_streams_hold_no_event_is_called_without_streaming() -> None:
    """Each such stream leaks a slot of the gateway: pausing would never end, and no slot would be left."""
    setting = Setting(SimModel(id="m", slots=4), faults=(Fault(kind="no_events"),))

    async def story(setting: Setting, client: HttpClient) -> None:
        replies = [await client.call(call(replicate=at)) for at in range(20)]
        assert codes(replies) == [None] * 20
        assert [reply.attempts for reply in replies] == [3] + [1] * 19
        assert all(reply.unstreamed for reply in replies)
        slots = setting.app.gateway.slots("m")
        assert slots is not None
        assert sum([await slots.acquire() for _ in range(2)]) == 2
        assert slots.locked()

    setting.play(story)


def test_streams_without_events_that_are_not_one_after_the_other_change_nothing() -> None:
    setting = Setting(SimModel(id="m"), faults=(Fault(kind="no_events", every=3),))

    async def story(_setting: Setting, client: HttpClient) -> None:
        replies = [await client.call(call(replicate=at)) for at in range(20)]
        assert codes(replies) == [None] * 20
        assert not any(reply.unstreamed for reply in replies)

    setting.play(story)


def test_calls_that_wait_inside_the_gateway_make_fewer_of_ours() -> None:
    setting = Setting()

    async def story(setting: Setting, client: HttpClient) -> None:
        assert (await client.call(call())).text == TEXT
        with setting.app.gateway.waiting("m"):
            setting.now += 10
            assert (await client.call(call())).text == TEXT
            assert client._limit.current("m") == 4
            assert [seen.path for seen in setting.app.seen].count("/status") == 1
        assert client._limit.current("other") is None

    setting.play(story)


@both
def test_a_key_refused_in_mid_run_is_looked_at_twice_and_ends_all_calls_at_once(*, stream: bool) -> None:
    setting = Setting()

    async def story(setting: Setting, client: HttpClient) -> None:
        assert codes([await client.call(call(stream=stream))]) == [None]
        setting.app.revoked.add(KEY)
        together = await asyncio.gather(
            *(client.call(call(stream=stream, replicate=number)) for number in range(4))
        )
        assert codes(together) == ["unauthorized"] * 4
        assert [reply.attempts for reply in together] == [1] * 4
        assert setting.waits == [("unauthorized", 10.0)]
        assert [seen.path for seen in setting.app.seen].count("/v1/models") == 2
        later = [await client.call(call(stream=stream, replicate=number)) for number in range(4, 50)]
        assert {(reply.error, reply.attempts) for reply in later} == {(together[0].error, 0)}
        assert setting.now == 10

    setting.play(story)


@both
def test_a_good_key_refused_in_passing_is_tried_again(*, stream: bool) -> None:
    setting = faulty("unauthorized", times=3)

    async def story(setting: Setting, client: HttpClient) -> None:
        replies = await asyncio.gather(*(client.call(call(stream=stream, replicate=at)) for at in range(3)))
        assert codes(replies) == [None] * 3
        # one looks for all three
        assert [seen.path for seen in setting.app.seen].count("/v1/models") == 1

    setting.play(story)


@both
def test_a_key_that_is_good_again_at_the_second_look_goes_on(*, stream: bool) -> None:
    setting = Setting()
    setting.app.revoked.add(KEY)

    async def pardon(seconds: float) -> None:
        setting.app.revoked.clear()
        await Setting.sleep(setting, seconds)

    setting.sleep = pardon  # type: ignore[method-assign]
    assert setting.reply(stream=stream).text == TEXT


def test_time_budget_ends_the_retries() -> None:
    setting = faulty("bad_gateway", times=None)
    setting.policy = RetryPolicy(budget=60.0)
    reply = setting.reply(stream=True)
    assert codes([reply]) == ["bad_gateway"]
    assert setting.now <= 60.0


def test_gateway_that_is_not_running_is_unreachable() -> None:
    replies: list[Reply] = []

    async def story(_setting: Setting, client: HttpClient) -> None:
        with pytest.raises(ProviderUnreachable, match="no connection"):
            await client.served()
        replies.append(await client.call(call()))

    setting = Setting()
    with running(setting.app) as url:
        pass
    asyncio.run(setting._play(story, url))
    assert (codes(replies), replies[0].attempts) == (["unreachable"], 5)


def test_served_models_are_told_with_what_the_gateway_says_of_them() -> None:
    setting = Setting(SimModel(id="m", context_length=2048, quantization="fp8", backends=("a", "b")))

    async def story(setting: Setting, client: HttpClient) -> None:
        served = await client.served()
        assert served.version == "2.9.58"
        assert served.models["m"].backends == ("a", "b")
        assert (served.models["m"].context_length, served.models["m"].quantization) == (2048, "fp8")
        assert "authorization" not in setting.app.seen[-1].headers

    setting.play(story)


def test_model_that_is_away_is_not_served() -> None:
    setting = Setting()

    async def story(setting: Setting, client: HttpClient) -> None:
        setting.app.gateway.trip("m", 25.0)
        assert not (await client.served()).models
        setting.now += 25.0
        assert set((await client.served()).models) == {"m"}

    setting.play(story)


def test_refused_key_is_told_when_asking_for_the_models() -> None:
    setting = Setting()
    setting.key = "mr2_wrong"

    async def story(_setting: Setting, client: HttpClient) -> None:
        with pytest.raises(ProviderRefused, match="MINDROUTER_API_KEY"):
            await client.served()

    setting.play(story)


def test_redirect_is_not_followed() -> None:
    sent: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.host)
        return httpx.Response(307, headers={"location": "http://elsewhere.example/"})

    async def story() -> Reply:
        provider = Provider(name="p", api="openai", base_url="http://here.example", api_key_env=None)
        transport = httpx.MockTransport(redirect)
        async with open_http_client(OPENAI, provider, provider.base_url, KEY, transport=transport) as client:
            return await client.call(call())

    assert codes([asyncio.run(story())]) == ["unexpected_answer"]
    assert sent == ["here.example"]


def answered(response: httpx.Response) -> Reply:
    """What becomes of a call that a server answers with this."""

    async def story() -> Reply:
        provider = Provider(name="p", api="openai", base_url="http://here.example", api_key_env=None)
        transport = httpx.MockTransport(lambda _request: response)
        policy = RetryPolicy(tries=1)
        async with open_http_client(
            OPENAI, provider, provider.base_url, None, transport=transport, retry=policy
        ) as client:
            return await client.call(call())

    return asyncio.run(story())


COMPLETION = json.dumps({"choices": [{"message": {"content": "42"}, "finish_reason": "stop"}]}).encode()


def test_server_that_answers_a_stream_whole_is_understood() -> None:
    assert answered(httpx.Response(200, json=json.loads(COMPLETION))).text == "42"


def packed(data: bytes, encoding: str) -> httpx.Response:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(data))


def test_server_that_compresses_though_asked_not_to_is_understood() -> None:
    assert answered(packed(gzip.compress(COMPLETION), "gzip")).text == "42"
    assert answered(packed(zlib.compress(COMPLETION), "Deflate")).text == "42"


@pytest.mark.parametrize(
    ("data", "encoding", "code"),
    [
        (gzip.compress(b" " * 2**25), "gzip", "too_large"),
        (gzip.compress(gzip.compress(COMPLETION)), "gzip, gzip", "unreadable_answer"),
        (COMPLETION, "gzip", "connection_lost"),
        (gzip.compress(COMPLETION), "br", "unreadable_answer"),
    ],
    ids=["bomb", "twice", "not as it says", "unknown"],
)
def test_what_is_compressed_otherwise_or_without_end_is_a_failure(
    data: bytes, encoding: str, code: str
) -> None:
    assert codes([answered(packed(data, encoding))]) == [code]
