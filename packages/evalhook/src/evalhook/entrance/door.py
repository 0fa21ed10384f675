"""The door for people: pages and a session cookie, beside the bearer token for programs.

A session opens reading alone (`GET /`, `GET /jobs...`), so that no other site can make a browser do anything
with it; the two forms that post (sign in, sign out) check where they come from.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from evalhook.entrance.sessions import LIFETIME_SECONDS, Sessions

COOKIE: Final = "__Host-evalhook"
LOGIN: Final = "/login"
OPEN: Final = frozenset({LOGIN, "/logout"})
STATIC: Final = "/static/"
MAX_COOKIE: Final = 4096


class PageDoor:
    """Passes on what a page needs, or a session may read; everything else must show the token."""

    def __init__(self, app: ASGIApp, guarded: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._guarded = guarded
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, by one way or the other."""
        if scope["type"] != ScopeType.HTTP:
            await self._guarded(scope, receive, send)
            return
        path, headers = scope["path"], Headers.from_scope(scope)
        is_get = scope.get("method") == "GET"
        if path in OPEN or path.startswith(STATIC) or (is_get and self._may_read(path, headers)):
            await self._app(scope, receive, send)
        elif path == "/" and is_get and "authorization" not in headers:
            # A stranger sees the form that asks for the token, under the address asked for.
            scope["path"], scope["raw_path"] = LOGIN, LOGIN.encode()
            await self._app(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    def _may_read(self, path: str, headers: Headers) -> bool:
        is_readable = path in {"/", "/jobs"} or path.startswith("/jobs/")
        if not is_readable or "authorization" in headers:
            return False
        session = session_of(headers)
        return session is not None and self._sessions.is_open(session)


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
    """The header that gives a session to a browser; an empty session takes it back.

    Browsers keep it over plain HTTP from this machine's own addresses too.
    """
    age = LIFETIME_SECONDS if session else 0
    return f"{COOKIE}={session}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict"


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether another site made the browser send this request."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
