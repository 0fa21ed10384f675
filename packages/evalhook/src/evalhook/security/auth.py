"""Who may call: a shared token, or a token of GitHub Actions; looked at before anything else of a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from evalhook import problems
from evalhook.problems import send_problem
from evalhook.security.oidc import Oidc, Refused
from evalhook.security.sessions import Sessions, session_of
from evalhook.security.throttle import Slowing
from evalhook.security.tokens import Tokens

OPEN_PATH: Final = "/health"
"""The one path that needs no token."""
log = structlog.stdlib.get_logger(__name__)


class Credentials:
    """Says whether a token that is shown may pass."""

    def __init__(self, tokens: Tokens, oidc: Oidc | None = None) -> None:
        self._tokens = tokens
        self._oidc = oidc

    async def check(self, shown: bytes) -> None:
        """Check a bearer token; raises Refused."""
        if self._tokens.accept(shown):
            return
        if self._oidc is None:
            raise Refused("it is not the token")
        await self._oidc.check(shown)

    def era(self) -> bytes:
        """Return what is the same for as long as the same shared tokens are valid."""
        return self._tokens.era()


class BearerAuth:
    """Lets requests through that show a token; all others get one and the same 401.

    It stands before routing, so that an unknown path is no more told to a stranger than a known one.
    Wrong tokens are slowed; no token at all is no attempt at one, and is answered at once.
    """

    def __init__(self, app: ASGIApp, credentials: Credentials, slowing: Slowing) -> None:
        self._app = app
        self._credentials = credentials
        self._slowing = slowing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == ScopeType.WEBSOCKET:
            return  # returning without accepting closes it
        if scope["type"] == ScopeType.HTTP and not await self._may_pass(scope):
            await send_problem(send, problems.unauthorised())
        else:
            await self._app(scope, receive, send)

    async def _may_pass(self, scope: Scope) -> bool:
        if scope["path"] == OPEN_PATH:
            return True
        values = shown_authorization(scope["headers"])
        client = client_of(scope)
        if not any(values):
            log.info("authentication_missing", client=client)
            return False
        try:
            await self._credentials.check(bearer_token(values))
        except Refused as refusal:
            await self._slowing.failed(client, str(refusal))
            return False
        return True


def client_of(scope: Scope) -> str:
    """Return the client's address as the entrance has found it out."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def shown_authorization(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Return the values of all Authorization headers."""
    return [value for name, value in headers if name.lower() == b"authorization"]


def bearer_token(values: list[bytes]) -> bytes:
    """Take the token out of the one Authorization header; raises Refused."""
    if len(values) != 1:
        raise Refused("more than one Authorization header")
    scheme, _, token = values[0].partition(b" ")
    if scheme.lower() != b"bearer":
        raise Refused("it is no bearer token")
    return token.strip(b" ")


LOGIN: Final = "/login"
OPEN: Final = frozenset({LOGIN, "/logout"})
STATIC: Final = "/static/"


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
