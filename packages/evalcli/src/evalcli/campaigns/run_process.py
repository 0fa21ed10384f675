"""The process that does one run: what to do in on standard input, how it ended out on standard output.

A process for each run: it can be ended at any instant, uses a core of its own for scoring, and keeps a
crash to itself. It lives by signs of life on its standard input, a line each, which its worker sends while
the run is the worker's: without them it ends at once, before the run is given to somebody else.
"""

from __future__ import annotations

import os
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from evalcli.campaigns.assignment import Assignment, Places, RunResult
from evalcli.campaigns.carry_out import carry_out
from evalcli.leaderboards.places import Sources
from evalcore.decoding import decode_json
from evalcore.errors import EvaluatorError
from evalcore.structs import Frozen

ABANDONED: Final = 75
"""The exit code of a process whose worker is gone, or has lost the run (EX_TEMPFAIL of sysexits.h)."""


class RunRequest(Frozen, frozen=True):
    """What a run's process is started with: one line of JSON."""

    assignment: Assignment
    prompt_library: str
    data_sets: str | None
    models: str | None
    runs_dir: str
    patience_s: float
    """Seconds without a sign of life after which it ends."""

    @property
    def places(self) -> Places:
        """Where its files are."""
        data_sets, models = (None if one is None else Path(one) for one in (self.data_sets, self.models))
        return Places(Sources(Path(self.prompt_library), data_sets, models), Path(self.runs_dir))


def main() -> None:
    """Do the run that standard input names, and write how it ended to standard output."""
    line = _first_line()
    request = decode_json(line, RunRequest)
    watch = threading.Thread(target=_end_without_signs, args=(request.patience_s,), daemon=True)
    watch.start()
    # What modules print must not be taken for the result.
    result_to = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        result = carry_out(request.assignment, request.places, os.environ)
    except EvaluatorError as error:
        result = RunResult("failed", error.line, None, "", "")
    with os.fdopen(result_to, "wb") as out:
        out.write(msgspec.json.encode(result) + b"\n")


def _first_line() -> bytes:
    """Read a line and not a byte more: what follows is for the thread that waits for signs of life."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1)
        if not part:
            sys.exit(ABANDONED)
        line += part
    return line


def _end_without_signs(patience_s: float) -> None:
    """End the process once standard input is closed, or has been silent for too long."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        heard = time.monotonic()
        while time.monotonic() - heard <= patience_s:
            ready = selector.select(timeout=max(0.0, heard + patience_s - time.monotonic()))
            if time.monotonic() - heard > patience_s:
                break  # stopped and woken: the sign that waits there is an old one
            if ready:
                # However many signs have gathered meanwhile, together they are one.
                if not os.read(0, 4096):
                    break
                heard = time.monotonic()
    # At once, without tidying up: every reply that came is stored, and another may be calling already.
    os._exit(ABANDONED)


if __name__ == "__main__":
    main()
