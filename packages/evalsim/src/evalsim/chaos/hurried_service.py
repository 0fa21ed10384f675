"""`evalhook serve` in hurried time: `python -m evalsim.chaos.hurried_service FACTOR`.

The program is the real one; its event loop's clock and `time.monotonic` run FACTOR times as fast, so that
an outage of five minutes takes seconds. Limits on git's and the kernel's time are as they are.
"""

from __future__ import annotations

import importlib

# their clocks stay the machine's: each takes `monotonic` when it is imported
import queue  # noqa: F401
import subprocess  # noqa: F401
import sys
import threading  # noqa: F401

from evalsim.hurry import hurry


def main() -> None:
    """Hurry this process and be the service."""
    hurry(float(sys.argv[1]))
    # only now: what is imported takes the hurried clock as its own
    evalhook = importlib.import_module("evalhook.main")
    sys.argv = ["evalhook", "serve"]
    evalhook.main()


if __name__ == "__main__":
    main()
