"""Fetches a small JSON document over HTTP: bounded in size and time, no redirects, no credentials."""

from __future__ import annotations

import time
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


def fetch_json(url: str, limit: int) -> JsonValue:
    """Fetch a document of at most `limit` bytes, blocking; raises FetchFailed."""
    # httpx bounds the wait for each chunk, not for all: a server that drips could hold it for ever.
    deadline, data = time.monotonic() + SECONDS, b""
    headers = {"User-Agent": f"evalhook/{__version__}", "Accept": "application/json"}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=SECONDS / 2) as answer:
            if answer.status_code != httpx.codes.OK:
                is_missing = answer.status_code == httpx.codes.NOT_FOUND
                raise FetchFailed(f"{url} answered {answer.status_code}", is_missing=is_missing)
            for chunk in answer.iter_bytes(16 * 1024):
                data += chunk
                if len(data) > limit:
                    raise FetchFailed(f"{url} answered with more than {limit} bytes")
                if time.monotonic() > deadline:
                    raise FetchFailed(f"{url} did not answer within {SECONDS:.0f} s")
        return parse_json(data.decode())
    except httpx.InvalidURL as error:
        raise FetchFailed(f"{url!r} is no address") from error
    except httpx.HTTPError as error:
        raise FetchFailed(f"{url} does not answer ({type(error).__name__})") from error
    except ValueError as error:
        raise FetchFailed(f"{url} answered something that is no JSON") from error
