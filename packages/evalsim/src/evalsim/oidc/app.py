"""An OpenID Connect issuer as GitHub Actions has one: its configuration, its keys, its tokens.

A job asks at `ACTIONS_ID_TOKEN_REQUEST_URL` with `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, naming the audience,
and gets `{"value": token}`; whoever verifies it asks for the two documents under `/.well-known`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from evalsim.asgi import Answer, Receive, Scope, Send, header, json_answer, send_answer, serve_lifespan
from evalsim.oidc.keys import SigningKey

LIFETIME_SECONDS = 300
REQUEST_TOKEN = "simulated-request-token"  # noqa: S105 - as made up as everything here


class SimulatedIssuer:
    """The ASGI application; `url` is set once it is known where it listens."""

    def __init__(self, key: SigningKey, **claims: str) -> None:
        self.url = ""
        self.keys = [key]
        """All are published, and the first one signs: so keys are rotated."""
        self.claims: dict[str, Any] = claims
        """What the tokens of jobs say of their workflow."""
        self.has_ids_in_subject = False
        """Whether subjects are those of repositories made after 2026-07-15."""
        self.is_down = False
        self.asked: list[str] = []

    def token(self, audience: str, key: SigningKey | None = None, **changes: object) -> str:
        """Make a token as a job would get it; a claim that is changed to None is left out."""
        now = int(time.time())
        times = {"iat": now, "nbf": now - 60, "exp": now + LIFETIME_SECONDS}
        claims = {"iss": self.url, "aud": audience, **times, **self.claims, **changes}
        claims.setdefault("sub", self._subject(claims))
        kept = {name: value for name, value in claims.items() if value is not None}
        return (key or self.keys[0]).sign(kept)

    def _subject(self, claims: Mapping[str, object]) -> str | None:
        """Write a job's subject from what else its token says; None where that names no repository."""
        owner, slash, name = str(claims.get("repository") or "").partition("/")
        if not slash:
            return None
        if self.has_ids_in_subject:
            owner += f"@{claims.get('repository_owner_id', '1')}"
            name += f"@{claims.get('repository_id', '2')}"
        environment, ref = claims.get("environment"), claims.get("ref", "refs/heads/main")
        return f"repo:{owner}/{name}:" + (f"environment:{environment}" if environment else f"ref:{ref}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        self.asked.append(scope["path"])
        await send_answer(send, json_answer(503, {}) if self.is_down else self._answer(scope))

    def _answer(self, scope: Scope) -> Answer:
        match scope["path"]:
            case "/.well-known/openid-configuration":
                return json_answer(200, {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks"})
            case "/.well-known/jwks":
                return json_answer(200, {"keys": [key.jwk for key in self.keys]})
            case "/token" if header(scope, "authorization") == f"bearer {REQUEST_TOKEN}":
                audience = parse_qs(scope["query_string"].decode()).get("audience", [""])[0]
                return json_answer(200, {"value": self.token(audience)})
            case _:
                return json_answer(404, {"message": "Not Found"})
