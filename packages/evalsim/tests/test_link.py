"""A network link over which a test has power: up, down, or silent."""

from __future__ import annotations

import socket
from contextlib import suppress

import httpx
import pytest

from evalsim.asgi import Answer, send_answer, serve_lifespan
from evalsim.link import linked
from evalsim.serving import running


async def hello(scope, receive, send):
    if scope["type"] == "lifespan":
        await serve_lifespan(receive, send)
        return
    await send_answer(send, Answer(200, b"hello" * 50_000))


@pytest.fixture(scope="module")
def server():
    with running(hello) as url:
        yield url


def test_what_is_sent_over_it_arrives_whole(server):
    with linked(server) as link:
        assert link.url != server
        assert httpx.get(link.url).content == b"hello" * 50_000


def ask_until_refused(url):
    """Ask again and again: the link's own thread may still be about to close it."""
    with suppress(httpx.ConnectError):
        while True:
            httpx.get(url)


def test_down_it_refuses_and_up_it_answers_at_the_same_address(server):
    with linked(server) as link:
        before = link.url
        link.down()
        ask_until_refused(link.url)
        link.up()
        assert link.url == before
        assert httpx.get(link.url).status_code == 200


def test_going_down_cuts_what_is_open(server):
    with linked(server) as link:
        host, _, port = link.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            link.down()
            try:
                left = client.recv(1)
            except ConnectionResetError:
                left = b""
            assert left == b""


def test_silent_it_passes_nothing_on_until_it_is_up_again(server):
    with linked(server) as link:
        httpx.get(link.url)
        link.silent()
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(link.url, timeout=httpx.Timeout(5, read=0.3))
        link.up()
        assert httpx.get(link.url).status_code == 200


def test_a_link_to_nobody_is_cut_at_once():
    with linked("http://127.0.0.1:9") as link, pytest.raises(httpx.TransportError):
        httpx.get(link.url)
