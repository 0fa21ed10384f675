"""`evalhook serve` in hurried time: `python -m evalsim.chaos.hurried_service FACTOR`.

The program is the real one; its event loop's clock and `time.monotonic` run FACTOR times as fast, so that
an outage of five minutes takes seconds. Limits on git's and the kernel's time are as they are.
"""

from __future__ import annotations

import asyncio
import importlib

# their clocks stay the machine's: each takes `monotonic` when it is imported
import queue  # noqa: F401
import subprocess  # noqa: F401
import sys
import threading  # noqa: F401
import time

from evalsim.hurry import HurriedLoop


class _HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes hurried loops."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return HurriedLoop(self._factor)


def main() -> None:
    """Hurry this process and be the service."""
    factor = float(sys.argv[1])
    monotonic = time.monotonic
    time.monotonic = lambda: monotonic() * factor
    asyncio.set_event_loop_policy(_HurriedPolicy(factor))
    # only now: what is imported takes the hurried clock as its own
    evalhook = importlib.import_module("evalhook.main")
    sys.argv = ["evalhook", "serve"]
    evalhook.main()


if __name__ == "__main__":
    main()
