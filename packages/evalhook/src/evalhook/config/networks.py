"""Addresses and networks: read strictly, and looked up."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from evalcore.structs import Frozen
from evalhook.config.values import Unusable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_ADDRESS: Final = 64
"""Characters; the longest address with brackets and a port is shorter."""
BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?")
WITH_PORT: Final = re.compile(r"([0-9.]+):\d{1,5}")


def parse_address(text: str) -> Address | None:
    """Read an address, with or without a port; None where it is none, or has a zone.

    An IPv4 address in IPv6 dress is the IPv4 one.
    """
    if len(text) > MAX_ADDRESS or "%" in text:
        return None
    dressed = BRACKETED.fullmatch(text) or WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(dressed[1] if dressed else text)
    except ValueError:
        return None
    # A socket for both families shows IPv4 peers as ::ffff:a.b.c.d, and settings name them as IPv4.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address in network for network in networks)


def client_key(address: Address) -> str:
    """Name whom an address belongs to: an IPv6 user has all of a /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read addresses and CIDRs, separated by commas or white space; raises Unusable."""
    return tuple(_network(item) for item in text.replace(",", " ").split())


def _network(text: str) -> Network:
    try:
        # Strict: of 10.0.0.7/8 nobody can know whether one address or sixteen million are meant.
        return ipaddress.ip_network(text)
    except ValueError:
        what = "holds something that is no address and no network"
        raise Unusable(what, "write it as 10.0.0.0/8, 192.0.2.7 (no host bits behind the /)") from None


GITHUB_ACTIONS: Final = "github-actions"


class AllowedIps(Frozen, frozen=True):
    """The setting's value."""

    networks: tuple[Network, ...]
    github_actions: bool


def parse_allowed(text: str) -> AllowedIps:
    """Read CIDRs and the word `github-actions`; raises Unusable."""
    words = text.replace(",", " ").split()
    networks = parse_networks(" ".join(word for word in words if word != GITHUB_ACTIONS))
    return AllowedIps(networks=networks, github_actions=GITHUB_ACTIONS in words)
