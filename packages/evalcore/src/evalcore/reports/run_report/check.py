"""Whether a `summary.json`, of this program or from before it, is one: types, ranges, and counts that add up.

Unknown fields are passed over; what cannot be is a problem, what is merely odd a note.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from evalcore.formats.strict_json import parse_json
from evalcore.library.schema import TooMuchWork, Validator, make_validator
from evalcore.reports.run_report.earlier_summary import EarlierSummary
from evalcore.reports.run_report.summarize import variation
from evalcore.reports.run_report.summary import SUMMARY_SCHEMA_VERSION, Summary
from evalcore.scoring.parts import holds_more_than
from evalcore.structs import JsonObject, JsonValue

MAX_BYTES: Final = 32 << 20
# A run's own summary has 300,000 at most: tables of 500 rows, and lengths of lists in 100 replicates. To hold
# ten million against the schema took minutes.
MOST_VALUES: Final = 500_000
MANY_VALUES: Final = 100_000
"""Of a summary with more the first violation alone is named: all are made before the first can be seen."""
MOST_PROBLEMS: Final = 100
# Half of the last place, and a little for what doubles lose.
ROUNDING: Final = 0.051
"""Of a percentage with one decimal."""
CV_ROUNDING: Final = 0.00051
"""Of a coefficient of variation with three."""
FIGURE_ROUNDING: Final = 1e-6
"""Of a share with nine digits, which a mean may round once more."""
SECTIONS: Final = ("headline", "validation", "consistency", "coverage", "accuracy")
_PERCENT: Final = re.compile(r"pct(_.*)?|.*_pct")
_RATE: Final = re.compile(r"(.*_)?rate")
_SCHEMA_WORDS: Final = {"type": "is not of type {}", "required": "lacks {}"}


class Checked(NamedTuple):
    """What is found of a summary; it is one where there is no problem."""

    name: str | None
    """The run's, where it says so."""
    problems: tuple[str, ...]
    """Each names the place first, as `headline.n_success: ...`; at most MOST_PROBLEMS."""
    notes: tuple[str, ...]
    """What may well be right, and is worth a look."""


def check_summary(data: bytes) -> Checked:
    """Check the bytes of a `summary.json`."""
    if len(data) > MAX_BYTES:
        return Checked(None, (f"it is larger than {MAX_BYTES >> 20} MiB",), ())
    try:
        value = parse_json(data.decode("utf-8-sig"))
    except ValueError as error:
        return Checked(None, (f"it is not JSON: {error}",), ())
    if not isinstance(value, dict):
        return Checked(None, ("it is no JSON object",), ())
    if holds_more_than(value, MOST_VALUES):
        what = f"the whole: holds over {MOST_VALUES:,} values, which the summary of no run does"
        return Checked(None, (what,), ())
    name = value.get("run_name")
    problems, notes = [], []
    version = value.get("schema_version")
    if not any(isinstance(value.get(section), dict) for section in SECTIONS):
        problems.append(f"it has none of {', '.join(SECTIONS)}: it is no summary of a run")
    # Its fields may have other types by then; what is called as it was still has to add up.
    if isinstance(version, int) and version > SUMMARY_SCHEMA_VERSION:
        notes.append(
            f"schema_version: {version} is newer than this program, which knows the rest of it alone"
        )
    else:
        problems += _violations(value, _validator(is_earlier=version is None))
    problems += _Sums(value).problems()
    problems += _out_of_range(value, "")
    notes += _notes(value)
    unique = tuple(dict.fromkeys(problems))
    return Checked(name if isinstance(name, str) else None, unique[:MOST_PROBLEMS], tuple(notes))


def summary_schema() -> JsonObject:
    """Return the JSON Schema of the `summary.json` that this program writes."""
    return msgspec.json.schema(Summary)


def _validator(*, is_earlier: bool) -> Validator:
    # Those made by hand lack fields and have some of their own: what is there is held to the same names.
    schema = msgspec.json.schema(EarlierSummary) if is_earlier else summary_schema()
    return make_validator(schema, "the schema of summary.json")


def _violations(value: JsonObject, validator: Validator) -> Iterator[str]:
    try:
        is_valid = validator.is_valid(value)
    except TooMuchWork:
        yield "the whole: takes too much work to be held against the schema"
        return
    only_first = is_valid or holds_more_than(value, MANY_VALUES)
    for one in validator.violations(value, only_first=only_first)[:MOST_PROBLEMS]:
        place = _place(one.path)
        if one.keyword in {"anyOf", "oneOf"}:
            yield f"{place}: is of another type than it may be, or out of its range"
        else:
            words = _SCHEMA_WORDS.get(one.keyword, f"disobeys {one.keyword} {{}}")
            yield f"{place}: {words.format(one.detail).strip()}"


def _place(path: Sequence[str | int]) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step:.100}" for step in path)
    return steps.removeprefix(".") or "the whole"


def _out_of_range(value: JsonValue, path: str) -> Iterator[str]:
    """Yield the percentages, rates and counts that are none, by their names; of unknown fields, too."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from _out_of_range(item, f"{path}[{at}]")
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        place = f"{path}.{key:.100}".removeprefix(".")
        if isinstance(item, dict | list):
            yield from _out_of_range(item, place)
        elif key.startswith("n_"):
            if item is not None and (isinstance(item, bool) or not isinstance(item, int) or item < 0):
                yield f"{place}: is no count"
        elif _PERCENT.fullmatch(key) or _RATE.fullmatch(key):
            most = 100 if _PERCENT.fullmatch(key) else 1
            number = _number(value, key)
            if item is not None and (number is None or not 0 <= number <= most):
                yield f"{place}: is not from 0 to {most}"


class _Sums:
    """Looks for counts that do not add up."""

    def __init__(self, value: JsonObject) -> None:
        self._value = value
        self._headline = _section(value, "headline")
        self._attempted = _number(self._headline, "n_replicates_attempted")
        self._documents = _number(self._headline, "n_documents")

    def problems(self) -> Iterator[str]:
        yield from self._calls()
        for name in ("ocr_latency_ms", "chat_latency_ms", "prompt_tokens", "completion_tokens"):
            yield from self._spread(_section(self._headline, name), f"headline.{name}")
        yield from self._validation(_section(self._value, "validation"))
        consistency = _section(self._value, "consistency")
        for at, row in _rows(consistency, "field_rollup"):
            yield from self._field(row, f"consistency.field_rollup[{at}]")
        for at, row in _rows(consistency, "doc_rollup"):
            place = f"consistency.doc_rollup[{at}]"
            yield from _share_of(
                row, "n_fields_with_disagreement", "n_fields_probed", "pct_disagreement", place
            )
        documents = sum(1 for _ in _rows(consistency, "doc_rollup"))
        if self._documents is not None and documents > self._documents:
            most = f"n_documents ({_n(self._documents)})"
            yield f"consistency.doc_rollup: {documents} documents are more than {most}"
        for at, row in _rows(consistency, "array_rollup"):
            yield from self._list(row, f"consistency.array_rollup[{at}]")
        yield from self._documents_mean()
        coverage = _section(self._value, "coverage")
        for at, row in _rows(coverage, "scalars"):
            yield from _share_of(row, "n_non_null", "n_total", "pct_populated", f"coverage.scalars[{at}]")
        for at, row in _rows(coverage, "arrays"):
            yield from _share_of(row, "n_non_empty", "n_total", "pct_non_empty", f"coverage.arrays[{at}]")

    def _documents_mean(self) -> Iterator[str]:
        """Hold the accuracy against the mean of the documents', where all of them are there."""
        rows = [row for _, row in _rows(_section(self._value, "accuracy"), "docs")]
        # A summary has a bounded number of rows: of some documents the mean is another one.
        if self._documents is None or len(rows) != self._documents:
            return
        known = [value for row in rows if (value := _number(row, "accuracy")) is not None]
        said = _number(self._headline, "accuracy")
        if known and said is not None and abs(math.fsum(known) / len(known) - said) > FIGURE_ROUNDING:
            mean = f"{math.fsum(known) / len(known):.6f}"
            yield f"headline.accuracy: {_n(said)}, and not {mean}, the mean of its documents"

    def _calls(self) -> Iterator[str]:
        names = ("n_success", "n_api_error", "n_parse_error")
        parts = [_number(self._headline, name) for name in names]
        known = [part for part in parts if part is not None]
        if self._attempted is None:
            return
        whole = f"n_replicates_attempted ({_n(self._attempted)})"
        if len(known) == len(parts) and sum(known) != self._attempted:
            yield f"headline: {' + '.join(names)} is {_n(sum(known))}, and not {whole}"
        elif sum(known) > self._attempted:
            yield f"headline: more calls ended ({_n(sum(known))}) than {whole}"
        planned = _planned(self._value)
        if planned is not None and self._attempted > planned:
            more = f"{_n(self._attempted)} is more than documents x replicates ({_n(planned)})"
            yield f"headline.n_replicates_attempted: {more}"

    def _spread(self, found: JsonObject, place: str) -> Iterator[str]:
        names = ("min", "p50", "p95", "max")
        known = [(name, value) for name in names if (value := _number(found, name)) is not None]
        for (low, less), (high, more) in pairwise(known):
            if less > more + 1e-6:
                yield f"{place}: {low} ({_n(less)}) is more than {high} ({_n(more)})"
        over = [_number(found, name) for name in ("n_over_95pct_of_cap", "n_over_80pct_of_cap")]
        counts = [
            count for count in (*over, _number(self._headline, "n_replicates_attempted")) if count is not None
        ]
        if counts != sorted(counts):
            yield f"{place}: n_over_95pct_of_cap, n_over_80pct_of_cap and the replies do not rise so"

    def _validation(self, found: JsonObject) -> Iterator[str]:
        yield from _share_of(found, "n_valid", "n_total", "valid_rate_pct", "validation")
        loose = "n_valid_ignoring_extra_top_keys"
        yield from _share_of(found, loose, "n_total", "valid_rate_ignoring_extras_pct", "validation")
        yield from _at_most(found, "n_valid", _number(found, loose), loose, "validation")
        if self._attempted is not None:
            succeeded = _number(self._headline, "n_success")
            yield from _at_most(found, "n_total", succeeded, "headline.n_success", "validation")
        drift, total = _section(found, "name_drift"), _number(found, "n_total")
        for table in ("extra_top_keys", "missing_top_keys"):
            rows = drift.get(table)
            for at, row in enumerate(rows if isinstance(rows, list) else ()):
                count = row[1] if isinstance(row, list) and len(row) == 2 else None  # noqa: PLR2004 - a pair
                if total is not None and isinstance(count, int) and count > total:
                    most = f"n_total ({_n(total)})"
                    yield f"validation.name_drift.{table}[{at}]: {count} replies are more than {most}"

    def _field(self, row: JsonObject, place: str) -> Iterator[str]:
        parts = [_number(row, name) for name in ("n_full", "n_two_distinct", "n_three_plus")]
        whole = _number(row, "n_docs")
        known = [part for part in parts if part is not None]
        if whole is not None and len(known) == len(parts) and sum(known) != whole:
            parted = f"n_full + n_two_distinct + n_three_plus is {_n(sum(known))}"
            yield f"{place}: {parted}, and not n_docs ({_n(whole)})"
        yield from _share_of(row, "n_full", "n_docs", "pct_full_agreement", place)
        yield from _at_most(row, "n_docs", self._documents, "headline.n_documents", place)

    def _list(self, row: JsonObject, place: str) -> Iterator[str]:
        yield from _at_most(row, "mean_cv", _number(row, "max_cv"), "max_cv", place)
        highest = _number(row, "max_cv")
        for at, document in _rows(row, "worst_docs"):
            inner = f"{place}.worst_docs[{at}]"
            said, lengths = _number(document, "cv"), document.get("lens")
            if highest is not None and said is not None and said > highest + CV_ROUNDING:
                yield f"{inner}.cv: {_n(said)} is more than max_cv ({_n(highest)})"
            counts = (
                [length for length in lengths if isinstance(length, int)] if isinstance(lengths, list) else []
            )
            if said is not None and counts and abs(variation(counts) - said) > CV_ROUNDING:
                yield f"{inner}.cv: {_n(said)}, and not {variation(counts):.3f}, which its lens give"


def _notes(value: JsonObject) -> Iterator[str]:
    headline = _section(value, "headline")
    documents, attempted = _number(headline, "n_documents"), _number(headline, "n_replicates_attempted")
    files, planned = _number(_section(value, "config"), "pdf_count"), _planned(value)
    if attempted is not None and planned is not None and attempted < planned:
        fewer = f"{_n(attempted)} is less than documents x replicates ({_n(planned)})"
        yield f"headline.n_replicates_attempted: {fewer}"
    if None not in {files, documents} and files != documents:
        yield f"headline.n_documents: {_n(documents)}, where config.pdf_count is {_n(files)}"


def _planned(value: JsonObject) -> float | None:
    """Return how many calls so many replicates of all documents are."""
    documents = _number(_section(value, "headline"), "n_documents")
    replicates = _number(_section(value, "config"), "n_replicates")
    return None if documents is None or replicates is None else documents * replicates


def _share_of(row: JsonObject, part: str, whole: str, percent: str, place: str) -> Iterator[str]:
    yield from _at_most(row, part, _number(row, whole), whole, place)
    counted, of, said = _number(row, part), _number(row, whole), _number(row, percent)
    if counted is None or not of or said is None:
        return
    if abs(100 * counted / of - said) > ROUNDING:
        yield f"{place}.{percent}: {_n(said)}, and not {100 * counted / of:.1f}, which {part} of {whole} is"


def _at_most(row: JsonObject, name: str, most: float | None, called: str, place: str) -> Iterator[str]:
    value = _number(row, name)
    if value is not None and most is not None and value > most + CV_ROUNDING:
        yield f"{place}.{name}: {_n(value)} is more than {called} ({_n(most)})"


def _section(value: JsonObject, name: str) -> JsonObject:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _rows(value: JsonObject, name: str) -> Iterator[tuple[int, JsonObject]]:
    found = value.get(name)
    yield from (
        (at, row) for at, row in enumerate(found if isinstance(found, list) else ()) if isinstance(row, dict)
    )


def _number(value: JsonObject, name: str) -> float | None:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return found


def _n(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.10g}"
