"""Plain HTTP beyond loopback is refused; forwarding headers count from trusted proxies alone."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from evalhook.config.networks import parse_address, parse_networks
from evalhook.config.values import Unusable
from evalhook.security.proxies import LINE_SECONDS, LINES, RefusalLog, arrival_of

PROXY, TRUSTED = "10.0.0.2", "10.0.0.0/24"
STRANGER = "203.0.113.9"


def scope(peer: str, *headers: tuple[str, str], scheme: str = "http") -> Any:
    return {
        "client": (peer, 1234),
        "scheme": scheme,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }


def proto(value: str) -> tuple[str, str]:
    return ("X-Forwarded-Proto", value)


def hops(value: str) -> tuple[str, str]:
    return ("X-Forwarded-For", value)


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "client", "is_private"),
    [
        ("127.0.0.1", [], "", "127.0.0.1", True),
        ("::1", [], "", "::1", True),
        ("::ffff:127.0.0.1", [], "", "127.0.0.1", True),
        (STRANGER, [], "", STRANGER, False),
        (STRANGER, [proto("https"), hops("127.0.0.1")], "", STRANGER, False),
        (STRANGER, [proto("https"), hops("127.0.0.1")], TRUSTED, STRANGER, False),
        ("127.0.0.1", [proto("http"), hops(STRANGER)], "", "127.0.0.1", True),
        (PROXY, [proto("https"), hops(STRANGER)], TRUSTED, STRANGER, True),
        (PROXY, [proto("HTTPS"), hops(STRANGER)], TRUSTED, STRANGER, True),
        (PROXY, [proto("http"), hops(STRANGER)], TRUSTED, STRANGER, False),
        (PROXY, [proto("https, http"), hops(STRANGER)], TRUSTED, STRANGER, False),
        (PROXY, [proto("https"), proto("http"), hops(STRANGER)], TRUSTED, STRANGER, False),
        (PROXY, [hops(STRANGER)], TRUSTED, STRANGER, False),
        (PROXY, [], TRUSTED, PROXY, False),
        (PROXY, [proto("https")], TRUSTED, PROXY, True),
        (PROXY, [proto("https"), hops(f"127.0.0.1, {STRANGER}")], TRUSTED, STRANGER, True),
        (PROXY, [proto("https"), hops(f"{STRANGER}, 10.0.0.7")], TRUSTED, STRANGER, True),
        (PROXY, [proto("https"), hops("127.0.0.1"), hops(STRANGER)], TRUSTED, STRANGER, True),
        (PROXY, [proto("https"), hops(f"{STRANGER}, nonsense")], TRUSTED, None, True),
        (PROXY, [proto("https"), hops(f"[2001:db8::1]:443, {PROXY}:80")], TRUSTED, "2001:db8::1", True),
        ("127.0.0.1", [proto("http"), hops(STRANGER)], "127.0.0.1", STRANGER, False),
        ("127.0.0.1", [], "127.0.0.1", "127.0.0.1", True),
    ],
)
def test_client_and_privacy_of_a_request(
    peer: str, headers: list[tuple[str, str]], trusted: str, client: str | None, *, is_private: bool
) -> None:
    arrival = arrival_of(scope(peer, *headers), parse_networks(trusted))
    assert (str(arrival.client) if arrival.client else None, arrival.is_private) == (client, is_private)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "all", "10.0.0.0/33", "::/129", "example.org"])
def test_networks_are_read_strictly(text: str) -> None:
    with pytest.raises(Unusable):
        parse_networks(text)


@pytest.mark.parametrize("text", ["", "1.2.3", "01.2.3.4", "1.2.3.4:x", "x" * 500, "fe80::1%eth0 "])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def ask(world: Any, peer: str, path: str = "/jobs", **headers: str) -> tuple[int, str]:
    """Ask the application as a client at that address."""

    async def run() -> tuple[int, str]:
        async with world.running():
            transport = httpx.ASGITransport(world.app, client=(peer, 4321))
            shown = {"Authorization": f"Bearer {world.token}", **headers}
            async with httpx.AsyncClient(transport=transport, base_url="http://hook") as client:
                answer = await client.get(path, headers=shown)
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/jobs", "/health", "/schema", "/login"])
def test_plain_http_beyond_loopback_is_403_whatever_the_client_claims(world, path: str) -> None:
    claims = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1", "Forwarded": "proto=https"}
    assert ask(world, STRANGER, path, **claims) == (403, "https_required")


def test_loopback_needs_no_encryption(world) -> None:
    assert ask(world, "127.0.0.1") == (200, "")
    assert ask(world, "::1", "/health") == (200, "")


def test_behind_a_trusted_proxy_the_request_must_have_come_encrypted(world) -> None:
    world.changes = {"EVALHOOK_TRUSTED_PROXIES": TRUSTED}
    forwarded = {"X-Forwarded-For": STRANGER}
    assert ask(world, PROXY, **forwarded, **{"X-Forwarded-Proto": "https"}) == (200, "")
    assert ask(world, PROXY, **forwarded, **{"X-Forwarded-Proto": "http"}) == (403, "https_required")


def test_allowing_http_to_github_does_not_allow_it_here(world) -> None:
    world.changes = {"EVALHOOK_ALLOW_HTTP": "1"}
    assert ask(world, STRANGER) == (403, "https_required")


def test_a_length_and_chunks_in_one_request_are_refused_and_end_the_connection(world) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        twice = {"Content-Length": "2", "Transfer-Encoding": "chunked"}
        answer = await client.post("/evaluate", content=b"{}", headers=twice)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
        assert answer.headers["connection"] == "close"

    world.story(tell)


def test_headers_over_16_kib_are_431(world) -> None:
    assert ask(world, "127.0.0.1", **{"X-Long": "x" * 20_000}) == (431, "too_large")


def test_only_allowed_addresses_may_call(world) -> None:
    world.changes = {
        "EVALHOOK_ALLOWED_IPS": "192.0.2.0/24, 2001:db8::/32",
        "EVALHOOK_TRUSTED_PROXIES": TRUSTED,
    }
    encrypted = {"X-Forwarded-Proto": "https"}
    for client, expected in [
        ("192.0.2.7", (200, "")),
        ("2001:db8::7", (200, "")),
        (STRANGER, (403, "forbidden")),
        ("192.0.2.7, " + STRANGER, (403, "forbidden")),
        ("nonsense", (403, "forbidden")),
    ]:
        assert ask(world, PROXY, **encrypted, **{"X-Forwarded-For": client}) == expected, client
    assert ask(world, "127.0.0.1") == (403, "forbidden"), "this machine's users too, unless they are listed"
    assert ask(world, "127.0.0.1", "/health") == (200, ""), "but not its own health check"


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "refused" in line]


def test_a_refused_address_is_logged_once_a_minute_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    refusals = RefusalLog(lambda: now[0])
    for _ in range(5):
        refusals.note(STRANGER, "forbidden")
    refusals.note("2001:db8::1", "forbidden")
    refusals.note("2001:db8::2", "forbidden")
    said = lines_of(capsys)
    assert len(said) == 2
    assert STRANGER in said[0]
    assert "forbidden" in said[0]
    now[0] = LINE_SECONDS
    refusals.note(STRANGER, "forbidden")
    more, again = lines_of(capsys)
    assert "more_requests_refused" in more
    assert "count=5" in re.sub(r"\x1b\[[0-9;]*m", "", more)
    assert STRANGER in again


def test_a_flood_of_addresses_fills_no_log_and_no_memory(capsys: pytest.CaptureFixture[str]) -> None:
    refusals = RefusalLog(lambda: 0.0)
    for number in range(10_000):
        refusals.note(f"198.18.{number // 256}.{number % 256}", "forbidden")
    assert len(lines_of(capsys)) == LINES
    assert len(refusals._counts) == LINES


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", [], 200),  # exec in the service's container
        ("172.18.0.3", [proto("https"), hops("172.18.0.1")], 403),  # curl on the VM, through Caddy
        ("172.18.0.3", [proto("https"), hops(STRANGER)], 403),
        ("172.18.0.3", [proto("https"), hops(f"127.0.0.1, {STRANGER}")], 403),
    ],
)
def test_in_compose_127_0_0_1_is_the_service_itself_and_who_is_refused_is_logged(
    world, capsys: pytest.CaptureFixture[str], peer: str, headers: list[tuple[str, str]], status: int
) -> None:
    world.changes = {
        "EVALHOOK_ALLOWED_IPS": "127.0.0.1",
        "EVALHOOK_TRUSTED_PROXIES": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    }

    async def tell(client: httpx.AsyncClient) -> None:
        app = client._transport.app  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://hook:8080") as caller:
            shown = {"Authorization": f"Bearer {world.token}", **dict(headers)}
            assert (await caller.get("/jobs", headers=shown)).status_code == status

    world.story(tell)
    said = [line for line in lines_of(capsys) if "request_refused" in line]
    assert len(said) == (status == 403)
    if said:
        assert headers[1][1].rpartition(" ")[2] in said[0]
