"""MindRouter away in mid-run: one call looks, the others wait, all are answered at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.interface import Call, Served, ServedModel, YieldSlot
from evalcore.clients.outage import OutageClient, OutagePolicy
from evalcore.clients.reply import CallError, Reply
from evalcore.errors import ProviderUnreachable
from evalcore.library.models import Model
from evalsim.testing import Clock

HOUR = 3600.0


class Gateway:
    """Answers what `state(now)` says: a code of a failure, or None for an answer. A call takes a second."""

    def __init__(self, clock: Clock, state: Callable[[float], str | None]) -> None:
        self.clock, self.state = clock, state
        self.calls: list[tuple[float, int]] = []
        self.looks: list[float] = []
        self.is_listed = False
        """Whether the gateway lists the model whatever becomes of its calls."""

    async def served(self) -> Served:
        self.looks.append(self.clock.now)
        code = self.state(self.clock.now)
        if not self.is_listed and code is not None and not code.startswith("only-"):
            raise ProviderUnreachable("no connection")
        return Served("1", {"m": ServedModel("m")})

    async def call(self, call: Call, _yield_slot: YieldSlot) -> Reply:
        self.calls.append((self.clock.now, call.replicate))
        await self.clock.sleep(1)
        code = self.state(self.clock.now)
        if code is not None and code.startswith("only-"):
            code = code.removeprefix("only-") if call.replicate == 0 else None
        error = None if code is None else CallError("infrastructure", code, "failed")
        text = "{}" if error is None else None
        return Reply("c", call.replicate, "id", "0", text, None, None, "", "", 1.0, 1, error)


class Restarting(Gateway):
    """A gateway with slow answers that is away now and then: whatever is on its way then is cut off."""

    def __init__(
        self, clock: Clock, outages: list[tuple[float, float]], seconds: Callable[[], float]
    ) -> None:
        super().__init__(clock, lambda now: "unreachable" if self.away_at(now) else None)
        self.outages, self.seconds = outages, seconds

    def away_at(self, moment: float) -> bool:
        return any(begin <= moment < begin + length for begin, length in self.outages)

    async def call(self, call: Call, _yield_slot: YieldSlot) -> Reply:
        began, seconds = self.clock.now, self.seconds()
        cuts = [begin for begin, _ in self.outages if began < begin < began + seconds]
        if self.away_at(began) or not cuts:
            return await super().call(call, _yield_slot)
        await self.clock.sleep(cuts[0] - began)
        error = CallError("infrastructure", "connection_lost", "cut")
        return Reply("c", call.replicate, "id", "0", None, None, None, "", "", 1.0, 1, error)


def tell(
    state: Callable[[float], str | None],
    calls: int = 8,
    *,
    answered: bool = True,
    budget: float = 2 * HOUR,
    listed: bool = False,
    reached: bool = False,
):
    async def run() -> tuple[list[Reply], Gateway, Clock]:
        clock = Clock()
        gateway = Gateway(clock, state)
        gateway.is_listed = listed
        client = OutageClient(
            gateway,
            OutagePolicy(budget),
            monotonic=lambda: clock.now,
            sleep=clock.sleep,
            answered=["m"] if answered else [],
        )
        if reached:
            await client.served()
        model = Model("m", "mindrouter")
        tasks = [
            asyncio.create_task(client.call(Call("c", at, model, "", "", None), nullcontext))
            for at in range(calls)
        ]
        return await clock.run(*tasks), gateway, clock

    return asyncio.run(run())


def failures(replies: list[Reply]) -> list[str]:
    return [reply.error.code for reply in replies if reply.error is not None]


def test_an_hour_away_is_waited_out_and_every_call_is_answered() -> None:
    replies, _, clock = tell(lambda now: "unreachable" if now < HOUR else None)
    assert failures(replies) == []
    assert sorted(reply.replicate for reply in replies) == list(range(8))
    assert HOUR < clock.now < HOUR + 90


def test_one_looks_for_all_at_growing_waits() -> None:
    _, gateway, _ = tell(lambda now: "unreachable" if now < HOUR else None)
    during = [at for at, _ in gateway.calls if 2 < at < HOUR]
    assert during == []
    assert 55 < len(gateway.looks) < 70
    waits = [round(b - a) for a, b in zip(gateway.looks, gateway.looks[1:], strict=False)]
    assert waits[:5] == [10, 20, 40, 60, 60]


def test_longer_than_the_budget_is_given_up_and_the_rest_is_not_waited_for() -> None:
    replies, _, clock = tell(lambda _: "unreachable", budget=600)
    assert failures(replies) == ["unreachable"] * 8
    assert clock.now < 620


def test_a_model_that_never_answered_is_not_waited_for() -> None:
    replies, gateway, clock = tell(lambda _: "model_unavailable", answered=False)
    assert failures(replies) == ["model_unavailable"] * 8
    assert (clock.now, gateway.looks) == (1, [])


def test_a_call_that_fails_while_others_are_answered_is_its_own_failure() -> None:
    replies, gateway, _ = tell(lambda _: "only-server_error")
    assert failures(replies) == ["server_error"]
    assert len(gateway.calls) <= 9


def test_a_failure_that_stays_though_the_server_is_there_is_the_calls_own() -> None:
    replies, gateway, clock = tell(lambda _: "only-server_error", calls=1, listed=True)
    assert failures(replies) == ["server_error"]
    assert len(gateway.calls) <= 2
    assert clock.now < 60


def test_a_server_that_fails_every_call_though_it_is_there_is_given_up_within_the_budget() -> None:
    replies, _, clock = tell(lambda _: "server_error", calls=100, budget=600, listed=True)
    assert failures(replies) == ["server_error"] * 100
    assert clock.now < 620
    # One call after another is found to fail by itself: a short spell costs few of them.
    replies, _, clock = tell(lambda now: "server_error" if now < 120 else None, calls=100, listed=True)
    assert len(failures(replies)) <= 15
    assert clock.now < 180


def test_a_backend_that_stays_away_behind_a_gateway_that_lists_it_is_waited_for() -> None:
    def state(now: float) -> str | None:
        return "bad_gateway" if now < 300 else None

    replies, _, clock = tell(state, listed=True)
    assert failures(replies) == []
    assert 300 < clock.now < 400


async def four_at_once(gateway: Gateway, clock: Clock) -> list[Reply]:
    client = OutageClient(gateway, OutagePolicy(2 * HOUR), monotonic=lambda: clock.now, sleep=clock.sleep)
    await client.served()
    model = Model("m", "mindrouter")
    places = asyncio.Semaphore(4)

    async def one(at: int) -> Reply:
        async with places:
            return await client.call(Call("c", at, model, "", "", None), nullcontext)

    return await clock.run(*(asyncio.create_task(one(at)) for at in range(40)))


@given(
    outages=st.lists(st.tuples(st.floats(0, 900), st.floats(5, 300)), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_an_outage_that_begins_at_any_moment_with_calls_in_flight_loses_none(
    outages: list[tuple[float, float]], seed: int
) -> None:
    """A call that was on its way, others answered meanwhile, waits out the outage like any other."""
    draw = Random(seed)

    async def run() -> list[Reply]:
        clock = Clock()
        gateway = Restarting(clock, outages, lambda: draw.uniform(1, 60))
        while gateway.away_at(clock.now):
            clock.now += 1
        return await four_at_once(gateway, clock)

    assert failures(asyncio.run(run())) == []


def test_a_gateway_that_goes_away_before_the_first_answer_is_waited_for_where_it_was_seen() -> None:
    replies, _, clock = tell(
        lambda now: "unreachable" if 0.5 < now < 300 else None, answered=False, reached=True
    )
    assert failures(replies) == []
    assert clock.now < 400


def test_a_call_that_fails_by_itself_is_found_out_by_a_second_try() -> None:
    async def run() -> tuple[list[Reply], int]:
        clock = Clock()
        gateway = Gateway(clock, lambda _: "only-bad_gateway")
        replies = await four_at_once(gateway, clock)
        return replies, sum(replicate == 0 for _, replicate in gateway.calls)

    replies, tries = asyncio.run(run())
    assert failures(replies) == ["bad_gateway"]
    assert tries <= 3


class SlowLooks(Gateway):
    """Lists the model, which answers nothing; a look takes three seconds, the second call too."""

    async def served(self) -> Served:
        await self.clock.sleep(3)
        return await super().served()

    async def call(self, call: Call, yield_slot: YieldSlot) -> Reply:
        await self.clock.sleep(2 * call.replicate)
        return await super().call(call, yield_slot)


def test_what_one_call_saw_is_not_taken_from_it_by_anothers_look() -> None:
    """The second one's look begins while the first, which saw that the model never was, waits for a slot."""

    async def run() -> tuple[list[Reply], Clock]:
        clock = Clock()
        gateway = SlowLooks(clock, lambda _: "model_unavailable")
        gateway.is_listed = True
        client = OutageClient(gateway, OutagePolicy(2 * HOUR), monotonic=lambda: clock.now, sleep=clock.sleep)
        await clock.run(asyncio.create_task(client.served()))

        @asynccontextmanager
        async def yield_slot() -> AsyncIterator[None]:
            yield
            await clock.sleep(2)

        model = Model("m", "mindrouter")
        tasks = [
            asyncio.create_task(client.call(Call("c", at, model, "", "", None), yield_slot))
            for at in range(2)
        ]
        return await clock.run(*tasks), clock

    replies, clock = asyncio.run(run())
    assert failures(replies) == ["model_unavailable"] * 2
    assert clock.now < 60
