"""Where a request comes from, and whether it came encrypted: by its peer, and by trusted proxies alone.

Forwarding headers count only from a peer in EVALHOOK_TRUSTED_PROXIES. Of X-Forwarded-For the rightmost
address that is no trusted proxy is the client; everything to its left was claimed by the client itself.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from evalhook import problems
from evalhook.config.networks import Address, Network, client_key, is_within, parse_address
from evalhook.problems import send_problem
from evalhook.security.allowed_ips import AllowedAddresses

MAX_HEADER_BYTES: Final = 16 * 1024
MAX_HOPS: Final = 32
OPEN_PATH: Final = "/health"
LINE_SECONDS: Final = 60.0
LINES: Final = 32
log = structlog.stdlib.get_logger(__name__)
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class Arrival(NamedTuple):
    """How a request reached the service."""

    client: Address | None
    """None where it is not known."""
    is_private: bool
    """Whether nobody on the way could read it: it came encrypted, or from this machine."""


class RefusalLog:
    """Logs refused requests: one line for an address and code within LINE_SECONDS, LINES for all together."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since = -LINE_SECONDS
        self._counts: Counter[tuple[str, str]] = Counter()
        self._left_out = 0

    def note(self, client: str, code: str) -> None:
        """Note one refusal."""
        now = self._monotonic()
        if now - self._since >= LINE_SECONDS:
            self._finish()
            self._since = now
        network = client_key(address) if (address := parse_address(client)) is not None else client
        if len(self._counts) >= LINES and (network, code) not in self._counts:
            self._left_out += 1
            return
        self._counts[network, code] += 1
        if self._counts[network, code] == 1:
            log.warning("request_refused", client=client, code=code)

    def _finish(self) -> None:
        """Say how often what was logged came again."""
        more = sum(self._counts.values()) - len(self._counts) + self._left_out
        if more:
            log.warning("more_requests_refused", count=more, seconds=LINE_SECONDS)
        self._counts.clear()
        self._left_out = 0


class ProxyGuard:
    """ASGI middleware that passes on what came encrypted from an allowed address; `scope["client"]` is set.

    Behind a trusted proxy, `scope["client"]` becomes the address that the proxy forwards for.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        trusted: Sequence[Network],
        allowed: AllowedAddresses,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._trusted = trusted
        self._allowed = allowed
        self._refused = RefusalLog(monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        arrival = arrival_of(scope, self._trusted)
        refusal = self._refusal(scope, arrival)
        if refusal is not None:
            self._refused.note(str(arrival.client or "unknown"), refusal.code)
            await send_problem(send, refusal)
            return
        scope["client"] = (str(arrival.client or "unknown"), 0)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, arrival: Arrival) -> problems.Problem | None:
        # h11 bounds headers only while they are incomplete: those that arrive in one piece pass it.
        # Four bytes more for each: the colon with its blank, and the end of the line.
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            return problems.headers_too_large(MAX_HEADER_BYTES)
        # A proxy that believes the other one of the two sees other requests on the connection than we do.
        if {b"content-length", b"transfer-encoding"} <= {name.lower() for name, _ in scope["headers"]}:
            return problems.two_lengths()
        if not arrival.is_private:
            return problems.https_required()
        return None if self._is_allowed(scope, arrival.client) else problems.forbidden()

    def _is_allowed(self, scope: Scope, client: Address | None) -> bool:
        # The machine's own health check need not be listed: all it learns is `ok`.
        is_own_check = scope["path"] == OPEN_PATH and client is not None and client.is_loopback
        return is_own_check or client in self._allowed


def arrival_of(scope: Scope, trusted: Sequence[Network]) -> Arrival:
    """Determine how a request reached the service."""
    address = scope.get("client")
    peer = parse_address(address[0]) if address else None
    if peer is None or not is_within(peer, trusted):
        is_encrypted = scope.get("scheme") == "https"
        return Arrival(peer, is_encrypted or (peer is not None and peer.is_loopback))
    protocols = _listed(scope["headers"], b"x-forwarded-proto")
    hops = _listed(scope["headers"], b"x-forwarded-for")
    if not protocols and not hops:
        # Not forwarded, but sent by the proxy's own machine, such as a health check.
        return Arrival(peer, peer.is_loopback)
    # All hops: one that came over plain HTTP could be read there.
    # A proxy that does not say how the request came is not taken for one that encrypts.
    is_encrypted = bool(protocols) and all(protocol.lower() == "https" for protocol in protocols)
    return Arrival(_client(peer, hops, trusted), is_encrypted)


def _client(peer: Address, hops: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    client: Address | None = peer
    # From the right: each proxy appends the peer that it saw, and only the trusted ones are believed.
    # Bounded from the right as well: a client may send any number of addresses on the left.
    for hop in reversed(hops[-MAX_HOPS:]):
        client = parse_address(hop)
        if client is None or not is_within(client, trusted):
            break
    return client


def _listed(headers: Headers, name: bytes) -> list[str]:
    """Return the items of a header that is a list, over all its occurrences, empty ones left out."""
    values = [value.decode("latin-1") for key, value in headers if key.lower() == name]
    items = [item.strip() for value in values for item in value.split(",")]
    return [item for item in items if item]
