"""A run's report in short, for a terminal: the figures, what is wrong most, and small charts in text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from evalcli.exits import PROGRAM
from evalcli.terminal.text import Line, Span, Style, line, width_of
from evalcore.formats.percent import around, percent
from evalcore.reports.run_report.summary import Headline, Summary

MOST_SHOWN: Final = 8
BAR: Final = 24
"""Columns of a whole bar."""
LONGEST_NAME: Final = 44
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
GOOD: Final = 0.95
POOR: Final = 0.6
LONGEST_VALUE: Final = 60


def summary_lines(summary: Summary, run: str) -> Iterator[Line]:
    """Lay a report out for reading; `run` is what a command finds the run by."""
    config, headline = summary.config, summary.headline
    title = f"{config.component} {config.component_version}, {config.model}: run {config.run_id}"
    yield line(Span(title, "strong"))
    if headline.status == "partial":
        yield line(Span(f"partial: {headline.reason or 'too many calls got no reply'}", "warn"))
    yield from _figures(headline, config.n_replicates)
    yield from _validation(summary)
    fields = [(row.field, row.accuracy, _percent(row.accuracy)) for row in summary.accuracy.fields]
    yield from _bars("accuracy per field, the worst first", fields)
    yield from _examples(summary)
    agreement = [
        (row.field, row.n_full / row.n_docs, f"{row.n_full} of {row.n_docs} cases")
        for row in summary.consistency.field_rollup
        if row.n_full < row.n_docs
    ]
    yield from _bars("one value in all replies to a case", agreement)
    cases = [
        (row.doc, row.accuracy, _percent(row.accuracy))
        for row in summary.accuracy.docs
        if row.accuracy is not None
    ]
    yield from _bars("accuracy per case, the worst first", cases)
    yield line("")
    yield line(Span(f"the whole report: `{shlex.join([PROGRAM, 'report', run, '--out', 'DIR'])}`", "dim"))


def _figures(headline: Headline, replicates: int) -> Iterator[Line]:
    yield line(
        f"accuracy {_percent(headline.accuracy)}{around(headline.accuracy_ci95)}, "
        f"reproducibility {_percent(headline.reproducibility)}{around(headline.reproducibility_ci95)}"
    )
    yield line(
        f"every leaf but prose right: {_percent(headline.exact_rate)} of the replies, "
        f"and all {replicates} of a case in {_percent(headline.all_right_rate)} of the cases"
    )
    calls = f"{headline.n_success} of {headline.n_replicates_attempted} calls"
    failures = {
        "without reply": headline.n_api_error,
        "unparsable": headline.n_parse_error,
        "cut at the token limit": headline.n_truncated,
    }
    said = [f"{count} {name}" for name, count in failures.items() if count]
    yield line(", ".join([f"{calls} gave an answer", *said]))
    tokens, latency = headline.completion_tokens, headline.chat_latency_ms
    if tokens.max is not None:
        cap = f" of at most {tokens.cap}" if tokens.cap is not None else ""
        near = f", {tokens.n_over_80pct_of_cap} replies over 80 % of it" if tokens.n_over_80pct_of_cap else ""
        yield line(f"completion tokens p50 {tokens.p50:.0f}, max {tokens.max:.0f}{cap}{near}")
    if latency.p50 is not None and latency.p95 is not None:
        yield line(f"latency p50 {latency.p50 / 1000:.1f} s, p95 {latency.p95 / 1000:.1f} s")


def _validation(summary: Summary) -> Iterator[Line]:
    found, drift = summary.validation, summary.validation.name_drift
    if found.n_valid is not None and found.n_valid_ignoring_extra_top_keys is not None:
        yield line("")
        style: Style = "good" if found.n_valid == found.n_total else "warn"
        loose = f"{found.n_valid_ignoring_extra_top_keys} without extra top-level keys"
        yield line(
            "schema: ", Span(f"{found.n_valid} of {found.n_total} answers are valid", style), f", {loose}"
        )
    for error in found.top_errors[:MOST_SHOWN]:
        yield line(f"  {error.n_replies:5}  {error.path} {error.message}")
    for key in drift.extra_keys[:MOST_SHOWN]:
        likely = " or ".join(one.key for one in key.likely)
        meant = f", likely for {likely}" if likely else ""
        yield line(f"  {key.n_replies:5}  undeclared key {key.key}{meant}")
    for missing in drift.missing_keys[:MOST_SHOWN]:
        yield line(
            f"  {missing.n_replies:5}  lack {missing.field}" + (", required" if missing.required else "")
        )


def _examples(summary: Summary) -> Iterator[Line]:
    examples = [(row.field, one) for row in summary.accuracy.fields[:MOST_SHOWN] for one in row.examples[:1]]
    if not examples:
        return
    yield line("")
    yield line(Span("examples", "strong"))
    for field, one in examples:
        yield line(f"  {field} of {one.doc}, replicate {one.replicate}: ", Span(one.status, "bad"))
        yield line("    expected ", Span(_cut(one.expected) or "nothing", "good"))
        yield line("    answered ", Span(_cut(one.answered) or "nothing", "bad"))


def _bars(title: str, rows: Sequence[tuple[str, float, str]]) -> Iterator[Line]:
    if not rows:
        return
    yield line("")
    more = f" ({MOST_SHOWN} of {len(rows)})" if len(rows) > MOST_SHOWN else ""
    yield line(Span(f"{title}{more}", "strong"))
    shown = [(_named(name), share, said) for name, share, said in rows[:MOST_SHOWN]]
    width = max(width_of(name) for name, _, _ in shown)
    for name, share, said in shown:
        style: Style = "good" if share >= GOOD else "bad" if share < POOR else "warn"
        yield line(f"  {name}{' ' * (width - width_of(name))}  ", Span(bar(share), style), f"  {said}")


def bar(share: float) -> str:
    """Draw a share in [0, 1] as a bar of BAR columns, to an eighth of a column."""
    eighths = round(share * BAR * 8)
    whole, rest = divmod(max(0, min(BAR * 8, eighths)), 8)
    drawn = EIGHTHS[8] * whole + (EIGHTHS[rest] if rest else "")
    return drawn.ljust(BAR, "·")


def _named(name: str) -> str:
    # Names that are alike differ at their ends.
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _percent(value: float | None) -> str:
    return "-" if value is None else percent(value)
