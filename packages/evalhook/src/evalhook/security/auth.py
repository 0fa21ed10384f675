"""Authentication: a shared token, a token of GitHub Actions, or a session of the status page.

It is checked before anything else of a request.
"""

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
from evalhook.security.throttle import Throttle
from evalhook.security.tokens import SharedTokens

OPEN_PATH: Final = "/health"
"""The one path of the API that needs no token; the status page's own are below."""
log = structlog.stdlib.get_logger(__name__)


class Authenticator:
    """Checks bearer tokens."""

    def __init__(self, tokens: SharedTokens, oidc: Oidc | None = None) -> None:
        self._tokens = tokens
        self._oidc = oidc

    def check_shared(self, shown: bytes) -> None:
        """Check a token that is to open a session; raises Refused.

        A token of GitHub Actions ends within minutes, and is a job's, not a person's: it opens none.
        """
        if not self._tokens.accept(shown):
            raise Refused("it is not the shared token")

    async def check(self, shown: bytes) -> None:
        """Check a bearer token; raises Refused."""
        if self._tokens.accept(shown):
            return
        if self._oidc is None:
            raise Refused("it is not the token")
        await self._oidc.check(shown)

    def era(self) -> bytes:
        """Return a value that changes whenever the shared tokens do."""
        return self._tokens.era()


class BearerAuth:
    """ASGI middleware that passes requests with a valid token on; all others get one and the same 401.

    It stands before routing, so that a stranger cannot tell an unknown path from a known one. The answer
    to a wrong token is delayed; to no token at all it is given at once, since that is no guess.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, throttle: Throttle) -> None:
        self._app = app
        self._authenticator = authenticator
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == ScopeType.WEBSOCKET:
            return  # returning without accepting closes it
        if scope["type"] == ScopeType.HTTP and not await self._may_pass(scope):
            await send_problem(send, problems.unauthorised())
        else:
            await self._app(scope, receive, send)

    async def _may_pass(self, scope: Scope) -> bool:
        # Before the headers are looked at: the image's own health check has no token to show.
        if scope["path"] == OPEN_PATH:
            return True
        values = shown_authorization(scope["headers"])
        client = client_of(scope)
        if not any(values):
            log.info("authentication_missing", client=client)
            return False
        try:
            await self._authenticator.check(bearer_token(values))
        except Refused as refusal:
            await self._throttle.failed(client, str(refusal))
            return False
        return True


def client_of(scope: Scope) -> str:
    """Return the client's address as `security.proxies` has determined it."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def shown_authorization(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Return the values of all Authorization headers."""
    return [value for name, value in headers if name.lower() == b"authorization"]


def bearer_token(values: list[bytes]) -> bytes:
    """Return the token of the one Authorization header; raises Refused."""
    # A proxy that looked at one of them and a service that takes the other would judge different callers.
    if len(values) != 1:
        raise Refused("more than one Authorization header")
    scheme, _, token = values[0].partition(b" ")
    if scheme.lower() != b"bearer":
        raise Refused("it is no bearer token")
    return token.strip(b" ")


LOGIN: Final = "/login"
# Signing out needs no session either, so that a browser whose session has ended still loses its cookie.
OPEN: Final = frozenset({LOGIN, "/logout"})
STATIC: Final = "/static/"


class SessionAuth:
    """ASGI middleware of the status page: what an open session may read goes to `app` without a token.

    So do signing in and out and static files. Everything else goes to `bearer`, which asks for the token.
    """

    def __init__(self, app: ASGIApp, bearer: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._bearer = bearer
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to `app` or to `bearer`."""
        if scope["type"] != ScopeType.HTTP:
            await self._bearer(scope, receive, send)
            return
        path, headers = scope["path"], Headers.from_scope(scope)
        is_get = scope.get("method") == "GET"
        if path in OPEN or path.startswith(STATIC) or (is_get and self._may_read(path, headers)):
            await self._app(scope, receive, send)
        elif path == "/" and is_get and "authorization" not in headers:
            # A stranger sees the form that asks for the token, under the address asked for.
            # No redirect: the address stays that of the page, which is there once somebody has signed in.
            scope["path"], scope["raw_path"] = LOGIN, LOGIN.encode()
            await self._app(scope, receive, send)
        else:
            await self._bearer(scope, receive, send)

    def _may_read(self, path: str, headers: Headers) -> bool:
        # Reading alone: a browser sends its cookie by itself, so that what changes something needs the token.
        # A request that shows a token is judged by that token, whatever session it also has.
        is_readable = path in {"/", "/jobs"} or path.startswith("/jobs/")
        if not is_readable or "authorization" in headers:
            return False
        session = session_of(headers)
        return session is not None and self._sessions.is_open(session)
