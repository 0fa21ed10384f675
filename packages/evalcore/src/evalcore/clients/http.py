"""The edge: sends the calls of one provider over HTTP and waits where its failures ask for it."""

from __future__ import annotations

import asyncio
import random as randomness
import ssl
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256

import aiohttp
import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from evalcore.clients import wire_openai as wire
from evalcore.clients.failures import (
    Answer,
    Failure,
    classify,
    connection_lost,
    timed_out,
    too_large,
    unreachable,
)
from evalcore.clients.interface import Call, Served
from evalcore.clients.pauses import Pauses
from evalcore.clients.retry import Attempts, RetryPolicy
from evalcore.clients.sse import LONGEST_ANSWER, StreamedAnswer
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.models import Provider
from evalcore.reply import Reply
from evalcore.version import __version__

CONNECT_SECONDS = 10.0
PROBE_SECONDS = 30.0
"""For the small request that asks why a stream was refused."""
LIST_SECONDS = 15.0
"""For `GET /v1/models` and `GET /status`."""
KEEP_ALIVE_SECONDS = 4.0
"""Below the 5 s after which uvicorn, which MindRouter runs on, closes an idle connection itself."""
END_SECONDS = 1.0
"""How long a stream may stay open after `[DONE]`; read to its end, its connection can be used again."""
LONGEST_ERROR = 2**20
"""Bytes of an error's body that are read."""

_HTTP_OK = 200
_EXTENSIONS = {"timeout": httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()}
_KEY_REFUSED = frozenset({"unauthorized", "forbidden"})

OnWait = Callable[[str, str, float], None]
"""Told of each wait: the model's id, the failure's code, seconds."""
Random = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_request_id() -> str:
    return str(uuid.uuid4())


@asynccontextmanager
async def open_openai_client(
    provider: Provider,
    base_url: str,
    api_key: str | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], datetime] = _utc_now,
    sleep: Sleep = asyncio.sleep,
    random: Random = randomness.random,
    new_request_id: Callable[[], str] = _new_request_id,
    transport: httpx.AsyncBaseTransport | None = None,
    retry: RetryPolicy | None = None,
    on_wait: OnWait | None = None,
) -> AsyncIterator[OpenAIClient]:
    """Open a client for a server that speaks the OpenAI dialect; `base_url` is its root.

    The caller bounds how many calls are in flight; all calls through one client share its waits.
    `sleep` is awaited for waits only, never for time limits.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    headers["User-Agent"] = f"evaluator/{__version__}"
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    # The transport is used as it is: httpx.AsyncClient would add cookies, redirects and proxies from the
    # environment, none of which the key may follow, and a tenth of the CPU time of a call.
    async with transport if transport is not None else _transport(base_url) as connections:
        yield OpenAIClient(
            provider,
            base_url,
            connections,
            headers=headers,
            clock=clock,
            wall_clock=wall_clock,
            sleep=sleep,
            random=random,
            new_request_id=new_request_id,
            policy=retry or RetryPolicy(),
            on_wait=on_wait,
        )


def _transport(base_url: str) -> httpx.AsyncBaseTransport:
    """Aiohttp's connections under httpx, at a third of httpx's own CPU time per call."""
    if base_url.lower().startswith("https:"):
        # certificates from SSL_CERT_FILE or SSL_CERT_DIR where those are set
        context = httpx.create_ssl_context(trust_env=True)
    else:
        # nothing to verify, and loading the certificates takes 20 ms
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return AiohttpTransport(verify=context, client=lambda: _session(context))


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=context)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


class OpenAIClient:
    """Calls the models of one server; see evalcore.clients.interface.Client."""

    def __init__(
        self,
        provider: Provider,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        headers: Mapping[str, str],
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
        sleep: Sleep,
        random: Random,
        new_request_id: Callable[[], str],
        policy: RetryPolicy,
        on_wait: OnWait | None,
    ) -> None:
        self._provider = provider
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._transport = transport
        self._get_headers = httpx.Headers(headers)
        self._post_headers = httpx.Headers({**headers, "Content-Type": "application/json"})
        self._chat_url = httpx.URL(self._base_url + wire.CHAT_PATH)
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._random = random
        self._new_request_id = new_request_id
        self._policy = policy
        self._on_wait = on_wait
        self._pauses = Pauses(policy.outage, clock)
        self._probing = asyncio.Lock()

    async def call(self, call: Call) -> Reply:
        """Make one call, retries included; the failure of a call is in its reply."""
        request_id = self._new_request_id()
        body = wire.chat_body(call)
        model_id = call.model.id
        attempts = Attempts(self._policy, self._random)
        sent, latency, first = 0, 0.0, 0.0
        started_at: datetime | None = None
        while True:
            outcome: Answer | Failure | None = await self._wait_for_turn(model_id)
            if outcome is not None:
                break
            began = self._clock()
            if started_at is None:
                started_at, first = self._wall_clock(), began
            outcome = await self._attempt(call, body, request_id)
            ended = self._clock()
            latency = ended - began
            sent += 1
            if isinstance(outcome, Failure) and outcome.code == "refused_stream":
                outcome = await self._reason_for_refusal(model_id, outcome, began)
            if isinstance(outcome, Answer):
                self._pauses.succeeded(model_id)
                break
            wait = attempts.wait_after(outcome, ended - first)
            is_worth_it = self._pauses.failed(model_id, outcome, wait)
            if wait is None or not is_worth_it:
                break
            if outcome.scope == "call":
                await self._wait(model_id, outcome, wait)
        return self._reply(call, body, request_id, outcome, started_at, latency, sent)

    async def served(self) -> Served:
        """Say which models can be served now, and the gateway's version where it tells it.

        Raises ProviderUnreachable or ProviderRefused.
        """
        attempts = Attempts(self._policy, self._random)
        began = self._clock()
        while True:
            listed = await self._get(wire.MODELS_PATH, self._get_headers)
            if not isinstance(listed, Failure):
                break
            wait = attempts.wait_after(listed, self._clock() - began)
            # whoever asks has a person or a job waiting: hold-backs of half a minute are not for here
            if wait is None or listed.wait > self._policy.cap / 2 or self._clock() - began > LIST_SECONDS:
                raise self._refused(listed)
            await self._sleep(wait)
        status_headers = self._get_headers.copy()
        status_headers.pop("Authorization", None)
        status = await self._get(wire.STATUS_PATH, status_headers)
        try:
            return wire.served(listed, None if isinstance(status, Failure) else status)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProviderUnreachable(
                "the answer to GET /v1/models is no list of models",
                where=self._provider.name,
                hint="check the provider's base_url",
            ) from error

    def _refused(self, failure: Failure) -> ProviderRefused | ProviderUnreachable:
        where = self._provider.name
        if failure.code in _KEY_REFUSED:
            variable = self._provider.api_key_env or "the provider's key"
            return ProviderRefused(failure.message, where=where, hint=f"check {variable}")
        return ProviderUnreachable(failure.message, where=where, hint="check the provider's base_url")

    async def _wait_for_turn(self, model_id: str) -> Failure | None:
        """Wait out what the model's calls wait for together; a failure where that is not worth it."""
        while (verdict := self._pauses.look(model_id)) is not None:
            if isinstance(verdict, Failure):
                return verdict
            await self._wait(model_id, verdict.failure, verdict.seconds)
        return None

    async def _wait(self, model_id: str, failure: Failure, seconds: float) -> None:
        if self._on_wait is not None:
            self._on_wait(model_id, failure.code, seconds)
        await self._sleep(seconds)

    async def _attempt(self, call: Call, body: bytes, request_id: str) -> Answer | Failure:
        streamed = StreamedAnswer() if call.model.stream else None
        return await self._post(body, request_id, call.model.timeout, streamed)

    async def _post(
        self, body: bytes, request_id: str, seconds: float, streamed: StreamedAnswer | None
    ) -> Answer | Failure:
        """Send one request; whatever happens to it is in what is returned."""
        request = httpx.Request(
            "POST", self._chat_url, headers=self._post_headers, content=body, extensions=_EXTENSIONS
        )
        request.headers["X-Request-ID"] = request_id
        try:
            async with asyncio.timeout(seconds) as limit:
                response = await self._transport.handle_async_request(request)
                try:
                    if response.status_code != _HTTP_OK:
                        return await self._refusal(response)
                    if streamed is None or _is_json(response):
                        return await _read_whole(response)
                    return await _read_stream(response, streamed, limit)
                finally:
                    await response.aclose()
        except TimeoutError:
            if streamed is not None and streamed.is_over:
                return streamed.end()
            return timed_out(seconds, is_answering=streamed is not None and streamed.has_begun)
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            return _broken_connection(error)

    async def _refusal(self, response: httpx.Response) -> Failure:
        body = await _read_bounded(response, LONGEST_ERROR)
        return classify(response.status_code, response.headers, body or b"", self._wall_clock())

    async def _reason_for_refusal(self, model_id: str, refusal: Failure, began: float) -> Failure:
        """Find out why a stream was cut before it began.

        MindRouter refuses streams over the rate limit or the quota without a word; a tiny request
        that is not streamed gets the word. One at a time asks, and what it learns holds for all.
        """
        async with self._probing:
            if self._pauses.has_news_since(model_id, began):
                return msgspec.structs.replace(refusal, is_free=True)
            outcome = await self._post(wire.probe_body(model_id), self._new_request_id(), PROBE_SECONDS, None)
            if isinstance(outcome, Failure) and (outcome.scope != "call" or outcome.code in _KEY_REFUSED):
                # noted here, under the lock, so that the next in line need not ask again
                self._pauses.failed(model_id, outcome, outcome.wait)
                return outcome
            return refusal

    async def _get(self, path: str, headers: httpx.Headers) -> bytes | Failure:
        request = httpx.Request("GET", self._base_url + path, headers=headers, extensions=_EXTENSIONS)
        try:
            async with asyncio.timeout(LIST_SECONDS):
                response = await self._transport.handle_async_request(request)
                try:
                    if response.status_code != _HTTP_OK:
                        return await self._refusal(response)
                    body = await _read_bounded(response, LONGEST_ANSWER)
                    return body if body is not None else too_large(LONGEST_ANSWER)
                finally:
                    await response.aclose()
        except TimeoutError:
            return timed_out(LIST_SECONDS, is_answering=False)
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            return _broken_connection(error)

    def _reply(
        self,
        call: Call,
        body: bytes,
        request_id: str,
        outcome: Answer | Failure,
        started_at: datetime | None,
        latency: float,
        attempts: int,
    ) -> Reply:
        finished_at = self._wall_clock()
        answer = outcome if isinstance(outcome, Answer) else None
        return Reply(
            case=call.case,
            replicate=call.replicate,
            request_id=request_id,
            request_sha256=sha256(body).hexdigest(),
            text=answer.text if answer else None,
            finish_reason=answer.finish_reason if answer else None,
            usage=answer.usage if answer else None,
            started_at=_rfc3339(started_at or finished_at),
            finished_at=_rfc3339(finished_at),
            latency_ms=round(latency * 1000, 3),
            attempts=attempts,
            error=outcome.error if isinstance(outcome, Failure) else None,
        )


def _rfc3339(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _is_json(response: httpx.Response) -> bool:
    """Whether a server that was asked for a stream answered whole instead."""
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("application/json")


def _body(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body as it comes in; decoding takes time and is for servers that compress though asked not to."""
    if isinstance(response.stream, httpx.AsyncByteStream) and "content-encoding" not in response.headers:
        return response.stream
    return response.aiter_bytes()


async def _read_whole(response: httpx.Response) -> Answer | Failure:
    body = await _read_bounded(response, LONGEST_ANSWER)
    return too_large(LONGEST_ANSWER) if body is None else wire.parse_completion(body)


async def _read_bounded(response: httpx.Response, limit: int) -> bytes | None:
    """The body, or None when it is longer than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for data in _body(response):
        size += len(data)
        if size > limit:
            return None
        parts.append(data)
    return b"".join(parts)


async def _read_stream(
    response: httpx.Response, streamed: StreamedAnswer, limit: asyncio.Timeout
) -> Answer | Failure:
    try:
        async for data in _body(response):
            if streamed.is_over:
                break
            if streamed.feed(data):
                _hasten(limit)
    except (httpx.HTTPError, aiohttp.ClientError, OSError):
        # a cut connection: how much had come by then decides what it is, as at a regular end
        return streamed.end()
    return streamed.end()


def _hasten(limit: asyncio.Timeout) -> None:
    deadline, soon = limit.when(), asyncio.get_running_loop().time() + END_SECONDS
    limit.reschedule(soon if deadline is None else min(deadline, soon))


def _broken_connection(error: Exception) -> Failure:
    """Tell a connection that was not made from one that was cut.

    httpx-aiohttp gives both as a ConnectTimeout, but keeps aiohttp's own error as the cause.
    """
    cause = error.__cause__ if error.__cause__ is not None else error
    if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | httpx.ConnectError):
        return unreachable()
    return connection_lost(is_answering=False)
