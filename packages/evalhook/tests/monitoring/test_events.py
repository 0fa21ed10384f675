"""A job's events: whole at the start, gathered in between, `done` at the end; readers are bounded."""

from __future__ import annotations

import asyncio

import pytest

from evalhook import problems
from evalhook.errors import NotReady
from evalhook.monitoring.events import DONE, PROGRESS, EventHub


def test_one_reader_too_many_is_refused_until_another_leaves() -> None:
    hub = EventHub(most=1)
    follower = hub.follow("a", "10.0.0.1")
    with pytest.raises(NotReady) as refused:
        hub.follow("a", "10.0.0.1")
    assert (problems.of_refusal(refused.value).status, refused.value.code) == (503, "not_ready")
    hub.leave(follower)
    another = hub.follow("a", "10.0.0.1")
    hub.leave(follower)  # a second time: it takes nobody's place
    assert len(hub) == 1
    hub.leave(another)
    assert len(hub) == 0


def test_who_holds_all_places_gives_way_to_others_and_nobody_to_who_has_as_many() -> None:
    async def story() -> None:
        hub = EventHub(most=4)
        greedy = [hub.follow("a", "10.0.0.1") for _ in range(4)]
        hub.follow("a", "10.0.0.2")
        assert [one.is_ended for one in greedy] == [True, False, False, False]
        assert await greedy[0].changes(1)  # it is woken to end
        hub.follow("a", "10.0.0.2")
        assert len(hub) == 4
        for client in ("10.0.0.1", "10.0.0.2"):
            with pytest.raises(NotReady):
                hub.follow("a", client)
        hub.follow("a", "10.0.0.3")
        assert [one.is_ended for one in greedy] == [True, True, True, False]

    asyncio.run(story())


def test_changes_gather_for_a_slow_reader_without_growing() -> None:
    async def story() -> None:
        hub = EventHub()
        follower = hub.follow("a", "10.0.0.1")
        for _ in range(1000):
            hub.touch("a", "alpha")
            hub.touch("a", PROGRESS)
            hub.touch("other", "beta")
        hub.touch("a", DONE)
        assert await follower.changes(1) == ["alpha", PROGRESS, DONE]
        assert await follower.changes(0.001) == []

    asyncio.run(story())
