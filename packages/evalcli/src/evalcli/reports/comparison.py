"""What `compare` shows: per model a verdict, the figures with their intervals, and what to weigh them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from evalcli.reports.ranking import stale_note
from evalcli.terminal.text import Line, Span, Style, figure, interval, line
from evalcore.compare.verdict import Comparison, NotComparable, Outcome, Side, reasons, replies, replies_used
from evalcore.decoding import decode_json
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import rounded
from evalcore.structs import Frozen, JsonObject, JsonValue

_STYLES: Final[dict[str, Style]] = {"regression": "bad", "improvement": "good", "no evidence": "plain"}
_ORDER: Final = ("regression", "improvement", "no evidence", "cannot alarm", "not comparable")


class ComparedRuns(Frozen, frozen=True):
    """Two sets of runs, compared."""

    before: str
    after: str
    outcomes: tuple[Outcome, ...]
    stale: dict[str, str]
    """Case -> the older version it was last validated against."""
    sides: tuple[str, str] | None = None
    """What the figures of either side stand beside; None for their versions."""
    pooled: tuple[str, ...] = ()
    """What is said of runs that were named, and count together with others."""


INTERVALS: Final = (
    "Intervals are 95 %, for these cases and endless replicates of them, if nothing drifts while a run is "
    "under way."
)


def comparison_lines(compared: ComparedRuns) -> Iterator[Line]:
    """Lay outcomes out for reading, regressions first."""
    outcomes, stale = compared.outcomes, compared.stale
    yield line(Span(f"{compared.before} -> {compared.after}", "strong"))
    yield from (line(said) for said in compared.pooled)
    for outcome in sorted(outcomes, key=lambda one: _ORDER.index(_verdict(one))):
        yield line("")
        yield from _block(outcome, compared.sides)
    if any(isinstance(outcome, Comparison) for outcome in outcomes):
        yield line("")
        yield line(Span(INTERVALS, "dim"))
    if stale:
        yield line(stale_note(stale))


def comparison_object(before: str, after: str, outcomes: Iterable[Outcome]) -> JsonObject:
    """Write outcomes for `--json`."""
    models: list[JsonValue] = [rounded(_object(outcome)) for outcome in outcomes]
    return {"before": before, "after": after, "models": models}


def _object(outcome: Outcome) -> JsonObject:
    written: JsonObject = decode_json(msgspec.json.encode(outcome), JsonValue)
    if isinstance(outcome, NotComparable):
        return {"model": outcome.model, "verdict": _verdict(outcome), "reason": outcome.reason}
    return {**written, "change": outcome.change}


def _verdict(outcome: Outcome) -> str:
    return outcome.verdict if isinstance(outcome, Comparison) else "not comparable"


def _block(outcome: Outcome, sides: tuple[str, str] | None) -> Iterator[Line]:
    verdict = _verdict(outcome)
    yield line(Span(outcome.model, "strong"), ": ", Span(verdict, _STYLES.get(verdict, "warn")))
    if isinstance(outcome, NotComparable):
        yield line(f"  {outcome.reason}")
        return
    names = sides or (outcome.before.version, outcome.after.version)
    width = max(map(len, names))
    for name, side in zip(names, (outcome.before, outcome.after), strict=True):
        yield line(f"  {name:{width}}  {_figures(side)}")
    yield line(f"  change {outcome.change:+.3f}; {'; '.join(reasons(outcome))}")
    yield line(f"  {_compared(outcome)}")
    moves = [(one.field, figure(one.before), figure(one.after)) for one in outcome.fields]
    # What moves by less than a figure shows would be said to move from 1.000 to 1.000.
    moved = ", ".join(f"{field} {before} -> {after}" for field, before, after in moves if before != after)
    if moved:
        yield line(f"  moved most: {moved}")


def _figures(side: Side) -> str:
    around = "" if side.ci95 is None else f" ({interval(side.ci95)})"
    return f"{side.mean:.3f}{around}, {replies(side.replies)} in {counted(len(side.run_ids), 'run')}"


def _compared(outcome: Comparison) -> str:
    over = f"over {counted(outcome.cases, 'case')}, of each {replies_used(outcome)}"
    return f"{over}; {outcome.cases_left_out} left out, of one side alone" if outcome.cases_left_out else over
