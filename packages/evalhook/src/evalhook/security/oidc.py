"""GitHub Actions' own tokens instead of a shared secret: verified against the issuer's keys.

Of the token's header only the algorithm and the key's id are read: `jku`, `x5u`, `x5c` and `jwk` name
keys that the sender chose, and are ignored. The algorithm is pinned, so that neither `none` nor an HMAC
made with the public key is ever accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import jwt
from jwt.exceptions import InvalidTokenError

from evalhook.config.oidc_rules import OidcSettings, TokenRule
from evalhook.security.jwks import KeySet

ALGORITHM: Final = "RS256"
# For clocks that differ; little beside the five minutes for which GitHub's tokens are valid.
LEEWAY_SECONDS: Final = 30.0
MAX_TOKEN: Final = 8 * 1024
MAX_KID: Final = 256
LOOKS_LIKE_ONE: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Refused(Exception):
    """Why a token is not accepted; logged, and never sent to the caller."""


class Oidc:
    """Accepts tokens of one issuer, made for this audience, of workflows that the rules allow."""

    def __init__(self, settings: OidcSettings, keys: KeySet) -> None:
        self._settings = settings
        self._keys = keys

    async def check(self, token: bytes) -> None:
        """Verify a token and its claims; raises Refused."""
        # Before anything is decoded: whoever shows this token is not known yet.
        if len(token) > MAX_TOKEN or LOOKS_LIKE_ONE.fullmatch(token) is None:
            raise Refused("no token of ours, and no JSON Web Token")
        claims = await self._verified(token.decode("ascii"))
        if not _any_allows(self._settings.rules, claims):
            raise Refused(f"the OIDC token is of {_who(claims)}, which no rule allows")

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.key(_key_id(token))
            if key is None:
                raise Refused("the OIDC token is signed with a key that is not the issuer's")
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=LEEWAY_SECONDS,
                # One audience, no list: a token for several services could be passed on by any of them.
                # PyJWT checks the times that are there, and takes a token that names none.
                options={"require": ["exp", "nbf", "iat", "iss", "aud"], "strict_aud": True},
            )
        # RecursionError: header and claims are JSON, which a forger may nest without end.
        except (InvalidTokenError, ValueError, RecursionError) as error:
            # Only the kind of the error is logged: its message may repeat what the token says.
            raise Refused(f"the OIDC token is not valid ({type(error).__name__})") from error


def _key_id(token: str) -> str:
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM:
        raise Refused(f"the OIDC token is not signed with {ALGORITHM}")
    # `crit` names extensions that must be understood (RFC 7515, 4.1.11), and none of them is.
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID or "crit" in header:
        raise Refused("the OIDC token's header is not one of the issuer's")
    return kid


def _any_allows(rules: Sequence[TokenRule], claims: dict[str, Any]) -> bool:
    return any(rule.allows(claims) for rule in rules)


def _who(claims: dict[str, Any]) -> str:
    # The signature is valid: these are GitHub's claims, which an operator needs to correct a rule.
    names = ("repository", "ref", "workflow_ref", "environment")
    return " ".join(f"{name}={str(claims[name])[:200]}" for name in names if name in claims)
