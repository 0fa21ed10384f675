"""What befalls MindRouter during an evaluation: one thing at a time, at the call that was drawn, and over."""

from __future__ import annotations

import asyncio
import threading
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.chaos.disturber import (
    LONGEST_S,
    PASSING_S,
    SHORTEST_S,
    Disturbance,
    Disturber,
    disturbed,
    draw_disturbance,
)

KEY = "mr2_key"
FOR_EVER = 10_000.0


class Line:
    """Stands in for the network: remembers what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.is_up = threading.Event()

    def down(self) -> None:
        self.done.append("down")

    def silent(self) -> None:
        self.done.append("silent")

    def up(self) -> None:
        self.done.append("up")
        self.is_up.set()


class Scene:
    def __init__(self, *disturbances: Disturbance, factor: float = 1.0) -> None:
        self.revoked: set[str] = set()
        self.line = Line()
        self.disturber = Disturber(self.revoked, KEY, factor)
        self.disturber.link = self.line
        self.disturber.arm(disturbances)

    def call(self, times: int = 1) -> None:
        for _ in range(times):
            self.disturber.called()


# what is drawn


@given(st.integers(), st.integers(1, 500), st.sampled_from(["outage", "cut"]))
def test_an_outage_begins_with_a_call_and_is_over_within_minutes(seed: int, calls: int, kind) -> None:
    drawn = draw_disturbance(Random(seed), kind, calls)
    assert drawn.kind == kind
    assert 1 <= drawn.number <= calls
    assert SHORTEST_S <= drawn.seconds <= LONGEST_S
    assert not drawn.is_lasting_refusal


@given(st.integers(), st.integers(1, 500))
def test_a_refusal_is_in_passing_or_lasts_and_never_of_the_first_call(seed: int, calls: int) -> None:
    drawn = draw_disturbance(Random(seed), "refusal", calls)
    assert 2 <= drawn.number <= max(2, calls // 2)
    assert drawn.is_lasting_refusal == (drawn.seconds > PASSING_S)


def test_refusals_of_both_kinds_are_drawn() -> None:
    random = Random(1)
    drawn = {draw_disturbance(random, "refusal", 30).is_lasting_refusal for _ in range(50)}
    assert drawn == {True, False}


# when it begins


@pytest.mark.parametrize(("kind", "done"), [("outage", "down"), ("cut", "silent")])
def test_it_begins_at_its_call_and_no_sooner(kind, done: str) -> None:
    scene = Scene(Disturbance(kind, 3, FOR_EVER))
    scene.call(2)
    assert scene.line.done == []
    scene.call()
    assert scene.line.done == [done]
    assert scene.disturber.shown == {kind: 1}


def test_a_refusal_takes_the_key_away_and_leaves_the_network() -> None:
    scene = Scene(Disturbance("refusal", 1, FOR_EVER))
    scene.call()
    assert scene.revoked == {KEY}
    assert scene.line.done == []


def test_they_come_one_at_a_time_in_the_order_of_their_calls() -> None:
    scene = Scene(Disturbance("cut", 4, FOR_EVER), Disturbance("outage", 2, FOR_EVER))
    scene.call(10)
    assert scene.line.done == ["down"]
    assert scene.disturber.shown == {"outage": 1}


def test_without_any_nothing_happens() -> None:
    scene = Scene()
    scene.call(10)
    assert (scene.line.done, scene.revoked, sum(scene.disturber.shown.values())) == ([], set(), 0)


# when it ends


def test_it_is_over_after_its_time_by_the_hurried_clock() -> None:
    scene = Scene(Disturbance("outage", 1, 300.0), factor=1e6)
    scene.call()
    assert scene.line.is_up.wait(30)
    assert scene.line.done == ["down", "up"]


def test_the_next_evaluation_begins_without_what_was_still_going_on() -> None:
    scene = Scene(Disturbance("outage", 1, FOR_EVER))
    scene.call()
    scene.disturber.arm([])
    assert scene.line.done == ["down", "up"]


def test_the_next_evaluation_has_its_key_again() -> None:
    scene = Scene(Disturbance("refusal", 1, FOR_EVER))
    scene.call()
    scene.disturber.arm([])
    assert scene.revoked == set()


def test_the_next_evaluation_counts_its_own_calls() -> None:
    scene = Scene()
    scene.call(5)
    scene.disturber.arm([Disturbance("cut", 2, FOR_EVER)])
    scene.call()
    assert scene.line.done == []
    scene.call()
    assert scene.line.done == ["silent"]


def test_what_is_shown_is_counted_over_all_evaluations() -> None:
    scene = Scene(Disturbance("outage", 1, FOR_EVER))
    scene.call()
    scene.disturber.arm([Disturbance("outage", 1, FOR_EVER)])
    scene.call()
    assert scene.disturber.shown == {"outage": 2}


# which requests count


def test_only_calls_to_models_are_counted_and_all_requests_are_passed_on() -> None:
    scene = Scene(Disturbance("outage", 2, FOR_EVER))
    passed: list[str] = []

    async def app(scope, _receive, _send) -> None:
        passed.append(scope.get("path", scope["type"]))

    async def ask() -> None:
        wrapped = disturbed(app, scene.disturber)
        for path in ("/v1/models", "/status", "/v1/chat/completions", "/v1/models"):
            await wrapped({"type": "http", "path": path}, None, None)
        await wrapped({"type": "lifespan"}, None, None)
        assert scene.line.done == []
        await wrapped({"type": "http", "path": "/v1/chat/completions"}, None, None)

    asyncio.run(ask())
    assert scene.line.done == ["down"]
    assert passed[-2:] == ["lifespan", "/v1/chat/completions"]
