"""One server's connections: a request's bytes out, an answer or a failure in. Nothing is tried again here.

What the bytes mean is the dialect's to say; this module knows HTTP, time limits and size limits.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from evalcore.clients.dialect import LONGEST_ANSWER, Dialect, Request, StreamReader, Upload
from evalcore.clients.failures import Failure, connection_lost, timed_out, too_large, unreachable
from evalcore.clients.reply import Answer
from evalcore.clients.stream_limit import SILENCE_SECONDS, StreamLimit
from evalcore.secret import Scrubber, Secret

CONNECT_SECONDS: Final = 10.0
"""For a connection to be made."""
LIST_SECONDS: Final = 15.0
"""For the list of models, and for the server's version."""
TRANSFER_SECONDS: Final = 600.0
"""For a batch, or its results."""
LARGEST_TRANSFER: Final = 2**28
"""Bytes of a batch, or of its results."""
DEAD_SECONDS: Final = 30
"""After so long without a sign of the other side a connection is known to be dead."""
PROBE_AFTER_SECONDS: Final = 15
PROBE_EVERY_SECONDS: Final = 5
"""An idle connection is probed: so long after the last sign, then so often."""
# Below the 5 s after which uvicorn, which MindRouter runs on, closes an idle connection itself: a request
# that is sent at that moment is cut.
KEEP_ALIVE_SECONDS: Final = 4.0
"""How long an idle connection is kept for the next request."""
END_SECONDS: Final = 1.0
"""How long a stream may stay open after its end mark; read to its end, its connection can be used again."""
LONGEST_ERROR: Final = 2**20
"""Bytes of an error's body that are read."""
# A megabyte on the wire can be a gigabyte unpacked: after each piece whoever reads decides if it is enough.
PIECE: Final = 2**16
"""Bytes that are unpacked at a time."""

_HTTP_OK: Final = 200
# No limit but that of connecting: how long an answer may take is for asyncio.timeout and StreamLimit to say.
_EXTENSIONS: Final = {"timeout": httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()}
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_BROKEN: Final = (httpx.HTTPError, aiohttp.ClientError, OSError)
"""What a connection that is not made, or is cut, raises."""
_NOT_MADE: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, httpx.ConnectError)


AddressInfo: TypeAlias = aiohttp.AddrInfoType
OnHeaders: TypeAlias = Callable[[Mapping[str, str]], None]
SocketFactory: TypeAlias = Callable[[AddressInfo], socket.socket]


def open_transport(
    base_url: str, socket_factory: SocketFactory | None = None, proxy: str | None = None
) -> httpx.AsyncBaseTransport:
    """Aiohttp's connections under httpx, at a third of httpx's own CPU time per call.

    `proxy` is the URL of an HTTP proxy; one that the environment names never counts.
    """
    if base_url.lower().startswith("https:"):
        # certificates from SSL_CERT_FILE or SSL_CERT_DIR where those are set
        context = httpx.create_ssl_context(trust_env=True)
    else:
        # nothing to verify, and loading the certificates takes 20 ms
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sockets = probed_socket if socket_factory is None else socket_factory
    through = None if proxy is None else httpx.Proxy(proxy)
    return AiohttpTransport(verify=context, client=lambda: _session(context, sockets), proxy=through)


def _session(context: ssl.SSLContext, sockets: SocketFactory) -> aiohttp.ClientSession:
    # The callers bound them: at aiohttp's own limit of 100, calls would wait inside their time limit.
    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=context, socket_factory=sockets
    )
    # No cookies, and no proxy or password of the environment: the key would go along.
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


def probed_socket(address: AddressInfo) -> socket.socket:
    """Make a socket that finds out within `DEAD_SECONDS` that the other side is there no more."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    # Without these options a cut cable is noticed after hours, or never while an answer is waited for. Each
    # system has those that it has.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", PROBE_AFTER_SECONDS),
        ("TCP_KEEPALIVE", PROBE_AFTER_SECONDS),  # what macOS calls it
        ("TCP_KEEPINTVL", PROBE_EVERY_SECONDS),
        ("TCP_KEEPCNT", (DEAD_SECONDS - PROBE_AFTER_SECONDS) // PROBE_EVERY_SECONDS),
        ("TCP_USER_TIMEOUT", DEAD_SECONDS * 1000),  # for bytes that were sent and never acknowledged
    ):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


class Connection:
    """Sends requests to one server; whatever happens to one is in what is returned.

    `headers` go with every request, those of `dialect.headers(api_key)` with all but the question for
    the server's version. It uses the transport as it is: httpx.AsyncClient would add cookies, redirects
    and proxies from the environment, none of which the key may follow, and a tenth of the CPU time of
    a call.
    """

    def __init__(
        self,
        dialect: Dialect,
        root: str,
        api_key: str | None,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport,
        wall_clock: Callable[[], datetime],
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self._dialect = dialect
        self._root = root
        with_key = {**headers, **dialect.headers(api_key)}
        self._headers_without_key = httpx.Headers(headers)
        self._headers_with_key = httpx.Headers(with_key)
        self._post_headers = httpx.Headers({**with_key, "Content-Type": "application/json"}).raw
        self._urls: dict[str, httpx.URL] = {}
        self._transport = transport
        self._wall_clock = wall_clock
        self._silence = silence
        self._scrub = Scrubber([Secret(api_key)] if api_key else [])

    def without_key(self, text: str | None) -> str | None:
        """Return an answer's text with the key masked: replies are stored, shown, handed on as artifacts.

        What a refusal says is masked where it is read (see failures).
        """
        return None if text is None else self._scrub(text)

    async def post(
        self,
        request: Request,
        request_id: str,
        seconds: float,
        stream: StreamReader | None,
        idle_timeout: float = float("inf"),
        on_headers: OnHeaders | None = None,
    ) -> Answer | Failure:
        """Ask for an answer, within `seconds` for all of it; into `stream` where it is to be one.

        `idle_timeout` is for the silences of a stream (see StreamLimit), in seconds. `on_headers` is given
        the response's headers as soon as they come.
        """
        sent = self._post_request(request, request_id)
        time = asyncio.get_running_loop().time
        patience = StreamLimit(seconds, idle_timeout, time(), self._silence)
        try:
            # One limit for all of the attempt; httpx has only limits between two reads, which an answer of
            # single bytes never reaches.
            async with asyncio.timeout(seconds) as limit:
                response = await self._transport.handle_async_request(sent)
                try:
                    if on_headers is not None:
                        on_headers(response.headers)
                    if response.status_code != _HTTP_OK:
                        return await self._refusal(response)
                    if stream is None or _is_json(response):
                        return await self._read_whole(response)
                    return await _read_stream(response, stream, limit, patience)
                finally:
                    # Whatever happened: MindRouter ends an abandoned stream within 0.3 s, while one that
                    # stays open keeps its slot.
                    await response.aclose()
        except TimeoutError:
            # The answer was whole, and only the end of its connection did not come within END_SECONDS.
            if stream is not None and stream.is_over:
                return stream.end()
            return patience.ran_out()
        except _BROKEN as error:
            return _broken_connection(error)

    def _post_request(self, request: Request, request_id: str) -> httpx.Request:
        """Build the request, at a third of the CPU time that httpx takes to work out the same headers."""
        url = self._urls.get(request.path)
        if url is None:
            # parsed once: there is one path for each model at most
            url = self._urls[request.path] = httpx.URL(self._root + request.path)
        headers = [*self._post_headers, (b"X-Request-ID", request_id.encode("ascii"))]
        # given as a stream, the body adds no headers: the transport adds Host and Content-Length
        built = httpx.Request(
            "POST", url, headers=headers, stream=httpx.ByteStream(request.body), extensions=_EXTENSIONS
        )
        # httpx would try several encodings on all headers each time that they are read.
        built.headers.encoding = "ascii"
        # A body that is not read yet would be sent in chunks instead of with its length.
        built.read()
        return built

    async def _refusal(self, response: httpx.Response) -> Failure:
        try:
            body = await _read_bounded(response, LONGEST_ERROR)
        except _BROKEN:
            # the status has come, and says more than the cut does
            body = None
        return self._dialect.read_failure(
            response.status_code, response.headers, body or b"", self._wall_clock()
        )

    async def _read_whole(self, response: httpx.Response) -> Answer | Failure:
        body = await _read_bounded(response, LONGEST_ANSWER)
        return too_large(LONGEST_ANSWER) if body is None else self._dialect.read_answer(body)

    async def get(self, path: str, *, with_key: bool) -> bytes | Failure:
        """Ask for a small document, such as the list of models."""
        headers = self._headers_with_key if with_key else self._headers_without_key
        request = httpx.Request("GET", self._root + path, headers=headers, extensions=_EXTENSIONS)
        return await self._whole(request, LIST_SECONDS, LONGEST_ANSWER)

    async def transfer(
        self,
        path: str,
        upload: Upload | None = None,
        seconds: float = TRANSFER_SECONDS,
        longest: int = LARGEST_TRANSFER,
    ) -> bytes | Failure:
        """Send a large document with the key, or ask for one, within so many seconds.

        `longest` bounds the answer, in bytes.
        """
        headers = httpx.Headers(self._headers_with_key)
        if upload is None:
            request = httpx.Request("GET", self._root + path, headers=headers, extensions=_EXTENSIONS)
        else:
            headers["Content-Type"] = upload.content_type
            request = httpx.Request(
                "POST", self._root + path, headers=headers, content=upload.body, extensions=_EXTENSIONS
            )
        return await self._whole(request, seconds, longest)

    async def _whole(self, request: httpx.Request, seconds: float, longest: int) -> bytes | Failure:
        try:
            async with asyncio.timeout(seconds):
                response = await self._transport.handle_async_request(request)
                try:
                    if response.status_code != _HTTP_OK:
                        return await self._refusal(response)
                    body = await _read_bounded(response, longest)
                    return body if body is not None else too_large(longest)
                finally:
                    await response.aclose()
        except TimeoutError:
            return timed_out(seconds, is_answering=False)
        except _BROKEN as error:
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
    response: httpx.Response, stream: StreamReader, limit: asyncio.Timeout, patience: StreamLimit
) -> Answer | Failure:
    time = asyncio.get_running_loop().time
    try:
        async for data in _body(response):
            if stream.is_over:
                break
            is_over = stream.feed(data)
            late = patience.bytes_came(time(), has_begun=stream.has_begun)
            if is_over:
                _bring_forward(limit)
            elif late is not None:
                return late
            else:
                limit.reschedule(patience.deadline())
    except _BROKEN:
        # a cut connection: how much had come by then decides what it is, as at a regular end
        return stream.end()
    return stream.end()


def _bring_forward(limit: asyncio.Timeout) -> None:
    """End the call soon: all of the answer is there, and only the connection's end is waited for."""
    deadline, soon = limit.when(), asyncio.get_running_loop().time() + END_SECONDS
    limit.reschedule(soon if deadline is None else min(deadline, soon))


def _broken_connection(error: Exception) -> Failure:
    """Tell a connection that was not made from one that was cut."""
    # httpx-aiohttp gives both as a ConnectTimeout, but has aiohttp's own error as the cause.
    cause = error.__cause__ if error.__cause__ is not None else error
    # A proxy that does not reach the server, or may not, says so before anything is sent to the server.
    if isinstance(cause, (*_NOT_MADE, aiohttp.ClientHttpProxyError)):
        return unreachable()
    return connection_lost(is_answering=False)


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
