"""One server's connections: a request's bytes out, an answer or a failure in. Nothing is tried again here."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from datetime import datetime

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from evalcore.clients.failures import (
    Answer,
    Failure,
    classify,
    connection_lost,
    timed_out,
    too_large,
    unreachable,
)
from evalcore.clients.openai import wire
from evalcore.clients.openai.stream import LONGEST_ANSWER, StreamedAnswer

CONNECT_SECONDS = 10.0
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


def open_transport(base_url: str) -> httpx.AsyncBaseTransport:
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


class Connection:
    """Sends requests to one server; whatever happens to one is in what is returned.

    It uses the transport as it is: httpx.AsyncClient would add cookies, redirects and proxies from
    the environment, none of which the key may follow, and a tenth of the CPU time of a call.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport,
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._get_headers = httpx.Headers(headers)
        self._post_headers = httpx.Headers({**headers, "Content-Type": "application/json"}).raw
        self._chat_url = httpx.URL(self._base_url + wire.CHAT_PATH)
        self._transport = transport
        self._wall_clock = wall_clock

    async def chat(
        self, body: bytes, request_id: str, seconds: float, streamed: StreamedAnswer | None
    ) -> Answer | Failure:
        """Ask for a chat completion, within `seconds` for all of it; into `streamed` where it is a stream."""
        request = self._chat_request(body, request_id)
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

    def _chat_request(self, body: bytes, request_id: str) -> httpx.Request:
        """Build the request, at a third of the CPU time that httpx takes to work out the same headers."""
        headers = [*self._post_headers, (b"X-Request-ID", request_id.encode("ascii"))]
        # given as a stream, the body adds no headers: the transport adds Host and Content-Length
        request = httpx.Request(
            "POST", self._chat_url, headers=headers, stream=httpx.ByteStream(body), extensions=_EXTENSIONS
        )
        request.headers.encoding = "ascii"
        request.read()
        return request

    async def _refusal(self, response: httpx.Response) -> Failure:
        try:
            body = await _read_bounded(response, LONGEST_ERROR)
        except (httpx.HTTPError, aiohttp.ClientError, OSError):
            # the status has come, and says more than the cut does
            body = None
        return classify(response.status_code, response.headers, body or b"", self._wall_clock())

    async def get(self, path: str, *, with_key: bool) -> bytes | Failure:
        """Ask for a small document, such as the list of models."""
        headers = self._get_headers
        if not with_key:
            headers = headers.copy()
            headers.pop("Authorization", None)
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


def _is_json(response: httpx.Response) -> bool:
    """Whether a server that was asked for a stream answered whole instead."""
    kind: str = response.headers.get("content-type", "")
    return kind.startswith("application/json")


def _body(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body as it comes in, unpacked where the server compresses though asked not to."""
    # the stream itself, since httpx's bookkeeping takes time
    body = response.stream if isinstance(response.stream, httpx.AsyncByteStream) else response.aiter_raw()
    return inflated(body, response.headers.get("content-encoding", ""))


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


PIECE = 2**16
"""Bytes; a megabyte on the wire can be a gigabyte unpacked, and whoever reads decides when it is enough."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def inflated(body: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """The body unpacked; as it is where the encoding is another, or several on top of each other.

    Reading raises httpx.DecodingError where it is not what it says.
    """
    return _unpacked(body) if encoding.strip().lower() in _ENCODINGS else body


async def _unpacked(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    async for data in body:
        rest = data
        while rest:
            try:
                piece = decompressor.decompress(rest, PIECE)
            except zlib.error as error:
                message = "the body is not compressed as it says"
                raise httpx.DecodingError(message) from error
            if piece:
                yield piece
            rest = decompressor.unconsumed_tail
