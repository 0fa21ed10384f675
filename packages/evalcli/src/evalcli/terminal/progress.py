"""What an evaluation says on standard error while it runs; here as occasional lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

from evalcli.terminal.text import figure
from evalcore.clients.failures import CODE_WORDS
from evalcore.clients.reply import CallError, Reply
from evalcore.evaluation.outcome import Observer, RunOutcome
from evalcore.formats.counts import counted, first_few
from evalcore.formats.durations import duration_text
from evalcore.runs.case_privacy import without_words
from evalcore.runs.plan import RunPlan

LINE_EVERY_S: Final = 5.0
"""The least time between two lines of progress in a log."""
TICK_S: Final = 1.0
LONG_WAIT_S: Final = 30.0
"""How long a call is out before it is named."""
MAX_NAMED: Final = 3
"""Calls that are named of those that are out for long."""
HOLD_ALL: Final = frozenset(
    {"rate_limited", "backend_busy", "bad_gateway", "model_unavailable", "unreachable"}
)
"""Codes of the failures that all calls to a model wait out together."""
UNNAMED: Final = "a case of the data sets"
T = TypeVar("T")


@dataclass(slots=True)
class CallCounts:
    """How many of one model's calls are done; memory grows with the calls in flight, not with those made."""

    model: str
    total: int
    kept: int
    """Replies that an earlier, interrupted run had stored."""
    began: float
    last: float = 0.0
    """When the latest reply came."""
    done: int = 0
    """Calls that ended, those stored before included."""
    errors: int = 0
    in_flight: dict[tuple[int, str], float] = field(default_factory=dict)
    """(replicate, case) to the time at which the call was sent."""
    unnamed: frozenset[str] = frozenset()
    """Cases whose names are not to be shown."""
    held: tuple[str, float] | None = None
    """Why all its calls wait, in words, and until when; it may be over."""

    def is_held(self, now: float) -> bool:
        """Whether its calls wait for the server, not for the model."""
        return self.held is not None and now < self.held[1]

    def rate(self, now: float) -> float:
        """Return calls a second since the run began here."""
        # Of a model that is done the time stands still: its rate is what it was, while others go on.
        until = self.last if self.done >= self.total else now
        return (self.done - self.kept) / max(until - self.began, 1e-3)


def time_left(counts: list[CallCounts], now: float) -> float | None:
    """Estimate the seconds until the slowest model is done; None while nothing is known."""
    lefts = []
    for count in counts:
        if count.done >= count.total:
            continue
        rate = count.rate(now)
        # Nothing has come back of this model yet, and it may be the slowest.
        if rate <= 0:
            return None
        lefts.append((count.total - count.done) / rate)
    return max(lefts, default=0.0)


def long_waits(counts: list[CallCounts], now: float) -> str:
    """Say what is waited for: what holds all of a model's calls back, else those that are out for long.

    Empty where nothing is waited for.
    """
    held = [
        f"{count.model}: {count.held[0]}, trying again in {duration(count.held[1] - now)}"
        for count in counts
        if count.held is not None and count.is_held(now) and count.done < count.total
    ]
    return "; ".join(part for part in (*held, _long_calls(counts, now)) if part)


def _long_calls(counts: list[CallCounts], now: float) -> str:
    """Name the calls that have been out for long, the longest first; empty where there is none."""
    waits = sorted(
        (
            (now - begun, count.model, UNNAMED if case in count.unnamed else case, replicate)
            for count in counts
            for (replicate, case), begun in count.in_flight.items()
            # A call that waits for a rate limit is not out: the model is not slow.
            if now - begun >= LONG_WAIT_S and not count.is_held(now)
        ),
        reverse=True,
    )
    if not waits:
        return ""
    named = "; ".join(
        f"{model}: {case}, replicate {replicate}, for {seconds:.0f} s"
        for seconds, model, case, replicate in waits[:MAX_NAMED]
    )
    more = f"; and {len(waits) - MAX_NAMED} more" if len(waits) > MAX_NAMED else ""
    return f"waiting for {named}{more}"


def model_waits(awaited: Mapping[str, float], now: float) -> str:
    """Name the models that are not served and are still looked for; empty where there is none."""
    if not awaited:
        return ""
    return f"waiting for {first_few(awaited, MAX_NAMED)}, {duration(max(0.0, max(awaited.values()) - now))}"


def reading_shown(documents: tuple[int, int]) -> str:
    """Return how far reading the documents is."""
    return f"reading documents {documents[0]} of {documents[1]}"


def duration(seconds: float | None) -> str:
    """Write seconds for people: `45 s`, `3 min 20 s`, `2 h 5 min`, or `?`."""
    return "?" if seconds is None else duration_text(seconds)


def words_of(code: str) -> str:
    """Return a failure's code in words; one that a later version has stored, as it is."""
    return next((words for known, words in CODE_WORDS.items() if known == code), code)


def _what_to_check(plan: RunPlan, error: CallError) -> str:
    key = plan.provider.api_key_env
    return f"; check {key}" if error.code == "unauthorized" and key is not None else ""


def reason_shown(outcome: RunOutcome) -> str | None:
    """Return why a run is partial or left out; in Actions without a server's words: they may quote a case."""
    is_public = outcome.record is not None and outcome.record.origin == "actions"
    return without_words(outcome.reason) if is_public and outcome.reason else outcome.reason


class ProgressObserver(Observer):
    """Counts what happens, and remembers the folders and outcomes that an interruption would lose.

    Subclasses show it: `_event` gets each thing worth a line, `tick` is called about every second.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.counts: dict[str, CallCounts] = {}
        self.run_dirs: dict[str, Path] = {}
        self.outcomes: list[RunOutcome] = []
        self.skipped: set[str] = set()
        self.awaited: dict[str, float] = {}
        """Model that is not served to the time until which it is looked for."""
        self.documents: tuple[int, int] | None = None
        """The document that is being read, from 1, and how many there are; None where none is."""
        self._quiet_until: dict[tuple[str, str], float] = {}
        self._skip_reasons: dict[str, str] = {}
        """Why a model is left out, to the first that was left out for it."""
        self._shown_failures: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop showing; what is written to standard error from now on is not overwritten."""

    def tick(self) -> None:
        """Show how things stand now."""

    def reading(self, number: int, total: int) -> None:
        """Note that a document is being read, and say so at the first one."""
        self.documents = number, total
        # Only then: hundreds of documents would be hundreds of lines; `tick` says how far it is.
        if number == 1:
            self._event(reading_shown(self.documents))

    def run_started(self, plan: RunPlan, run_dir: Path, kept: int) -> None:
        """Begin to count a model's calls."""
        model = plan.model.id
        self.awaited.pop(model, None)
        self.run_dirs[model] = run_dir
        # The log of Actions is as public as the library, and the names of the data sets' cases may not be.
        private = (case.name for case in plan.cases if case.source == "data_sets")
        unnamed = frozenset(private if plan.origin == "actions" else ())
        self.counts[model] = CallCounts(model, plan.calls, kept, self.clock(), done=kept, unnamed=unnamed)
        kept_text = f", {kept} of them kept from before" if kept else ""
        self._event(f"{model}: {counted(plan.calls, 'call')}{kept_text}; replies in {run_dir}")

    def call_started(self, plan: RunPlan, case: str, replicate: int) -> None:
        """Note a call in flight."""
        self.counts[plan.model.id].in_flight[replicate, case] = self.clock()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a reply; say why a call failed, once for each model and cause."""
        model = plan.model.id
        count = self.counts[model]
        count.in_flight.pop((reply.replicate, reply.case), None)
        count.done += 1
        count.last = self.clock()
        if reply.error is None:
            return
        count.errors += 1
        if (model, reply.error.code) not in self._shown_failures:
            self._shown_failures.add((model, reply.error.code))
            # A server's words may repeat what was sent, and the log of Actions is for others to read.
            why = words_of(reply.error.code) if plan.origin == "actions" else reply.error.message
            self._event(f"{model}: a call failed: {why}{_what_to_check(plan, reply.error)}")

    def waited(self, model: str, code: str, seconds: float) -> None:
        """Say that a call is tried again after a wait, once in a while for each cause."""
        now = self.clock()
        if code in HOLD_ALL and (count := self.counts.get(model)) is not None:
            count.held = words_of(code), max(now + seconds, count.held[1] if count.held else 0.0)
        if now >= self._quiet_until.get((model, code), now):
            # Every call of a model waits for the same outage; one line for each would be hundreds.
            self._quiet_until[model, code] = now + seconds + LINE_EVERY_S
            self._event(f"{model}: {words_of(code)}; trying again in {duration(seconds)}")

    def model_awaited(self, model: str, seconds: float, hint: str) -> None:
        """Say that a model is looked for again, and what may have been meant by its name."""
        self.awaited[model] = self.clock() + seconds
        meant = f"; {hint}" if hint else ""
        self._event(f"{model}: not served now; looking again for {duration(seconds)}{meant}")

    def model_skipped(self, model: str, reason: str) -> None:
        """Say that a model is left out, before its run or at the run's first calls."""
        self.awaited.pop(model, None)
        # a run that was refused has no folder any more to go on with
        self.run_dirs.pop(model, None)
        if (count := self.counts.get(model)) is not None:
            count.total = count.done
            count.in_flight.clear()
        self.skipped.add(model)
        first = self._skip_reasons.setdefault(reason, model)
        # A server that is down is down for each of its models: its words once.
        self._event(f"{model}: skipped: {reason if first == model else f'as {first}'}")

    def run_finished(self, outcome: RunOutcome) -> None:
        """Store an outcome and show it."""
        self.outcomes.append(outcome)
        reason = f" ({why})" if (why := reason_shown(outcome)) else ""
        scores = ""
        if outcome.record is not None:
            accuracy, agreement = outcome.record.accuracy.mean, outcome.record.reproducibility.mean
            scores = f", accuracy {figure(accuracy)}, reproducibility {figure(agreement)}"
        self._event(f"{outcome.model}: {outcome.status}{reason}{scores}")

    def _event(self, text: str) -> None:
        """Show one thing that happened."""


class PlainProgress(ProgressObserver):
    """Lines for a log: each run's start and end, and at most one line of progress every few seconds."""

    def __init__(self, clock: Callable[[], float], write: Callable[[str], None]) -> None:
        super().__init__(clock)
        self._write = write
        # As if a line had just been written: the first comes after a while, not with the first reply.
        self._last = clock()

    def replied(self, plan: RunPlan, reply: Reply) -> None:
        """Count a reply, and show how things stand if that was not done lately."""
        super().replied(plan, reply)
        self.tick()

    def tick(self) -> None:
        """Write how things stand, at most every few seconds."""
        now = self.clock()
        if now - self._last < LINE_EVERY_S or not (self.counts or self.awaited or self.documents):
            return
        self._last = now
        self._write(self._line(now))

    def _line(self, now: float) -> str:
        if self.documents is not None:
            return reading_shown(self.documents)
        counts = list(self.counts.values())
        looks = model_waits(self.awaited, now)
        if looks and all(count.done >= count.total for count in counts):
            return looks  # nothing else goes on
        unfinished = [count for count in counts if count.done < count.total]
        done, total = sum(count.done for count in counts), sum(count.total for count in counts)
        errors, rate = sum(count.errors for count in counts), sum(count.rate(now) for count in unfinished)
        left = duration(time_left(counts, now))
        line = f"{done}/{total} calls, {counted(errors, 'error')}"
        # Replies that all have come are still to be scored, which of many takes a while.
        line += f", {rate:.1f}/s, {left} left" if unfinished else "; scoring"
        if len(counts) > 1 and unfinished:
            line += ": " + ", ".join(f"{count.model} {count.done}/{count.total}" for count in unfinished)
        return "; ".join(part for part in (line, long_waits(counts, now), looks) if part)

    def _event(self, text: str) -> None:
        self._write(text)


def state_shown(count: CallCounts, now: float) -> str:
    """Return how far a model is: calls, errors, rate and the time that is left."""
    errors, left = counted(count.errors, "error"), duration(time_left([count], now))
    return f"{count.done}/{count.total}  {errors}  {count.rate(now):.1f}/s  {left} left"


async def with_ticks(work: Coroutine[object, object, T], progress: ProgressObserver) -> T:
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
