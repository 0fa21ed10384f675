"""The few pieces of ASGI that the simulation needs."""

from __future__ import annotations

import uuid
from typing import cast

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from evalcore.structs import Frozen
from evalsim.serving import ConnectionCut

LARGEST_BODY = 64 * 2**20
"""Bytes; MindRouter itself has no limit, the proxies before it take 50 MB."""

JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"
Headers = list[tuple[bytes, bytes]]


class Disconnected(Exception):
    """The client has gone."""


class Response(Frozen, frozen=True):
    """An answer that is sent whole."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    has_request_id: bool = True
    has_length: bool = True
    """Otherwise it is sent chunked."""


class Exchange:
    """One request, and the way to answer it."""

    def __init__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.method = scope["method"]
        self.path = scope["path"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._receive = receive
        self._send = send
        self.request_id = self.headers.get("x-request-id") or str(uuid.uuid4())

    async def body(self) -> bytes:
        """The whole request; raises Disconnected."""
        parts: list[bytes] = []
        size, has_more = 0, True
        while has_more and size <= LARGEST_BODY:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part = cast("bytes", message.get("body", b""))
            parts.append(part)
            size += len(part)
            has_more = bool(message.get("more_body", False))
        return b"".join(parts)

    async def disconnection(self) -> None:
        """Wait until the client goes."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(self, response: Response) -> None:
        """Send a whole answer."""
        headers: Headers = [(b"content-type", response.content_type), *response.headers]
        if response.has_length:
            headers.insert(0, (b"content-length", str(len(response.body)).encode()))
        # A 500 has none, as recorded.
        if response.has_request_id:
            headers.append((b"x-request-id", self.request_id.encode("latin-1")))
        await self.start(response.status, headers)
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})

    async def start_stream(self) -> None:
        """Begin a streamed 200, with the gateway's two request ids."""
        first = f"chatcmpl-{uuid.uuid4().hex[:24]}".encode()
        await self.start(
            200,
            [
                (b"cache-control", b"no-cache"),
                (b"connection", b"keep-alive"),
                # Twice, as recorded: the first is the gateway's own, as its logs have it, the second the
                # client's.
                (b"x-request-id", first),
                (b"x-request-id", self.request_id.encode("latin-1")),
                (b"content-type", EVENTS),
            ],
        )

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status and the headers."""
        await self._send(
            {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
        )

    async def write(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """Say that the body is whole."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def cut_after(self, response: Response, length: int) -> None:
        """Send the first `length` bytes of an answer and cut the connection; raises ConnectionCut."""
        headers: Headers = [
            # Longer than what is sent: otherwise half of an answer could be taken for a whole one.
            (b"content-length", str(len(response.body) + 1).encode()),
            (b"content-type", response.content_type),
            (b"x-request-id", self.request_id.encode("latin-1")),
        ]
        await self.start(response.status, headers)
        await self.write(response.body[:length])
        raise ConnectionCut
