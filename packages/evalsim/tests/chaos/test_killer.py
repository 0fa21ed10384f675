"""When the service is killed: at the request that was drawn, once, before or after the work of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsim.chaos.killer import (
    STAGES,
    Killer,
    Moment,
    Point,
    deadly,
    draw_point,
    stage_of_github,
    stage_of_mindrouter,
)
from evalsim.serving import ConnectionCut


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits to be killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        yield process
        process.kill()


def killed(process: subprocess.Popen[bytes]) -> bool:
    """Whether it was killed; one that lives on is ended in good order by the end of its input."""
    process.communicate(b"\n", timeout=30)
    return process.returncode == -signal.SIGKILL


# what is drawn


@given(st.integers(), st.integers(1, 500))
def test_a_point_is_one_that_an_evaluation_comes_to(seed: int, calls: int) -> None:
    point = draw_point(Random(seed), calls)
    assert point.stage in STAGES
    assert point.moment in get_args(Moment)
    assert 1 <= point.number <= max(calls, 6)
    assert point.stage != "call" or point.number <= calls
    assert 0 <= point.seconds <= 2.5


def test_the_same_seed_draws_the_same_points() -> None:
    one, other = Random(7), Random(7)
    assert [draw_point(one, 30) for _ in range(20)] == [draw_point(other, 30) for _ in range(20)]


def test_every_stage_and_every_moment_is_drawn() -> None:
    random = Random(1)
    points = [draw_point(random, 10) for _ in range(500)]
    assert {point.stage for point in points} == set(STAGES)
    assert {point.moment for point in points} == set(get_args(Moment))
    assert {point.number for point in points if point.stage == "call"} == set(range(1, 11))


# when it is due


def point(stage: str = "call", moment: Moment = "before", number: int = 2) -> Point:
    return Point(stage, moment, number, 0.0)


def test_it_is_due_at_the_kth_request_of_its_kind_alone() -> None:
    killer = Killer()
    wanted = point(number=3)
    killer.arm(0, wanted)
    stages = ["call", "models", "call", "push", "call", "call"]
    assert [killer.is_due(stage) for stage in stages] == [None, None, None, None, wanted, None]


def test_disarmed_or_not_set_on_anybody_it_is_never_due() -> None:
    killer = Killer()
    assert killer.is_due("call") is None
    killer.arm(0, point(number=1))
    killer.disarm()
    assert killer.is_due("call") is None
    killer.arm(0, None)
    assert killer.is_due("call") is None


def test_armed_again_it_counts_anew() -> None:
    killer = Killer()
    killer.arm(0, point(number=2))
    killer.is_due("call")
    killer.arm(0, again := point(number=2))
    assert [killer.is_due("call"), killer.is_due("call")] == [None, again]


def test_it_kills_the_process_it_is_set_on_and_notes_it_once(victim) -> None:
    killer = Killer()
    wanted = point(number=1)
    killer.arm(victim.pid, wanted)
    killer.kill(wanted)
    killer.kill(wanted)
    assert killed(victim)
    assert killer.kills == [wanted]


def test_a_point_of_before_kills_nobody(victim) -> None:
    killer = Killer()
    old = point()
    killer.arm(victim.pid, old)
    killer.arm(victim.pid, point(number=9))
    killer.kill(old)
    killer.disarm()
    assert not killed(victim)
    assert killer.kills == []


def test_a_point_in_time_kills_by_itself(victim) -> None:
    killer = Killer()
    killer.arm(victim.pid, Point("time", "before", 1, 0.0))
    victim.wait(timeout=30)
    assert victim.returncode == -signal.SIGKILL


# where in a request


def ask(moment: Moment, victim) -> tuple[list[str], Killer]:
    """Make one request, at which the caller is killed; returns what happened in turn."""
    happened: list[str] = []
    killer = Killer()
    killer.arm(victim.pid, point(moment=moment, number=1))
    kill = killer.kill

    def noted(wanted: Point) -> None:
        happened.append("killed")
        kill(wanted)

    killer.kill = noted

    async def app(_scope, _receive, send) -> None:
        happened.append("worked")
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body"})

    async def send(message) -> None:
        happened.append(message["type"].removeprefix("http.response."))

    async def asked() -> None:
        wrapped = deadly(app, killer, stage_of_mindrouter)
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
        try:
            await wrapped(scope, None, send)
        except ConnectionCut:
            happened.append("cut")

    asyncio.run(asked())
    return happened, killer


@pytest.mark.parametrize(
    ("moment", "order"),
    [
        ("before", ["killed", "cut"]),
        ("done", ["worked", "killed", "start", "body"]),
        ("answered", ["worked", "start", "body", "killed"]),
    ],
)
def test_the_work_is_lost_done_or_answered_when_it_kills(victim, moment: Moment, order: list[str]) -> None:
    happened, killer = ask(moment, victim)
    assert happened == order
    assert [one.moment for one in killer.kills] == [moment]
    assert killed(victim)


# what a request is


@pytest.mark.parametrize(
    ("method", "path", "stage"),
    [
        ("GET", "/api/v3/repos/o/r/pulls", "pulls.list"),
        ("POST", "/api/v3/repos/o/r/pulls", "pulls.create"),
        ("POST", "/api/v3/repos/o/r/issues/1/labels", "labels.add"),
        ("GET", "/o/r.git/info/refs", "discovery"),
        ("POST", "/o/r.git/git-upload-pack", "fetch"),
        ("POST", "/o/r.git/git-receive-pack", "push"),
    ],
)
def test_a_request_to_github_is_of_a_kind(method: str, path: str, stage: str) -> None:
    assert stage_of_github({"method": method, "path": path}) == stage


@pytest.mark.parametrize(
    ("path", "stage"), [("/v1/chat/completions", "call"), ("/v1/models", "models"), ("/status", "")]
)
def test_a_request_to_mindrouter_is_of_a_kind(path: str, stage: str) -> None:
    assert stage_of_mindrouter({"path": path}) == stage


def test_every_stage_that_is_drawn_is_one_that_a_request_has_or_a_time() -> None:
    requests = [
        stage_of_github({"method": method, "path": path})
        for method, path in [
            ("GET", "/api/v3/repos/o/r/pulls"),
            ("POST", "/api/v3/repos/o/r/pulls"),
            ("POST", "/api/v3/repos/o/r/issues/1/labels"),
            ("POST", "/o/r.git/git-upload-pack"),
            ("POST", "/o/r.git/git-receive-pack"),
        ]
    ]
    assert set(STAGES) == {"time", "call", "models", *requests}
