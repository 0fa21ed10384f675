"""A job's events: whole at the start, gathered in between, `done` at the end; readers are bounded."""

from __future__ import annotations

import asyncio

import pytest

from evalhook import problems
from evalhook.errors import NotReady
from evalhook.monitoring.events import DONE, PROGRESS, EventHub


def test_one_reader_too_many_is_refused_until_another_leaves() -> None:
    hub = EventHub(most=1)
    follower = hub.follow("a")
    with pytest.raises(NotReady) as refused:
        hub.follow("a")
    assert (problems.of_refusal(refused.value).status, refused.value.code) == (503, "not_ready")
    hub.leave(follower)
    another = hub.follow("a")
    hub.leave(follower)  # a second time: it takes nobody's place
    assert len(hub) == 1
    hub.leave(another)
    assert len(hub) == 0


def test_changes_gather_for_a_slow_reader_without_growing() -> None:
    async def story() -> None:
        hub = EventHub()
        follower = hub.follow("a")
        for _ in range(1000):
            hub.touch("a", "alpha")
            hub.touch("a", PROGRESS)
            hub.touch("other", "beta")
        hub.touch("a", DONE)
        assert await follower.changes(1) == ["alpha", PROGRESS, DONE]
        assert await follower.changes(0.001) == []

    asyncio.run(story())
