"""The body of a request: bounded in size and time, whatever its headers say, then decoded strictly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Final, NoReturn

from litestar.exceptions import InternalServerException

from evalcore.decoding import convert
from evalhook import problems
from evalhook.jobs import EvaluateRequest

MAX_BODY: Final = 4 * 1024
MAX_BODY_SECONDS: Final = 10.0
DRAINED: Final = 256 * 1024
"""What is still read of a body that is too large, so that its sender gets to see the answer."""


async def read_request(headers: Mapping[str, str], stream: AsyncIterator[bytes]) -> EvaluateRequest:
    """Read, check and decode a request: 413, then 415, then 400."""
    # Read before its type is looked at: a sender that is answered in mid-body may never see the answer.
    body = await read_bytes(stream)
    if not _is_json(headers):
        raise problems.unsupported_media_type()
    return _decode(body)


async def read_bytes(stream: AsyncIterator[bytes]) -> bytes:
    """Read a body within its bounds: 408 or 413."""
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            return await _read_bounded(stream)
    except TimeoutError:
        raise problems.too_slow(MAX_BODY_SECONDS) from None


async def _read_bounded(stream: AsyncIterator[bytes]) -> bytes:
    body, size = b"", 0
    try:
        async for chunk in stream:
            size += len(chunk)
            if size <= MAX_BODY:
                body += chunk
            elif size > DRAINED:
                break
    except InternalServerException as error:
        # How Litestar reports a client that has disconnected, which is no error of the service.
        raise problems.invalid_request("the connection ended in the middle of the body") from error
    if size > MAX_BODY:
        raise problems.too_large(MAX_BODY)
    return body


def _is_json(headers: Mapping[str, str]) -> bool:
    kind, *parameters = headers.get("content-type", "").lower().split(";")
    charset = [p.strip().removeprefix("charset=").strip('"') for p in parameters if "charset=" in p]
    # Nothing is inflated: 4 KiB could become any size.
    is_encoded = headers.get("content-encoding", "identity").lower() != "identity"
    return kind.strip() == "application/json" and charset in ([], ["utf-8"]) and not is_encoded


def _decode(body: bytes) -> EvaluateRequest:
    try:
        # Not msgspec's decoder: it takes the last of two equal fields without a word.
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_float=_number, parse_constant=_no_constant
        )
        return convert(value, EvaluateRequest)
    except RecursionError:
        raise problems.invalid_request("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise problems.invalid_request("the body is not UTF-8") from None
    except ValueError as error:  # msgspec's errors are ValueErrors too
        raise problems.invalid_request(str(error)) from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Which of two equal keys was meant cannot be known.
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a field is there twice")
    return dict(pairs)


def _number(text: str) -> float | int:
    """Read 2.0 as 2: JSON has one kind of number, and JSON Schema calls this one an integer."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
