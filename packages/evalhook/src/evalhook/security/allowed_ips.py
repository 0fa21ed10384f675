"""EVALHOOK_ALLOWED_IPS: which addresses may call; `github-actions` means the ranges that GitHub names.

The ranges come from GitHub's `meta` API, once a day; the last good ones are stored in the state directory
too, so that neither an outage of GitHub's nor a restart changes who may call. Before they have been
fetched for the first time, the word allows nobody.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import convert, decode_json
from evalcore.errors import StorageError
from evalcore.runs.files import write_atomically
from evalcore.structs import Frozen, JsonValue
from evalhook.config.networks import Address, AllowedIps, Network, parse_networks
from evalhook.config.values import Unusable
from evalhook.security.fetch import FetchFailed, fetch_json
from evalhook.threads import in_thread

MAX_META_BYTES: Final = 8 * 1024 * 1024
MAX_RANGES: Final = 100_000
REFRESH_SECONDS: Final = 24 * 3600.0
# Far sooner than daily: until the ranges have come once, every one of GitHub's runners is refused.
RETRY_SECONDS: Final = 600.0
log = structlog.stdlib.get_logger(__name__)


class Meta(Frozen, frozen=True):
    """What is read of GitHub's `meta`."""

    actions: list[str]


class AllowedAddresses:
    """The addresses that may call, as they are known now."""

    def __init__(
        self,
        setting: AllowedIps | None,
        *,
        api_url: str,
        stored: Path,
        fetch: Callable[[str, int], JsonValue] = fetch_json,
    ) -> None:
        self._is_everybody = setting is None
        self._setting = setting or AllowedIps(networks=(), github_actions=False)
        self._url = f"{api_url}/meta"
        self._stored = stored
        self._fetch = fetch
        self._ranges = _Ranges(self._setting.networks)

    def __contains__(self, address: Address | None) -> bool:
        """Whether an address may call; where the setting is unset, any may, known or not."""
        return self._is_everybody or (address is not None and address in self._ranges)

    async def keep_fresh(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Refresh GitHub's ranges daily until cancelled; returns at once where the setting names none."""
        if not self._setting.github_actions:
            return
        # Before GitHub is asked: a restart during an outage of GitHub's would otherwise lock its runners out.
        await in_thread(self._restore)
        while True:
            is_fresh = await in_thread(self.refresh)
            await sleep(REFRESH_SECONDS if is_fresh else RETRY_SECONDS)

    def refresh(self) -> bool:
        """Fetch GitHub's ranges, blocking; the last good ones stay where that fails."""
        try:
            networks = _networks(self._fetch(self._url, MAX_META_BYTES))
        except FetchFailed as error:
            log.warning("github_ranges_not_fetched", reason=str(error), kept="the last good ones")
            return False
        # In force before they are on the disk: a full disk must not keep GitHub's new runners out.
        self._use(networks)
        log.info("github_ranges_fetched", ranges=len(networks))
        try:
            self._stored.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._stored, msgspec.json.encode(Meta([str(network) for network in networks])))
        except (OSError, StorageError) as error:
            log.warning("github_ranges_not_kept", reason=str(error))
        return True

    def _restore(self) -> None:
        try:
            self._use(_networks(decode_json(self._stored.read_bytes(), JsonValue)))
        except FileNotFoundError:
            return
        except (OSError, *UNREADABLE, FetchFailed) as error:
            log.warning("github_ranges_not_restored", reason=str(error))

    def _use(self, networks: Sequence[Network]) -> None:
        self._ranges = _Ranges([*self._setting.networks, *networks])


def _networks(value: JsonValue) -> list[Network]:
    try:
        meta = convert(value, Meta)
        # The bound is on the texts, before any is parsed: what is at EVALHOOK_GITHUB_API_URL may be no
        # GitHub.
        networks = [network for text in meta.actions[:MAX_RANGES] for network in parse_networks(text)]
    except (msgspec.ValidationError, Unusable) as error:
        raise FetchFailed("GitHub's meta names no usable ranges of `actions`") from error
    if not networks:
        raise FetchFailed("GitHub's meta names no ranges of `actions`")
    # Whatever GitHub answers, the word must never allow every address.
    return [network for network in networks if network.prefixlen]


class _Ranges:
    """Thousands of networks, looked up by bisection."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._starts: dict[int, list[int]] = {}
        self._ends: dict[int, list[int]] = {}
        everything = list(networks)
        # Collapsed ones are sorted and do not overlap: the last that starts before is the only one.
        four = ipaddress.collapse_addresses(n for n in everything if isinstance(n, ipaddress.IPv4Network))
        six = ipaddress.collapse_addresses(n for n in everything if isinstance(n, ipaddress.IPv6Network))
        merged: dict[int, list[Network]] = {4: list(four), 6: list(six)}
        for version, found in merged.items():
            self._starts[version] = [int(network.network_address) for network in found]
            self._ends[version] = [int(network.broadcast_address) for network in found]

    def __contains__(self, address: Address) -> bool:
        at = bisect_right(self._starts[address.version], int(address)) - 1
        return at >= 0 and int(address) <= self._ends[address.version][at]
