"""The bearer token, looked at before anything else of a request."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from evalhook import problems
from evalhook.secret import Secret
from evalhook.sending import send_problem

OPEN_PATH: Final = "/health"
"""The one path that needs no token."""


class BearerAuth:
    """Lets requests through that show the token; all others get one and the same 401.

    It stands before routing, so that an unknown path is no more told to a stranger than a known one.
    """

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._digest = _digest(token.reveal().encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] == ScopeType.WEBSOCKET:
            return  # returning without accepting closes it
        if scope["type"] == ScopeType.HTTP and not self._may_pass(scope):
            await send_problem(send, problems.unauthorised())
        else:
            await self._app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        return scope["path"] == OPEN_PATH or self._is_authorised(scope["headers"])

    def _is_authorised(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        shown = [value for name, value in headers if name.lower() == b"authorization"]
        if len(shown) != 1:
            return False
        scheme, _, token = shown[0].partition(b" ")
        # Digests have one length, so that the comparison's time tells nothing about the token's.
        return hmac.compare_digest(_digest(token.strip(b" ")), self._digest) and scheme.lower() == b"bearer"


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()
