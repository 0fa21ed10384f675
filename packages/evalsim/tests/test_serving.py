"""Simulated applications are served over real HTTP, and their connections can be cut."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest

from evalsim.serving import ConnectionCut, address, listen, running


async def app(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError("only HTTP is served")
    if scope["path"] == "/cut":
        raise ConnectionCut
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
    await send(start)
    await send({"type": "http.response.body", "body": b"ok", "more_body": True})
    if scope["path"] == "/cut-in-the-middle":
        raise ConnectionCut
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


def test_application_is_served_while_the_block_runs() -> None:
    with running(app) as url:
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(url).text == "okok"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("path", ["/cut", "/cut-in-the-middle"])
def test_connection_is_cut_where_the_application_asks_for_it(path: str) -> None:
    with running(app) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}{path}")
        assert httpx.get(url).text == "okok"


def test_address_can_be_called_before_the_server_runs() -> None:
    with listen("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname(), timeout=1.0):
        pass


def test_two_servers_have_ports_of_their_own() -> None:
    with running(app) as one, running(app) as other:
        assert one != other


def test_application_that_cannot_start_is_told() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": f"{scope['type']}.startup.failed", "message": "no"})

    with pytest.raises(RuntimeError, match="did not start"), running(failing):
        pass


def test_address_of_ipv6_is_in_brackets() -> None:
    try:
        bound = listen("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with bound:
        assert address(bound).startswith("http://[::1]:")


def test_answer_of_several_writes_waits_for_no_acknowledgement_between_them() -> None:
    seen: list[int] = []

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        seen.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def connect(bound: socket.socket) -> None:
        async with await asyncio.start_server(note, sock=bound):
            reader, writer = await asyncio.open_connection(*bound.getsockname())
            await reader.read()
            writer.close()

    with listen("127.0.0.1", 0) as bound:
        asyncio.run(connect(bound))
    assert [option != 0 for option in seen] == [True]
