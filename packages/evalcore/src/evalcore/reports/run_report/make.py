"""A run's plan, replies and record -> the files of its report, and what a terminal shows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from evalcore.clients.reply import Reply
from evalcore.decoding import decode_json
from evalcore.formats.strict_json import encode_canonical, rounded
from evalcore.library.component import Case
from evalcore.reports.run_report.drawings import charts_of
from evalcore.reports.run_report.examples import examples_of
from evalcore.reports.run_report.files import CHARTS, PAGE, SUMMARY
from evalcore.reports.run_report.report_page import report_page
from evalcore.reports.run_report.summarize import summarize
from evalcore.reports.run_report.summary import Summary
from evalcore.reports.run_report.tally import CaseLabel, RunTally, tally_of
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import CaseResult, RunRecord
from evalcore.structs import JsonValue


class RunReport(NamedTuple):
    """What is reported of a run."""

    summary: Summary
    tally: RunTally


def make_report(
    plan: RunPlan,
    replies_of: Callable[[Case], Sequence[Reply]],
    record: RunRecord,
    labels: Mapping[str, CaseLabel],
    results: Sequence[CaseResult],
) -> RunReport:
    """Make the report of a run whose replies are all there.

    `record` is the run's as it may be published, and `results` are its own record's of all cases; `labels`
    says of each case, by its name, what is published of it. Raises StorageError where replies cannot be read.
    """
    tally = tally_of(plan, replies_of, labels)
    examples = examples_of(plan, replies_of, results, labels, record.accuracy.by_field.keys())
    return RunReport(summarize(plan, record, tally, examples), tally)


def report_files(report: RunReport, draw_png: Callable[[str], bytes] | None) -> dict[str, bytes]:
    """Write the files of a report, by their paths in its folder; without PNGs where nothing draws them.

    The same report gives the same bytes.
    """
    drawn = charts_of(report.summary, report.tally)
    files = {
        PAGE: report_page(report.summary, drawn).encode(),
        SUMMARY: encode_summary(report.summary),
    }
    for name, text in drawn.items():
        files[f"{CHARTS}/{name}.svg"] = f"{text}\n".encode()
        if draw_png is not None:
            files[f"{CHARTS}/{name}.png"] = draw_png(text)
    return files


def encode_summary(summary: Summary) -> bytes:
    """Write `summary.json`."""
    return encode_canonical(summary_object(summary))


def summary_object(summary: Summary) -> JsonValue:
    """Return what `summary.json` holds."""
    # As figures of records are: the same one reads the same everywhere, on any machine.
    return rounded(decode_json(msgspec.json.encode(summary), JsonValue))
