"""When the service is killed: at a request that it makes, before or after the work of it, or after a time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from random import Random
from typing import Any, Literal

from evalcore.structs import Frozen
from evalsim.github.app import GIT_PATH
from evalsim.github.rest import operation_of
from evalsim.serving import ConnectionCut

Moment = Literal["before", "done", "answered"]
"""Before the request is worked on (it is lost), when it is done but not answered, or after the answer."""
# Calls three times, since most of a job's life is calls.
STAGES = (
    "time", "models", "call", "call", "call", "fetch", "push", "pulls.list", "pulls.create", "labels.add",
)  # fmt: skip
MOMENTS: tuple[Moment, ...] = ("before", "done", "answered")


class Point(Frozen, frozen=True):
    """Where in its life the service is killed."""

    stage: str
    """`time`, or the kind of request."""
    moment: Moment
    number: int
    """The how-manieth of these requests."""
    seconds: float
    """For `time`: after the start of the process was seen."""


def draw_point(random: Random, calls: int) -> Point:
    """Draw a point; `calls` are made in one evaluation."""
    stage = random.choice(STAGES)
    # About as many of each as one evaluation makes: a later one would never come.
    most = {"call": calls, "fetch": 6, "pulls.list": 3, "models": 3}.get(stage, 1)
    return Point(stage, random.choice(MOMENTS), random.randint(1, most), random.uniform(0.0, 2.5))


class Killer:
    """Kills the process that it is set on, once for each point."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._point: Point | None = None
        self._seen = 0
        self._pid: int | None = None
        self.kills: list[Point] = []

    def arm(self, pid: int, point: Point | None) -> None:
        """Kill that process at that point, or not at all."""
        with self._lock:
            self._pid, self._point, self._seen = pid, point, 0
        if point is not None and point.stage == "time":
            timer = threading.Timer(point.seconds, self._kill, (point, pid))
            timer.daemon = True
            timer.start()

    def disarm(self) -> None:
        """Let the process live."""
        with self._lock:
            self._point = None

    def is_due(self, stage: str) -> Point | None:
        """Count a request; gives the point that it is."""
        with self._lock:
            point = self._point
            if point is None or point.stage != stage:
                return None
            self._seen += 1
            return point if self._seen == point.number else None

    def kill(self, point: Point) -> None:
        """Kill now."""
        self._kill(point, self._pid)

    def _kill(self, point: Point, pid: int | None) -> None:
        with self._lock:
            # Once for each point, whichever of timer and request comes first; and never the process that came
            # after.
            if self._point is not point or pid is None:
                return
            self._point = None
            self.kills.append(point)
        os.kill(pid, signal.SIGKILL)


def stage_of_github(scope: Any) -> str:  # noqa: ANN401 - ASGI's own dictionary
    """The kind of a request to the simulated GitHub."""
    path: str = scope["path"]
    git = GIT_PATH.fullmatch(path)
    if git is None:
        return operation_of(scope["method"], path.removeprefix("/api/v3"))
    if scope["method"] != "POST":
        return "discovery"
    return "push" if "receive" in git[3] else "fetch"


def stage_of_mindrouter(scope: Any) -> str:  # noqa: ANN401 - as above
    """The kind of a request to the simulated MindRouter."""
    return {"/v1/chat/completions": "call", "/v1/models": "models"}.get(scope["path"], "")


def deadly(app: Any, killer: Killer, stage_of: Callable[[Any], str]) -> Any:  # noqa: ANN401 - an ASGI app
    """Wrap an ASGI application so that requests to it may be the caller's last."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        point = killer.is_due(stage_of(scope)) if scope["type"] == "http" else None
        if point is None:
            await app(scope, receive, send)
            return
        if point.moment == "before":
            killer.kill(point)
            raise ConnectionCut
        answers: list[Any] = []

        async def keep(message: Any) -> None:  # noqa: ANN401 - as above
            answers.append(message)

        # Worked on to its end before anything is answered: the service never learns that it was done.
        await app(scope, receive, keep)
        if point.moment == "done":
            killer.kill(point)
        for message in answers:
            await send(message)
        if point.moment == "answered":
            killer.kill(point)

    return wrapped
