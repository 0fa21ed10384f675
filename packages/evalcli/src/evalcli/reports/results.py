"""What an evaluation ends with: a table or JSON on standard output, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalcli.exits import Exit
from evalcli.reports.run_words import limit_now
from evalcli.terminal.progress import reason_shown
from evalcli.terminal.text import Table, figure, interval
from evalcore.evaluation.outcome import RunOutcome
from evalcore.formats.strict_json import encode_canonical
from evalcore.runs.record import RunRecord, record_object
from evalcore.structs import JsonValue

_HEADINGS = (
    "model",
    "accuracy",
    "95 % CI",
    "reprod.",
    "calls",
    "no reply",
    "unparsable",
    "truncated",
    "p95 s",
    "USD",
    "status",
)


def records_of(outcomes: Iterable[RunOutcome]) -> list[RunRecord]:
    """Return the records of those runs that were made, partial ones included."""
    return [outcome.record for outcome in outcomes if outcome.record is not None]


def exit_code(outcomes: Iterable[RunOutcome]) -> Exit:
    """Return 0 only where every run is complete, 3 where no model was there to be evaluated."""
    statuses = {outcome.status for outcome in outcomes}
    if statuses == {"skipped"}:
        return Exit.NOTHING
    return Exit.DONE if statuses == {"complete"} else Exit.INCOMPLETE


def encode_records(records: Iterable[RunRecord]) -> bytes:
    """Write records as a JSON array."""
    values: list[JsonValue] = [record_object(record) for record in records]
    return encode_canonical(values)


def cut_short_hint(record: RunRecord) -> str:
    """Say what to do where no reply could be read and all were cut at the token limit; else empty."""
    calls = record.calls
    # Of a mixture the limit is not the cause, and raising it no cure.
    if calls.ok or not calls.parse_error or calls.truncated < calls.parse_error:
        return ""
    replies = "the only reply was" if calls.parse_error == 1 else f"all {calls.parse_error} replies were"
    now = limit_now(record.params)
    return (
        f"{record.model}: {replies} cut at the token limit,"
        f" so none could be read: raise `max_tokens` in its `params` in models.yaml{now}."
    )


def results_table(outcomes: Sequence[RunOutcome], title: str) -> Table:
    """Lay results out: complete runs by accuracy, then the partial ones, then those left out."""
    rows = tuple(_row(outcome) for outcome in sorted(outcomes, key=_order))
    if not any(outcome.record for outcome in outcomes):
        # No figure at all: a list of columns without any would only be read for nothing.
        return Table(title=title, headings=("model", "status"), rows=tuple((row[0], row[-1]) for row in rows))
    numeric = frozenset(_HEADINGS) - {"model", "status"}
    return Table(title=title, headings=_HEADINGS, rows=rows, numeric=numeric, spare=("p95 s", "calls"))


def _order(outcome: RunOutcome) -> tuple[int, float, str]:
    # Partial figures are of fewer replies: among the others they would look like a rank.
    place = {"complete": 0, "partial": 1, "skipped": 2}[outcome.status]
    mean = outcome.record.accuracy.mean if outcome.record is not None else None
    return place, -(mean or 0.0), outcome.model


def _row(outcome: RunOutcome) -> tuple[str, ...]:
    reason = reason_shown(outcome)
    status = f"{outcome.status}: {reason}" if reason else outcome.status
    record = outcome.record
    if record is None:
        return (outcome.model, *("-" for _ in _HEADINGS[2:]), status)
    calls, slow = record.calls, record.latency_ms.p95
    return (
        outcome.model,
        figure(record.accuracy.mean),
        interval(record.accuracy.ci95),
        figure(record.reproducibility.mean),
        str(calls.total),
        str(calls.api_error),
        str(calls.parse_error),
        str(calls.truncated),
        "-" if slow is None else f"{slow / 1000:.1f}",
        "-" if record.cost_usd is None else f"{record.cost_usd:.4f}",
        status,
    )
