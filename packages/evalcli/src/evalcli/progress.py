"""What an evaluation says on standard error while it runs: live bars on a terminal, else occasional lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, TypeVar

from evalcli.standing import figure
from evalcli.tally import Tally, duration, long_waits, time_left
from evalcore.evaluate import Observer, RunOutcome
from evalcore.plan import RunPlan
from evalcore.reply import Reply

LINE_EVERY_S: Final = 5.0
TICK_S: Final = 1.0
T = TypeVar("T")


class Progress(Observer):
    """Counts what happens, and remembers the folders and outcomes that an interruption would lose.

    Subclasses show it: `_event` gets each thing worth a line, `tick` is called about every second.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.tallies: dict[str, Tally] = {}
        self.run_dirs: dict[str, Path] = {}
        self.outcomes: list[RunOutcome] = []
        self.skipped: set[str] = set()
        self._wait_told_until: dict[tuple[str, str], float] = {}
        self._failures_told: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop showing; what is written to standard error from now on is not overwritten."""

    def tick(self) -> None:
        """Show how things stand now."""

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Begin a model's tally."""
        model = plan.model.id
        self.run_dirs[model] = run_dir
        self.tallies[model] = Tally(model, plan.calls, kept, self.clock(), done=kept)
        kept_text = f", {kept} of them kept from before" if kept else ""
        self._event(f"{model}: {plan.calls} calls{kept_text}; replies in {run_dir}")

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Note a call in flight."""
        self.tallies[plan.model.id].in_flight[replicate, case] = self.clock()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a reply; of failed calls tell why, once for each cause."""
        model = plan.model.id
        tally = self.tallies[model]
        tally.in_flight.pop((reply.replicate, reply.case), None)
        tally.done += 1
        tally.last = self.clock()
        if reply.error is None:
            return
        tally.errors += 1
        if (model, reply.error.code) not in self._failures_told:
            self._failures_told.add((model, reply.error.code))
            # A server's words may repeat what was sent, and the log of Actions is for others to read.
            why = reply.error.code if plan.origin == "actions" else reply.error.message
            self._event(f"{model}: a call failed: {why}")

    def waited(self, model: str, code: str, seconds: float) -> None:
        """Tell of a wait before a call is tried again; once in a while for each cause."""
        now = self.clock()
        if now >= self._wait_told_until.get((model, code), now):
            self._wait_told_until[model, code] = now + seconds + LINE_EVERY_S
            self._event(f"{model}: {code}; trying again in {duration(seconds)}")

    def model_awaited(self, model: str, seconds: float) -> None:
        """Tell of a model that may come back."""
        self._event(f"{model}: not served now; looking again for {duration(seconds)}")

    def model_skipped(self, model: str, reason: str) -> None:
        """Tell of a model that is left out."""
        self.skipped.add(model)
        self._event(f"{model}: skipped: {reason}")

    def run_finished(self, outcome: RunOutcome) -> None:
        """Keep an outcome and tell of it."""
        self.outcomes.append(outcome)
        reason = f" ({outcome.reason})" if outcome.reason else ""
        scores = ""
        if outcome.record is not None:
            accuracy, agreement = outcome.record.accuracy.mean, outcome.record.reproducibility.mean
            scores = f", accuracy {figure(accuracy)}, reproducibility {figure(agreement)}"
        self._event(f"{outcome.model}: {outcome.status}{reason}{scores}")

    def _event(self, text: str) -> None:
        """Show one thing that happened."""


class PlainProgress(Progress):
    """Lines for a log: each run's start and end, and at most one line of progress every few seconds."""

    def __init__(self, clock: Callable[[], float], write: Callable[[str], None]) -> None:
        super().__init__(clock)
        self._write = write
        self._last = clock()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a reply, and show how things stand if that was not done lately."""
        super().replied(plan, reply)
        self.tick()

    def tick(self) -> None:
        """Write how things stand, at most every few seconds."""
        now = self.clock()
        if now - self._last < LINE_EVERY_S or not self.tallies:
            return
        self._last = now
        self._write(self._line(now))

    def _line(self, now: float) -> str:
        tallies = list(self.tallies.values())
        unfinished = [tally for tally in tallies if tally.done < tally.total]
        done, total = sum(tally.done for tally in tallies), sum(tally.total for tally in tallies)
        errors, rate = sum(tally.errors for tally in tallies), sum(tally.rate(now) for tally in unfinished)
        left = duration(time_left(tallies, now))
        line = f"{done}/{total} calls, {errors} errors, {rate:.1f}/s, {left} left"
        if len(tallies) > 1 and unfinished:
            line += ": " + ", ".join(f"{tally.model} {tally.done}/{tally.total}" for tally in unfinished)
        waits = long_waits(tallies, now)
        return f"{line}; {waits}" if waits else line

    def _event(self, text: str) -> None:
        self._write(text)


async def with_ticks(work: Coroutine[object, object, T], progress: Progress) -> T:
    """Do the work, and show how things stand about every second, also while nothing comes back."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            progress.tick()

    ticking = asyncio.create_task(tick())
    try:
        return await work
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
