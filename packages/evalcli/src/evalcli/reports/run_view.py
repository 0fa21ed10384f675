"""What `show` prints of a run: per case the worst answers as trees, and samples of what is unparsable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from evalcli.reports.run_words import ExaminedRun, case_text, sample_text
from evalcli.reports.score_tree import LEGEND, TreeView, tree_lines
from evalcli.terminal.text import Line, Span, line
from evalcore.decoding import decode_json
from evalcore.formats.strict_json import rounded
from evalcore.scoring.examine import ExaminedCase, Sample
from evalcore.structs import JsonObject, JsonValue

SAMPLE_END: Final = 200
"""Characters shown of the beginning and of the end of a reply that cannot be parsed."""


def run_lines(run: ExaminedRun, view: TreeView, *, is_full: bool) -> Iterator[Line]:
    """Lay a run out for reading."""
    yield line(Span(run.title, "strong"))
    yield line(run.state)
    if run.note:
        yield line(Span(run.note, "warn"))
    for case in run.cases:
        yield line("")
        yield from _case_lines(case, view, is_full=is_full)
    yield line("")
    if run.all_right:
        yield line(Span(run.all_right, "good"))
    if run.truncation_hint:
        yield line(Span(run.truncation_hint, "warn"))
    if any(sample.difference is not None for case in run.cases for sample in case.samples):
        yield line(Span(LEGEND, "dim"))


def run_object(run: ExaminedRun) -> JsonObject:
    """Write a run for `--json`."""
    plan = run.plan
    cases: list[JsonValue] = [
        rounded(decode_json(msgspec.json.encode(case), JsonValue)) for case in run.cases
    ]
    return {
        "run_id": plan.run_id,
        "component": plan.component.slug,
        "component_version": plan.component.version,
        "model": plan.model.id,
        "status": None if run.record is None else run.record.status,
        "policy_sha256": plan.component.policy_sha256,
        "accuracy": None if run.record is None else run.record.accuracy.mean,
        "scorings": [
            {
                "run_id": record.run_id,
                "scoring_version": record.scoring_version,
                "policy_sha256": record.policy_sha256,
                "accuracy": record.accuracy.mean,
            }
            for record in run.scorings
        ],
        "replicates": plan.replicates,
        "cases": cases,
    }


def _case_lines(case: ExaminedCase, view: TreeView, *, is_full: bool) -> Iterator[Line]:
    yield line(Span(f"case {case.case}", "strong"), f": {case_text(case)}")
    for sample in case.samples:
        yield line("  ", Span(sample_text(sample), "plain" if sample.fate == "answered" else "bad"))
        inner = tree_lines(sample.difference, view) if sample.difference else _text(sample, is_full=is_full)
        for spans in inner:
            if spans != line(""):
                yield (Span("    "), *spans)


def _text(sample: Sample, *, is_full: bool) -> Iterator[Line]:
    """Yield what came of a reply without an answer: its beginning and its end, where errors are."""
    text = sample.text
    if not text:
        return
    if is_full:
        for part in text.splitlines():
            yield line(Span(part, "dim"))
        return
    if len(text) <= 2 * SAMPLE_END:
        yield line(Span(text, "dim"))
        return
    # Both ends: a fence or a preface shows at the beginning, a limit of tokens at the end.
    yield line(Span(f"begins: {text[:SAMPLE_END]}", "dim"))
    yield line(Span(f"ends:   {text[-SAMPLE_END:]}", "dim"))
