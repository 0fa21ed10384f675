"""How long a streamed answer may take, and whose failure it is when it takes longer: decisions only.

The bytes of an answer come all along while a model works. A silence is the network's or the server's as
well, so that it does not count against the call's time limit, and a long one is no answer any more.
"""

from __future__ import annotations

from typing import Final

from evalcore.clients.failures import Failure, gone_silent, timed_out

SILENCE_SECONDS: Final = 5.0
"""A longer gap between two reads is a silence; a model that is merely slow is hardly ever so slow."""


class StreamLimit:
    """The time limit of one streamed answer. Times are of any clock that is never set back.

    Before the answer has begun, all time counts. From then on silences do not, `idle_timeout` seconds of
    them in all.
    """

    def __init__(
        self, seconds: float, idle_timeout: float, began: float, silence: float = SILENCE_SECONDS
    ) -> None:
        self._seconds = seconds
        self._idle_timeout = idle_timeout
        self._silence = silence
        self._began = began
        self._last: float | None = None
        """When the last bytes of a begun answer came; None before it began."""
        self._uncounted = 0.0
        self._had_silence = False

    def bytes_came(self, now: float, *, has_begun: bool) -> Failure | None:
        """Note that bytes came; a failure where they came too late, whatever they say."""
        if self._last is not None and (gap := now - self._last) > self._silence:
            self._had_silence = True
            # Bounded, since a server that falls silent again and again would else never reach the limit.
            self._uncounted = min(self._uncounted + gap, self._idle_timeout)
        if has_begun:
            self._last = now
        return self._too_late() if now - self._began - self._uncounted > self._seconds else None

    def deadline(self) -> float:
        """Return until when the next bytes are waited for."""
        if self._last is None:
            return self._began + self._seconds
        # Beyond the limit only silences can have carried the answer, `idle_timeout` seconds of them in all.
        return self._idle_timeout + min(self._last, self._began + self._seconds)

    def ran_out(self) -> Failure:
        """Say what it means that no bytes came until the deadline."""
        if self._last is None:
            return timed_out(self._seconds, is_answering=False)
        if self._last <= self._began + self._seconds:
            return gone_silent(self._idle_timeout)
        # so late by silences alone, which have used up what they may
        return self._too_late()

    def _too_late(self) -> Failure:
        return timed_out(self._seconds, is_answering=True, had_silence=self._had_silence)
