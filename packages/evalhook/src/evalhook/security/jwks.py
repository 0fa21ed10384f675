"""The issuer's public keys: from its well-known URL and no other, cached, refreshed at a bounded rate."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from evalcore.decoding import convert
from evalcore.structs import Frozen, JsonValue
from evalhook.security.fetch import FetchFailed, fetch_json
from evalhook.threads import in_thread

MAX_DOCUMENT_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 100
MIN_KEY_BITS: Final = 2048
"""The least that RS256 may be used with (RFC 7518, 3.3)."""
FRESH_SECONDS: Final = 3600.0
"""How long keys are used without asking again."""
LONGEST_SECONDS: Final = 24 * 3600.0
"""How long they are used while the issuer cannot be asked: a withdrawn one is good no longer than this."""
ASK_AGAIN_SECONDS: Final = 10.0
"""The shortest time between two requests to the issuer, however many tokens come meanwhile."""
log = structlog.stdlib.get_logger(__name__)


class Discovery(Frozen, frozen=True):
    """What is read of the issuer's openid-configuration."""

    issuer: str
    jwks_uri: str


class Jwk(Frozen, frozen=True):
    """What is read of one key; `x5u` and all else that could name another place is ignored."""

    kty: str
    kid: str = ""
    n: str = ""
    e: str = ""
    # Both may be left out of a key (RFC 7517, 4.2 and 4.4), and then it is usable for what it fits.
    use: str = "sig"
    alg: str = "RS256"


class Jwks(Frozen, frozen=True):
    """A set of keys."""

    keys: list[Jwk]


class KeySet:
    """The keys of one issuer, by their id."""

    def __init__(
        self,
        issuer: str,
        *,
        monotonic: Callable[[], float],
        fetch: Callable[[str, int], JsonValue] = fetch_json,
    ) -> None:
        self._issuer = issuer
        self._monotonic = monotonic
        self._fetch = fetch
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def key(self, kid: str) -> RSAPublicKey | None:
        """Return a key, fetching them anew where it is unknown or they are old; None where there is none."""
        if self._needs(kid):
            async with self._asking:
                # Another request may have fetched it while this one waited for the lock.
                if self._needs(kid) and self._may_ask():
                    await self._refresh()
        return self._keys.get(kid) if self._age() < LONGEST_SECONDS else None

    def _age(self) -> float:
        """Seconds since the keys were fetched; infinite before."""
        return math.inf if self._fetched_at is None else self._monotonic() - self._fetched_at

    def _needs(self, kid: str) -> bool:
        return kid not in self._keys or self._age() >= FRESH_SECONDS

    def _may_ask(self) -> bool:
        # Anybody can send tokens with made-up key ids; they must not make us call the issuer each time.
        return self._asked_at is None or self._monotonic() - self._asked_at >= ASK_AGAIN_SECONDS

    async def _refresh(self) -> None:
        # Before it is known how it ends: an issuer that is down must not be asked for every token.
        self._asked_at = self._monotonic()
        try:
            self._keys = await in_thread(self._fetch_keys)
        except FetchFailed as error:
            log.warning("oidc_keys_not_fetched", reason=str(error), kept=len(self._keys))
        else:
            self._fetched_at = self._monotonic()
            log.info("oidc_keys_fetched", issuer=self._issuer, keys=len(self._keys))

    def _fetch_keys(self) -> Mapping[str, RSAPublicKey]:
        root = self._issuer.rstrip("/")
        try:
            document = self._fetch(f"{root}/.well-known/openid-configuration", MAX_DOCUMENT_BYTES)
        except FetchFailed as error:
            if not error.is_missing:
                raise
            # An issuer without a configuration has its keys at the usual place.
            url = f"{root}/.well-known/jwks"
        else:
            url = self._keys_url(document)
        keys = read_keys(self._fetch(url, MAX_DOCUMENT_BYTES))
        if not keys:
            raise FetchFailed(f"{url} holds no RSA key for signatures")
        return keys

    def _keys_url(self, document: JsonValue) -> str:
        try:
            discovery = convert(document, Discovery)
        except msgspec.ValidationError as error:
            raise FetchFailed(f"the configuration of {self._issuer} is not readable: {error}") from error
        try:
            ours, theirs = urlsplit(self._issuer), urlsplit(discovery.jwks_uri)
        except ValueError as error:
            raise FetchFailed(f"the configuration of {self._issuer} names no address of keys") from error
        # Keys of another server would let that server's owner sign for this issuer.
        if discovery.issuer != self._issuer or (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise FetchFailed(f"the configuration of {self._issuer} speaks of another issuer or server")
        return discovery.jwks_uri


def read_keys(document: JsonValue) -> dict[str, RSAPublicKey]:
    """Read the usable keys of a set: RSA, for signatures, long enough; others are ignored."""
    try:
        found = convert(document, Jwks).keys[:MAX_KEYS]
    except msgspec.ValidationError as error:
        raise FetchFailed(f"the issuer's keys are not readable: {error}") from error
    # A token names its key by its id: one without could never be asked for.
    keys = {jwk.kid: key for jwk in found if jwk.kid and (key := _key(jwk)) is not None}
    return {kid: key for kid, key in keys.items() if key.key_size >= MIN_KEY_BITS}


def _key(jwk: Jwk) -> RSAPublicKey | None:
    if (jwk.kty, jwk.use, jwk.alg) != ("RSA", "sig", "RS256"):
        return None
    try:
        # Modulus and exponent alone are handed on: whatever else the document says of the key is not read.
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": jwk.n, "e": jwk.e})
    except (InvalidKeyError, ValueError):
        return None
    return key if isinstance(key, RSAPublicKey) else None
