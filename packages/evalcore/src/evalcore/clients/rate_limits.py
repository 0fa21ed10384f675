"""What is left of a provider's rate limits, by its answers' headers: calls are paced before a 429 comes.

A limit is taken for a token bucket that fills evenly: Anthropic documents it so, and says, as OpenAI does,
when the bucket will be full again. Between two answers the bucket is reckoned: calls sent since are taken
off it, and what has flowed in meanwhile is added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from evalcore.clients.reply import Usage
from evalcore.structs import Frozen

Unit = Literal["calls", "tokens"]

LONGEST_PACE: Final = 60.0
"""Seconds; a limit that fills more slowly is met by its 429 instead."""
_PARTS: Final = ("limit", "remaining", "reset")
# Minutes must not be taken for the first letter of milliseconds: hence `(?!s)`.
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


class RateLimit(Frozen, frozen=True):
    """One limit as an answer's headers state it."""

    unit: Unit
    limit: float
    remaining: float
    reset: float
    """Seconds until the limit is whole again."""


class _Bucket:
    """One limit of one model, reckoned on from what was last stated."""

    def __init__(self) -> None:
        self.stated_at = 0.0
        self.of_call = -1
        """The number of the call whose answer stated it last."""
        self.left = float("inf")
        self.rate = 0.0
        self.limit = float("inf")

    def state(self, limit: RateLimit, call: int, sent_since: int, each: float, now: float) -> None:
        if call < self.of_call or limit.limit <= 0:
            # a later call's answer has come already, and knows more
            return
        self.of_call, self.stated_at, self.limit = call, now, limit.limit
        # The server counted before it saw the calls that were sent since this one.
        self.left = limit.remaining - sent_since * each
        missing = limit.limit - limit.remaining
        # A limit that is whole does not show how fast it fills: nothing is held back until an answer does.
        self.rate = missing / limit.reset if missing > 0 and limit.reset > 0 else float("inf")

    def wait_for(self, amount: float, now: float) -> float:
        """Return the seconds until so much is left; 0 where that is so now, or cannot be known."""
        # A call larger than the whole limit would wait for ever: it goes once the limit is whole.
        wanted = min(amount, self.limit)
        left = self.left if self.rate == float("inf") else self.left + self.rate * (now - self.stated_at)
        if left >= wanted or self.rate in {0.0, float("inf")}:
            return 0.0
        return min((wanted - left) / self.rate, LONGEST_PACE)


class _ModelPace:
    def __init__(self) -> None:
        self.sent = 0
        self.buckets: dict[Unit, _Bucket] = {"calls": _Bucket(), "tokens": _Bucket()}
        self.tokens_each = 0.0
        """Mean of the tokens of a call so far."""
        self.answers = 0


class Pacer:
    """Says how long a call waits, so that the limits are not run into. Shared by all calls of one client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._models: dict[str, _ModelPace] = {}

    def wait(self, model_id: str) -> float:
        """Return the seconds until a call may be sent; 0: now."""
        pace = self._models.get(model_id)
        if pace is None:
            return 0.0
        now = self._clock()
        return max(bucket.wait_for(_each(pace, unit), now) for unit, bucket in pace.buckets.items())

    def sending(self, model_id: str) -> int:
        """Note that a call is sent; returns its number."""
        pace = self._models.setdefault(model_id, _ModelPace())
        pace.sent += 1
        # Now, not with the answer: calls that are sent together would else all see the same rest.
        for unit, bucket in pace.buckets.items():
            bucket.left -= _each(pace, unit)
        return pace.sent

    def stated(self, model_id: str, call: int, limits: Iterable[RateLimit]) -> None:
        """Take what the answer to a call states; of several limits of one unit the tightest counts."""
        pace = self._models[model_id]
        tightest: dict[Unit, RateLimit] = {}
        for limit in limits:
            if limit.unit not in tightest or limit.remaining < tightest[limit.unit].remaining:
                tightest[limit.unit] = limit
        for unit, limit in tightest.items():
            each = _each(pace, unit)
            pace.buckets[unit].state(limit, call, pace.sent - call, each, self._clock())

    def answered(self, model_id: str, usage: Usage | None) -> None:
        """Note how many tokens a call took, where its answer says so."""
        if usage is None:
            return
        pace = self._models[model_id]
        tokens = usage.prompt + usage.completion
        pace.answers += 1
        pace.tokens_each += (tokens - pace.tokens_each) / pace.answers


def _each(pace: _ModelPace, unit: Unit) -> float:
    return 1.0 if unit == "calls" else pace.tokens_each


def read_limits(
    headers: Mapping[str, str], form: str, names: Mapping[str, Unit], now: datetime
) -> tuple[RateLimit, ...]:
    """Read the limits whose three headers are all there.

    `form` is a header's name, with `{part}` (limit, remaining, reset) and `{name}`, one of `names`. The reset
    is a duration (`1s`, `6m0s`, `20ms`), seconds, or a moment of RFC 3339.
    """
    limits: list[RateLimit] = []
    for name, unit in names.items():
        values = [headers.get(form.format(part=part, name=name), "") for part in _PARTS]
        limit, remaining, reset = _number(values[0]), _number(values[1]), _seconds(values[2].strip(), now)
        if limit is not None and remaining is not None and reset is not None:
            limits.append(RateLimit(unit=unit, limit=limit, remaining=remaining, reset=reset))
    return tuple(limits)


def _number(text: str) -> float | None:
    # Bounded digits: a number of thousands of them takes long, and 1e999 would be a wait without end.
    return float(text) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", text.strip()) else None


def _seconds(text: str, now: datetime) -> float | None:
    if (number := _number(text)) is not None:
        return number
    found = _DURATION.fullmatch(text)
    if found is not None and any(found.groups()):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
        return 3600 * hours + 60 * minutes + seconds + milliseconds / 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
