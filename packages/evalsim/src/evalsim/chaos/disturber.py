"""What befalls the service's MindRouter while it is called: away, silent, or refusing the key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Final, Literal

from evalcore.structs import Frozen
from evalsim.link import Link

Kind = Literal["outage", "cut", "refusal"]
"""Down and refusing connections; a network that passes nothing on; the key refused."""
SHORTEST_S, LONGEST_S = 5.0, 300.0
PASSING_S: Final = 8.0
"""A refusal of up to so long is one in passing: it is over before the key is looked at again."""
LASTING_S: Final = 10_000.0


class Disturbance(Frozen, frozen=True):
    """One of them: at which call of the evaluation it begins, and for how long, in the service's seconds."""

    kind: Kind
    number: int
    seconds: float

    @property
    def is_lasting_refusal(self) -> bool:
        """Whether the run cannot be completed."""
        return self.kind == "refusal" and self.seconds > PASSING_S


def draw_disturbance(random: Random, kind: Kind, calls: int) -> Disturbance:
    """Draw one; `calls` are made in one evaluation."""
    if kind != "refusal":
        return Disturbance(kind, random.randint(1, calls), random.uniform(SHORTEST_S, LONGEST_S))
    seconds = random.choice((random.uniform(1.0, PASSING_S), LASTING_S))
    return Disturbance(kind, random.randint(2, max(2, calls // 2)), seconds)


class Disturber:
    """Makes them happen, one at a time; `factor` says how much faster the service's time passes."""

    def __init__(self, revoked: set[str], key: str, factor: float) -> None:
        self.link: Link | None = None
        self._revoked = revoked
        self._key = key
        self._factor = factor
        self._lock = threading.Lock()
        self._waiting: list[Disturbance] = []
        self._active: Disturbance | None = None
        self._seen = 0
        self.shown: Counter[str] = Counter()

    def arm(self, disturbances: Sequence[Disturbance]) -> None:
        """Let these happen in the evaluation that begins now, and end what is still going on."""
        with self._lock:
            self._seen = 0
            self._waiting = sorted(disturbances, key=lambda one: one.number)
            active, self._active = self._active, None
        if active is not None:
            self._end(active)

    def called(self) -> None:
        """Count a call to a model; begin what is due."""
        with self._lock:
            self._seen += 1
            if self._active is not None or not self._waiting or self._waiting[0].number > self._seen:
                return
            active = self._active = self._waiting.pop(0)
            self.shown[active.kind] += 1
        if active.kind == "refusal":
            self._revoked.add(self._key)
        elif self.link is not None:
            (self.link.down if active.kind == "outage" else self.link.silent)()
        timer = threading.Timer(active.seconds / self._factor, self._over, (active,))
        timer.daemon = True
        timer.start()

    def _over(self, active: Disturbance) -> None:
        with self._lock:
            # Ended by `arm` meanwhile, and perhaps another one begun: that is not this timer's.
            if self._active is not active:
                return
            self._active = None
        self._end(active)

    def _end(self, active: Disturbance) -> None:
        if active.kind == "refusal":
            self._revoked.discard(self._key)
        elif self.link is not None:
            self.link.up()


def disturbed(app: Any, disturber: Disturber) -> Any:  # noqa: ANN401 - an ASGI application
    """Wrap the simulated MindRouter so that calls to its models are counted."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        if scope["type"] == "http" and scope["path"] == "/v1/chat/completions":
            disturber.called()
        await app(scope, receive, send)

    return wrapped
