"""Time that passes faster: minutes of waiting are over in seconds, though sockets and processes are real.

Everything that goes by the event loop's clock is hurried: sleeps, time limits, looks. Work is not, nor is
the kernel: a factor of 20 leaves a twentieth of each time limit to do the same work in.
"""

from __future__ import annotations

import asyncio
import selectors
import time

_monotonic = time.monotonic


class _HurriedSelector(selectors.DefaultSelector):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for the factor's part of the time."""
        return super().select(None if timeout is None else timeout / self._factor)


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock runs `factor` times as fast."""

    def __init__(self, factor: float) -> None:
        super().__init__(_HurriedSelector(factor))
        self._factor = factor

    def time(self) -> float:
        """Return the time in hurried seconds."""
        return _monotonic() * self._factor


class _HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes hurried loops."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return HurriedLoop(self._factor)


def hurry(factor: float) -> None:
    """Let the event loops of this process, and `time.monotonic`, run `factor` times as fast from now on.

    What has imported `monotonic` itself by then stays at the machine's pace.
    """
    time.monotonic = lambda: _monotonic() * factor
    asyncio.set_event_loop_policy(_HurriedPolicy(factor))
