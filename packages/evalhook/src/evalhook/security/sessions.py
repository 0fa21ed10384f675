"""Sessions of the status page: random ids, held in memory alone, so that a restart signs everybody out.

So does a change of the shared tokens: a session ends with the token that opened it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Headers

LIFETIME_SECONDS: Final = 12 * 3600
MOST_SESSIONS: Final = 64


class Sessions:
    """A bounded number of sessions, each with an end."""

    def __init__(
        self,
        *,
        era: Callable[[], bytes] = bytes,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._era = era
        self._monotonic = monotonic
        self._new_id = new_id
        # Stored as digests, so that the time of a lookup does not depend on the characters of an id.
        self._ends: dict[bytes, tuple[float, bytes]] = {}

    def open(self) -> str:
        """Begin one and return its id; where there are too many, the oldest ends."""
        self._drop_ended()
        # Who holds the token may sign in over and over: memory stays bounded, and the newest gets in.
        while len(self._ends) >= MOST_SESSIONS:
            del self._ends[next(iter(self._ends))]
        session = self._new_id()
        self._ends[_digest(session)] = (self._monotonic() + LIFETIME_SECONDS, self._era())
        return session

    def is_open(self, session: str) -> bool:
        """Whether an id is of a session that has not ended."""
        found = self._ends.get(_digest(session))
        return found is not None and self._monotonic() < found[0] and found[1] == self._era()

    def close(self, session: str) -> None:
        """End one."""
        self._ends.pop(_digest(session), None)

    def _drop_ended(self) -> None:
        now = self._monotonic()
        self._ends = {digest: kept for digest, kept in self._ends.items() if now < kept[0]}


def _digest(session: str) -> bytes:
    return sha256(session.encode()).digest()


# Browsers take a cookie of this prefix from a secure page alone, without Domain and for `/` (RFC 6265bis):
# no other host of the domain can set one.
COOKIE: Final = "__Host-evalhook"
MAX_COOKIE: Final = 4096


def session_of(headers: Headers) -> str | None:
    """The session that a request shows."""
    text = headers.get("cookie", "")
    if not text or len(text) > MAX_COOKIE:
        return None
    try:
        cookies = SimpleCookie(text)
    except CookieError:
        return None
    found = cookies.get(COOKIE)
    return None if found is None else found.value


def cookie(session: str) -> str:
    """The header that sets a browser's session; an empty session removes it.

    Browsers keep it over plain HTTP from this machine's own addresses too.
    """
    age = LIFETIME_SECONDS if session else 0
    # Strict: the browser sends it with no link, form or image of another site; HttpOnly: no script reads it.
    return f"{COOKIE}={session}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict"


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether another site made the browser send this request."""
    # Browsers of before 2023 may not send it; for those, Origin decides.
    # `none` is an address that somebody typed or a bookmark; a subdomain says `same-site` and counts as
    # another.
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True  # no browser writes what is no URL
