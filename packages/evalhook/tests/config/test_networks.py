"""Addresses and networks, read strictly."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from evalhook.config.networks import client_key, is_within, parse_address, parse_allowed, parse_networks


@given(st.ip_addresses(), st.integers(0, 65535))
def test_an_address_is_the_same_with_and_without_a_port(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    text = str(address)
    with_port = f"[{text}]:{port}" if address.version == 6 else f"{text}:{port}"
    mapped = getattr(address, "ipv4_mapped", None)
    if "%" not in text:
        assert parse_address(text) == parse_address(with_port) == (mapped or address)


def test_an_ipv4_address_in_ipv6_form_is_the_ipv4_one() -> None:
    assert parse_address("::ffff:192.0.2.7") == ipaddress.ip_address("192.0.2.7")


def test_all_addresses_of_a_slash_64_are_one_client() -> None:
    first, second = ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("2001:db8::ffff:1")
    assert client_key(first) == client_key(second)
    four = ipaddress.ip_address("192.0.2.1")
    assert client_key(four) != client_key(ipaddress.ip_address("192.0.2.2"))


def test_networks_are_separated_by_commas_or_spaces() -> None:
    networks = parse_networks("10.0.0.0/8, 192.0.2.7 2001:db8::/32")
    assert len(networks) == 3
    assert is_within(ipaddress.ip_address("10.1.2.3"), networks)
    assert not is_within(ipaddress.ip_address("11.1.2.3"), networks)


def test_the_word_for_githubs_runners_is_no_network() -> None:
    allowed = parse_allowed("github-actions 192.0.2.0/24")
    assert (allowed.github_actions, len(allowed.networks)) == (True, 1)
    assert not parse_allowed("192.0.2.0/24").github_actions
