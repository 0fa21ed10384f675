"""Fetches a small JSON document over HTTP: bounded in size and time, no redirects, no credentials."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from evalcore.formats.strict_json import parse_json
from evalcore.structs import JsonValue
from evalcore.version import __version__

SECONDS: Final = 10.0


class FetchFailed(Exception):
    """Why a document could not be fetched, in one line; `is_missing` where the server has none there."""

    def __init__(self, why: str, *, is_missing: bool = False) -> None:
        self.is_missing = is_missing
        super().__init__(why)


def fetch_json(url: str, limit: int, seconds: float = SECONDS) -> JsonValue:
    """Fetch a document of at most `limit` bytes within `seconds`, blocking; raises FetchFailed."""
    try:
        return parse_json(asyncio.run(_within(url, limit, seconds)).decode())
    except TimeoutError as error:
        raise FetchFailed(f"{url} did not answer within {seconds:.0f} s") from error
    except httpx.InvalidURL as error:
        raise FetchFailed(f"{url!r} is no address") from error
    except httpx.HTTPError as error:
        raise FetchFailed(f"{url} does not answer ({type(error).__name__})") from error
    except ValueError as error:
        raise FetchFailed(f"{url} answered something that is no JSON") from error


async def _within(url: str, limit: int, seconds: float) -> bytes:
    headers = {
        "User-Agent": f"evalhook/{__version__}",
        "Accept": "application/json",
        # A packed document could be far larger than what was received of it.
        "Accept-Encoding": "identity",
    }
    data = b""
    # httpx bounds the wait for each read, not for all of them: a server that sends a byte now and then, in
    # its headers too, could go on for ever. A loop of its own can end the whole, wherever it stands.
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(timeout=seconds) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            is_missing = answer.status_code == httpx.codes.NOT_FOUND
            raise FetchFailed(f"{url} answered {answer.status_code}", is_missing=is_missing)
        # Raw: a server that packs its answer although it was asked not to is not unpacked here either.
        async for chunk in answer.aiter_raw():
            data += chunk
            if len(data) > limit:
                raise FetchFailed(f"{url} answered with more than {limit} bytes")
    return data
