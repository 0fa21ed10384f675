"""How far an evaluation is: counted from what the observer is told, clock passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LONG_WAIT_S: Final = 30.0
MAX_NAMED: Final = 3
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(slots=True)
class Tally:
    """One model's calls; memory grows with the calls in flight, never with those made."""

    model: str
    total: int
    kept: int
    """Replies that an earlier, interrupted run left."""
    began: float
    last: float = 0.0
    """When the latest reply came."""
    done: int = 0
    """With those kept."""
    errors: int = 0
    in_flight: dict[tuple[int, str], float] = field(default_factory=dict)
    """(replicate, case) to when it was begun."""

    def rate(self, now: float) -> float:
        """Return calls a second since the run began here."""
        until = self.last if self.done >= self.total else now
        return (self.done - self.kept) / max(until - self.began, 1e-3)


def time_left(tallies: list[Tally], now: float) -> float | None:
    """Estimate the seconds until the slowest model is done; None while nothing is known."""
    lefts = []
    for tally in tallies:
        if tally.done >= tally.total:
            continue
        rate = tally.rate(now)
        if rate <= 0:
            return None
        lefts.append((tally.total - tally.done) / rate)
    return max(lefts, default=0.0)


def long_waits(tallies: list[Tally], now: float) -> str:
    """Name the calls that have been out for long, the longest first; empty where there is none."""
    waits = sorted(
        (
            (now - begun, tally.model, case, replicate)
            for tally in tallies
            for (replicate, case), begun in tally.in_flight.items()
            if now - begun >= LONG_WAIT_S
        ),
        reverse=True,
    )
    if not waits:
        return ""
    named = "; ".join(
        f"{model}: {case}, replicate {replicate + 1}, for {seconds:.0f} s"
        for seconds, model, case, replicate in waits[:MAX_NAMED]
    )
    more = f"; and {len(waits) - MAX_NAMED} more" if len(waits) > MAX_NAMED else ""
    return f"waiting for {named}{more}"


def duration(seconds: float | None) -> str:
    """Write seconds for people: `45 s`, `3 min 20 s`, `2 h 5 min`, or `?`."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
