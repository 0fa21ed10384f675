"""A worker: does the runs that it is given, each in a process, and shows the others that it is there.

It notes a sign of life in the database and, once that is done, sends one to the process of each of its
runs. A process that hears nothing for a while ends by itself, well before the lease is over after which
the run is given to another worker: so a worker that hangs, is stopped or has lost the database never calls
beside its successor, and a provider's limit holds.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

import msgspec

from evalcli.campaigns.address import DatabaseGone
from evalcli.campaigns.assignment import Assignment, Places, RunResult
from evalcli.campaigns.database import CampaignDatabase
from evalcli.campaigns.engine import Engine
from evalcli.campaigns.rows import campaign_of, id_of
from evalcli.campaigns.run_process import ABANDONED, RunRequest
from evalcli.terminal.output import note, say
from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.formats.counts import counted

PATIENCE: Final = 0.6
"""Of the lease: a run's process that has heard nothing for so long ends."""
BEATS: Final = 10
"""Signs of life within a lease, at least."""
MOST_BETWEEN_S: Final = 1.0
"""Seconds between two: as often it is looked whether all is done, or a run was cancelled."""
MAX_RESULT: Final = 64 * 1024 * 1024
"""Bytes of what a run's process writes; a record of 100 replicates of 5,000 cases has about ten million."""
SIGN: Final = b"\n"


class RunLeft(BaseException):
    """A run is left as it stands, for whoever gets it next.

    No Exception: of those DBOS records that the run has ended.
    """


class Worker:
    """Does runs until it is told to stop, or has none left."""

    def __init__(self, database: CampaignDatabase, places: Places, lease_s: float, evaluator: str) -> None:
        self._database = database
        self._evaluator = evaluator
        self._places = places
        self._lease_s = lease_s
        self.host = socket.gethostname()
        # Never that of an earlier process: what that one was doing is somebody else's by now.
        self.id = f"{self.host}-{secrets.token_hex(6)}"
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ended = threading.Event()
        self._is_abandoned = threading.Event()
        self._is_leaving = threading.Event()
        self._cancelled: set[str] = set()

    def stop(self) -> None:
        """Let `serve` return at once; may be called from a signal's handler."""
        self._ended.set()

    def serve(self, providers: tuple[str, ...], is_done: Callable[[], bool]) -> bool:
        """Do runs of these providers, planned by its own version, until `is_done` or `stop`.

        Returns False where this worker has lost its runs, since it was out of touch for too long: the process
        is then to be begun anew. Raises DatabaseGone where it is not there at the beginning.
        """
        self._show_life()
        engine = Engine(self._database.url, self.id, self._evaluator, providers, self._do)
        is_gone = False
        while (
            not self._ended.wait(min(MOST_BETWEEN_S, self._lease_s / BEATS))
            and not self._is_abandoned.is_set()
        ):
            try:
                self._beat(engine)
                if is_done():
                    self._say_left()
                    break
            except DatabaseGone as error:
                if not is_gone:
                    say(f"{error.line}; runs that go on are ended if it stays away")
                is_gone = True
            else:
                if is_gone:
                    say("the database is there again")
                is_gone = False
        self._end_all()
        engine.close()
        if not is_gone:
            # Where that fails its lease ends by itself.
            with suppress(DatabaseGone):
                self._database.workers.retire(self.id)
        return not self._is_abandoned.is_set() or self._ended.is_set()

    def _beat(self, engine: Engine) -> None:
        if not self._show_life():
            # Its machine was asleep, and so were the clocks by which its runs' processes would have ended.
            self._is_abandoned.set()
            return
        # Under the lock, so that none is being closed by its thread meanwhile.
        with self._lock:
            processes = dict(self._processes)
            for process in processes.values():
                send(process, SIGN)
        if lost := self._lost():
            # Before it is forgotten: a kill between the two hands its runs on once more.
            engine.hand_on(lost)
            for worker in lost:
                self._database.workers.forget(worker)
                note(f"{worker} has stopped, or is lost; what it was doing is given to others")
        for run in self._database.cancelled(list(processes)):
            self._cancelled.add(run)
            processes[run].kill()

    def _lost(self) -> list[str]:
        """The ids of the workers of this version whose runs are to be handed on."""
        # Asked first, so that one who comes in between is known.
        holders = self._database.holders(self._evaluator)
        known = self._database.workers.known()
        lost = {one.id for one in known if one.is_lost and one.evaluator == self._evaluator}
        # One that was forgotten may have taken a further run before it noticed.
        return sorted((lost | holders - {one.id for one in known}) - {self.id})

    def _show_life(self) -> bool:
        return self._database.workers.seen(self.id, self.host, self._evaluator, self._lease_s)

    def wait_for_database(self) -> None:
        """Return once the database is there again, or `stop` was called."""
        while not self._ended.wait(MOST_BETWEEN_S):
            try:
                self._database.names()
            except DatabaseGone:
                continue
            return

    def _say_left(self) -> None:
        with self._lock:
            runs = list(self._processes)
        # It may be for this that nothing is left to do, and nobody goes on with them.
        self._cancelled |= self._database.cancelled(runs)
        left = Counter(campaign_of(run) for run in runs if run not in self._cancelled)
        for campaign, count in sorted(left.items()):
            many = counted(count, "run is", "runs are")
            say(f"{many} left in the middle, of campaign {campaign}: whoever works for it next goes on")

    def _end_all(self) -> None:
        with self._lock:
            # From here on none is begun, though DBOS may still give one out.
            self._is_leaving.set()
            processes = list(self._processes.values())
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()

    def _do(self, assignment: Assignment) -> RunResult:
        """Do one run in a process of its own; raises RunLeft where the run is not this worker's any more."""
        run, name = id_of(assignment), f"{assignment.run.component} on {assignment.run.model}"
        process = self._begin(assignment, name)
        with process:
            try:
                written, last = _read(process, name)
                code = process.wait()
            finally:
                with self._lock:
                    del self._processes[run]
        if run in self._cancelled:
            return RunResult("stopped", "it was cancelled", None, self.host, "")
        if code == ABANDONED:
            self._is_abandoned.set()
        if self._is_abandoned.is_set() or self._is_leaving.is_set():
            raise RunLeft
        return self._result(name, written, code, last)

    def _begin(self, assignment: Assignment, name: str) -> subprocess.Popen[bytes]:
        sources = self._places.sources
        request = RunRequest(
            assignment=assignment,
            prompt_library=str(sources.prompt_library),
            data_sets=None if sources.data_sets is None else str(sources.data_sets),
            models=None if sources.models is None else str(sources.models),
            # Whole: the result says where the replies are, to whoever asks from anywhere.
            runs_dir=str(self._places.runs_dir.resolve()),
            patience_s=self._lease_s * PATIENCE,
        )
        with self._lock:
            if self._is_leaving.is_set() or self._is_abandoned.is_set():
                raise RunLeft
            note(f"{name}: begins")
            # A session of its own: Ctrl-C in a terminal is the worker's to act on.
            process = subprocess.Popen(
                [sys.executable, "-m", "evalcli.campaigns.run_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._processes[id_of(assignment)] = process
            send(process, msgspec.json.encode(request) + SIGN)
        return process

    def _result(self, name: str, written: bytes, code: int, last: deque[str]) -> RunResult:
        try:
            result = decode_json(written, RunResult)
        except UNREADABLE:
            why = f"its process ended with code {code}: {''.join(last).strip() or 'without a word'}"
            result = RunResult("failed", why[:1000], None, self.host, "")
        # A run of calls says itself how it ended, unless it could not be done at all.
        if f": {result.status}" not in "".join(last):
            mean = result.record.accuracy.mean if result.record is not None else None
            figure = "" if mean is None else f", accuracy {mean:.3f}"
            note(f"{name}: {result.status}{figure}{f' ({result.reason})' if result.reason else ''}")
        return msgspec.structs.replace(result, worker=self.host)


def send(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write to a run's process at once; nothing where it has ended, which whoever waits for it finds out."""
    if process.stdin is None:
        return
    # Past the pipe's buffer: what stays in that is written when the pipe is closed, and fails there.
    with suppress(BrokenPipeError):
        while data:
            data = data[os.write(process.stdin.fileno(), data) :]


def _read(process: subprocess.Popen[bytes], name: str) -> tuple[bytes, deque[str]]:
    """Pass on what a run's process says while it is at work; returns its result, and its last lines."""
    # Of a process without a result the last line is mostly why; all of them were passed on already.
    last: deque[str] = deque(maxlen=1)
    reader = threading.Thread(target=_pass_on, args=(process.stderr, name, last), daemon=True)
    reader.start()
    written = process.stdout.read(MAX_RESULT) if process.stdout is not None else b""
    reader.join()
    return written, last


def _pass_on(stream: IO[bytes] | None, name: str, last: deque[str]) -> None:
    for line in stream or ():
        text = line.decode(errors="replace").rstrip()
        if text:
            last.append(text)
            note(f"{name}: {text}")
