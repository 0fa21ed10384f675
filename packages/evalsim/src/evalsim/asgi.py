"""The few pieces of ASGI that the simulated applications share: a bounded body, an answer, the lifespan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec

# ASGI's messages are plain dictionaries; each server types them in its own way.
Scope: TypeAlias = Any
Message: TypeAlias = Any
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a request; what is larger is not read."""


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(status: int, value: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer in JSON, with the content type that GitHub gives it."""
    content = ("Content-Type", "application/json; charset=utf-8")
    return Answer(status, msgspec.json.encode(value), (content, *headers))


def header(scope: Scope, name: str) -> str | None:
    """A request header's value."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


async def read_body(receive: Receive, most: int = BODY_LIMIT) -> bytes | None:
    """The whole request body; None where it is over so many bytes, or the client has gone."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            return None
    return bytes(body)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer whole."""
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def serve_lifespan(receive: Receive, send: Send) -> None:
    """Answer the server that there is nothing to start and nothing to stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
