"""Failed authentication is slowed for each client and logged by its address; it shuts nobody out."""

from __future__ import annotations

import asyncio
import io

import httpx
import pytest

from evalcore.secret import Scrubber, Secret
from evalhook.monitoring.logs import configure_logging
from evalhook.security.throttle import (
    FORGOTTEN_SECONDS,
    FREE_FAILURES,
    MAX_CLIENTS,
    MAX_DELAY,
    MAX_WAITING,
    MAX_WAITING_OF_CLIENT,
    Throttle,
    delay_after,
)

WRONG = "wrong-" + "w" * 40


class Time:
    """Waiting takes no time; it is noted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self.gate: asyncio.Event | None = None

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        if self.gate is not None:
            await self.gate.wait()

    def throttle(self) -> Throttle:
        return Throttle(monotonic=lambda: self.now, sleep=self.sleep)


async def fail(throttle: Throttle, times: int, client: str = "192.0.2.1") -> None:
    for _ in range(times):
        await throttle.failed(client, "it is not the token")


def test_delays_grow_from_nothing_to_a_cap() -> None:
    delays = [delay_after(count) for count in range(1, 2000)]
    assert delays[:FREE_FAILURES] == [0.0] * FREE_FAILURES
    assert delays == sorted(delays)
    assert delays[-1] == MAX_DELAY


def test_each_client_is_slowed_for_itself_and_forgotten_after_a_while() -> None:
    time = Time()
    throttle = time.throttle()
    asyncio.run(fail(throttle, 10))
    assert len(time.waited) == 10 - FREE_FAILURES
    time.waited.clear()
    asyncio.run(fail(throttle, FREE_FAILURES, "192.0.2.2"))
    time.now += FORGOTTEN_SECONDS + 1
    asyncio.run(fail(throttle, FREE_FAILURES))
    assert time.waited == []


def test_all_addresses_of_an_ipv6_user_are_one_client() -> None:
    time = Time()

    async def run() -> None:
        throttle = time.throttle()
        for number in range(10):
            await fail(throttle, 1, f"2001:db8::{number:x}")

    asyncio.run(run())
    assert len(time.waited) == 10 - FREE_FAILURES


def test_memory_and_waiting_are_bounded() -> None:
    time = Time()

    async def run() -> None:
        time.gate = asyncio.Event()
        throttle = time.throttle()
        tasks = [asyncio.create_task(fail(throttle, 1)) for _ in range(FREE_FAILURES + 50)]
        await asyncio.sleep(0)
        assert len(time.waited) == MAX_WAITING_OF_CLIENT
        clients = [f"10.1.{number}.1" for number in range(50)]
        tasks += [asyncio.create_task(fail(throttle, 1, client)) for client in clients for _ in range(8)]
        await asyncio.sleep(0)
        assert len(time.waited) == MAX_WAITING
        time.gate.set()
        await asyncio.gather(*tasks)
        for number in range(MAX_CLIENTS + 100):
            await fail(throttle, 1, f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
        assert len(throttle._failures) == MAX_CLIENTS

    asyncio.run(run())


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure_logging(Scrubber([Secret(WRONG)]), stream)
    return stream


def test_the_right_token_is_answered_at_once_after_any_number_of_wrong_ones(
    world, lines: io.StringIO
) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for _ in range(50):
            answer = await client.get("/jobs", headers={"Authorization": f"Bearer {WRONG}"})
            assert answer.status_code == 401
        assert (await client.get("/jobs")).status_code == 200

    world.story(tell)
    told = [line for line in lines.getvalue().splitlines() if "authentication_failed" in line]
    assert 10 <= len(told) < 50
    assert all('"client": "127.0.0.1"' in line for line in told)
    assert WRONG not in lines.getvalue()


def test_a_missing_token_is_no_attempt(world, lines: io.StringIO) -> None:
    async def tell(client: httpx.AsyncClient) -> None:
        for _ in range(50):
            assert (await client.get("/jobs", headers={"Authorization": ""})).status_code == 401

    world.story(tell)
    assert "authentication_failed" not in lines.getvalue()
    assert "authentication_missing" in lines.getvalue()
