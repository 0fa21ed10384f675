"""Scoring in a process of its own, so that no answer, however large, can hold up the event loop.

A thread would not do: parsing a long reply, comparing long texts and collecting garbage all hold the
interpreter's lock for tens of milliseconds. One process (evalcore.evaluation.scoring_worker) serves a whole
evaluation; it is started while the first calls are on their way, so that no run waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from evalcore.decoding import decode_json
from evalcore.errors import ScoringError, StorageError
from evalcore.runs.folder import read_record
from evalcore.runs.record import RunRecord
from evalcore.structs import Frozen

# No secrets: the process reads what models wrote.
ENVIRONMENT = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV"})
"""What the scoring process inherits."""

_KEPT = "the replies are kept: resume the run, and report this"


class ScoringRequest(Frozen, frozen=True):
    """What the scoring process is asked: a run folder, a JSON line each."""

    folder: str
    is_complete: bool
    """Whether all replies are there and it is to be scored; else it is only prepared for, without answer."""


class ScoringAnswer(Frozen, frozen=True):
    """What the scoring process says of one run; no error where its record is written."""

    case: int | None = None
    """The number of the case whose turn it is; None at the end."""
    error: str | None = None
    crash: str | None = None
    """Where an error of our own was raised, as a traceback; without its words, which may be of a case."""


# What decides is counted in work, which is the same on every machine (library.schema_work). This is for what
# nobody has thought of, and ends the evaluation.
LONGEST_CASE_S = 900.0
"""Seconds for the replies of one case."""


def _ignored(_case: int) -> None:
    """Do nothing."""


class ScoringProcess:
    """Scores run folders, one at a time; an async context manager."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        # One request at a time: an answer does not say whose it is.
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def prepare(self, folder: Path) -> None:
        """Let the process start, and do what it can before the replies of a run are there.

        Where that fails, `score` tries again and raises.
        """
        async with self._turn:
            with contextlib.suppress(OSError):
                await self._send(ScoringRequest(str(folder), is_complete=False))

    async def score(self, folder: Path, scoring: Callable[[int], None] = _ignored) -> RunRecord:
        """Score a run whose replies are all stored, write its `record.json`, and return the record.

        `scoring` is called with the number of each case, from 0, as its turn comes.
        Raises StorageError where the folder cannot be read or written, ScoringError where scoring failed.
        """
        async with self._turn:
            try:
                answer = await self._ask(folder, scoring)
            except TimeoutError:
                await self._stop()
                what = f"scoring one case took over {LONGEST_CASE_S:.0f} s"
                raise ScoringError(what, where=str(folder), hint=_KEPT) from None
        if answer is None:
            await self._stop()
            raise ScoringError("the scoring process died", where=str(folder), hint=_KEPT)
        if answer.crash is not None:
            crash = ScoringError(f"scoring crashed: {answer.error}", where=str(folder), hint=_KEPT)
            crash.add_note(answer.crash)
            raise crash
        if answer.error is not None:
            raise StorageError(answer.error)
        return read_record(folder)

    async def _ask(self, folder: Path, scoring: Callable[[int], None]) -> ScoringAnswer | None:
        """Return what the process says in the end; None where it died. Raises TimeoutError."""
        answers = await self._send(ScoringRequest(str(folder), is_complete=True))
        # For each case anew: a run of many cases takes as long as it takes.
        while line := await asyncio.wait_for(answers.readline(), LONGEST_CASE_S):
            if not line.endswith(b"\n"):
                return None  # killed in the middle of an answer, which is none then
            answer = decode_json(line, ScoringAnswer)
            if answer.case is None:
                return answer
            scoring(answer.case)
        return None

    async def _send(self, request: ScoringRequest) -> asyncio.StreamReader:
        """Send a request, and return where the answers come."""
        process = await self._running()
        if process.stdin is None or process.stdout is None:
            raise ScoringError("the scoring process has no pipes", where=request.folder, hint=_KEPT)
        # A path, not the replies: they are on the disk, and a pipe would hold them a second time.
        process.stdin.write(msgspec.json.encode(request) + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return process.stdout

    async def _running(self) -> asyncio.subprocess.Process:
        # One that has died while nothing was scored, such as for want of memory, has lost nothing.
        if self._process is not None and self._process.returncode is None:
            return self._process
        return await self._start()

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "evalcore.evaluation.scoring_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Its words would stand in the middle of a service's log; what goes wrong is in its answers.
            stderr=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name in ENVIRONMENT},
            # A terminal's Ctrl-C goes to the whole process group: this one is ended by us, quietly.
            start_new_session=True,
        )
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # Reaped, and its pipes read to their end: else they would stay open as long as the service runs.
        await process.communicate()
