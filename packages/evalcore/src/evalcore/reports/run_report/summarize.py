"""A run's record and what was counted of its replies -> its summary."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from evalcore.reports.run_report.declared import ANY_KEY, Declared
from evalcore.reports.run_report.files import report_name
from evalcore.reports.run_report.likely import likely_keys
from evalcore.reports.run_report.summary import (
    SUMMARY_SCHEMA_VERSION,
    WHOLE,
    AccuracySection,
    CompletionTokens,
    Config,
    Consistency,
    Coverage,
    DocumentAccuracy,
    DocumentAgreement,
    DocumentLengths,
    Example,
    FieldAccuracy,
    FieldAgreement,
    FieldReproducibility,
    Headline,
    ListCoverage,
    ListLengths,
    MissingKey,
    NameDrift,
    Percentiles,
    ScalarCoverage,
    Summary,
    UndeclaredKey,
    Validation,
    ValidationError,
)
from evalcore.reports.run_report.tally import CaseTally, RunTally
from evalcore.runs.plan import RunPlan
from evalcore.runs.record import CaseResult, RunRecord
from evalcore.stats.numbers import mean, percentile
from evalcore.structs import JsonValue

MOST_ROWS: Final = 500
"""Of one table of the summary; the rest, which is the least telling part, is left out."""
MOST_ERRORS: Final = 30
WORST_LISTS: Final = 3
CAPS: Final = ("max_tokens", "max_completion_tokens", "maxOutputTokens", "max_output_tokens")
"""Parameters that limit the tokens of an answer."""


def summarize(
    plan: RunPlan, record: RunRecord, tally: RunTally, examples: Mapping[str, Sequence[Example]]
) -> Summary:
    """Make the summary of a run; `record` is the run's as it may be published."""
    return Summary(
        schema_version=SUMMARY_SCHEMA_VERSION,
        run_name=report_name(record),
        # Not the clock: a report that is made again is the same bytes.
        generated_at=record.finished_at,
        config=_config(plan, record),
        headline=_headline(record, tally),
        validation=_validation(tally),
        consistency=Consistency(
            fields=tuple(_reproducibilities(record.reproducibility.by_field)),
            field_rollup=tuple(_field_agreements(tally.cases, record.reproducibility.by_field)),
            doc_rollup=tuple(_document_agreements(tally.cases)),
            array_rollup=tuple(_list_lengths(tally.cases)),
        ),
        coverage=_coverage(tally),
        accuracy=AccuracySection(
            fields=tuple(_field_accuracies(record, examples)),
            docs=tuple(_document_accuracies(record.case_results)),
        ),
    )


def _config(plan: RunPlan, record: RunRecord) -> Config:
    component = plan.component
    folder = f"components/{component.slug}"
    temperature = record.params.get("temperature")
    return Config(
        run_id=record.run_id,
        job_id=record.job_id,
        origin=record.origin,
        component=component.slug,
        component_version=record.component_version,
        prompt_commit=record.prompt_commit,
        prompt_sha256=record.prompt_sha256,
        prompt_file=f"{folder}/prompt.md",
        dataset_commit=record.dataset_commit,
        schema_sha256=record.schema_sha256,
        json_schema_file=None if component.schema is None else f"{folder}/schema.json",
        policy_sha256=record.policy_sha256,
        cases_sha256=record.cases_sha256,
        model=record.model,
        provider=record.provider,
        params=record.params,
        temperature=float(temperature) if isinstance(temperature, int | float) else None,
        max_tokens=token_cap(record.params),
        structured_output=record.structured_output,
        server=record.server,
        n_replicates=record.replicates,
        n_documents=record.cases,
        evaluator_version=record.evaluator_version,
        scoring_version=record.scoring_version,
        started_at=record.started_at,
        finished_at=record.finished_at,
    )


def token_cap(params: Mapping[str, JsonValue]) -> int | None:
    """Return how many tokens an answer may have, where the model's parameters say so."""
    found = (params.get(name) for name in CAPS)
    return next(
        (cap for cap in found if isinstance(cap, int) and not isinstance(cap, bool) and cap > 0), None
    )


def _headline(record: RunRecord, tally: RunTally) -> Headline:
    accuracy, agreement, calls = record.accuracy, record.reproducibility, record.calls
    cap = token_cap(record.params)
    tokens = _spread(tally.completion_tokens)
    return Headline(
        status=record.status,
        reason=record.reason,
        measures=accuracy.measures,
        accuracy=accuracy.mean,
        accuracy_ci95=accuracy.ci95,
        reproducibility=agreement.mean,
        reproducibility_ci95=agreement.ci95,
        identical_rate=agreement.identical_rate,
        exact_rate=accuracy.exact_rate,
        all_right_rate=accuracy.all_right_rate,
        n_documents=record.cases,
        n_replicates_attempted=calls.total,
        n_success=calls.ok,
        n_api_error=calls.api_error,
        n_parse_error=calls.parse_error,
        n_truncated=calls.truncated,
        n_skipped_documents=len(record.skipped_cases),
        chat_latency_ms=_spread(tally.latencies),
        prompt_tokens=_spread(tally.prompt_tokens),
        completion_tokens=CompletionTokens(
            p50=tokens.p50,
            p95=tokens.p95,
            min=tokens.min,
            max=tokens.max,
            n_over_80pct_of_cap=_over(tally.completion_tokens, cap, 0.80),
            n_over_95pct_of_cap=_over(tally.completion_tokens, cap, 0.95),
            cap=cap,
        ),
        cost_usd=record.cost_usd,
    )


def _spread(values: Sequence[float]) -> Percentiles:
    return Percentiles(
        p50=percentile(values, 50),
        p95=percentile(values, 95),
        min=min(values, default=None),
        max=max(values, default=None),
    )


def _over(tokens: Sequence[int], cap: int | None, share: float) -> int | None:
    return None if cap is None else sum(count > share * cap for count in tokens)


def _validation(tally: RunTally) -> Validation:
    has_schema = tally.has_schema
    return Validation(
        n_total=tally.answers,
        n_valid=tally.valid if has_schema else None,
        valid_rate_pct=_pct(tally.valid, tally.answers) if has_schema and tally.answers else None,
        n_valid_ignoring_extra_top_keys=tally.valid_without_extras if has_schema else None,
        valid_rate_ignoring_extras_pct=(
            _pct(tally.valid_without_extras, tally.answers) if has_schema and tally.answers else None
        ),
        n_too_large=tally.too_large,
        is_cut=tally.violations is not None and tally.violations.is_cut,
        top_errors=tuple(_errors(tally)),
        name_drift=_name_drift(tally),
    )


def _errors(tally: RunTally) -> Iterator[ValidationError]:
    if tally.violations is None:
        return
    counts = tally.violations.replies
    for kind in sorted(counts, key=lambda kind: (-counts[kind], kind))[:MOST_ERRORS]:
        occurrences = tally.violations.occurrences[kind]
        yield ValidationError(kind.path or WHOLE, kind.keyword, kind.message, counts[kind], occurrences)


def _name_drift(tally: RunTally) -> NameDrift:
    undeclared = sorted(tally.undeclared, key=lambda found: (-tally.undeclared[found], found))[:MOST_ROWS]
    extra = tuple(
        UndeclaredKey(
            path=path or WHOLE,
            key=key,
            n_replies=tally.undeclared[path, key],
            likely=likely_keys(key, tally.instead.get((path, key), {})),
        )
        for path, key in undeclared
    )
    missing = _missing(tally)
    return NameDrift(
        # What reports by hand have of drift, for who reads those; `extra_keys` and `missing_keys` have all of
        # it.
        extra_top_keys=tuple((one.key, one.n_replies) for one in extra if one.path in {WHOLE, "[]"}),
        # By the place itself, not by the dots of its path: a key may hold dots.
        missing_top_keys=tuple(
            (place.name, row.n_replies) for place, row in missing if place.parent is tally.top
        ),
        extra_keys=extra,
        missing_keys=tuple(row for _, row in missing),
        n_unnamed=tally.unnamed_undeclared,
    )


def _missing(tally: RunTally) -> list[tuple[Declared, MissingKey]]:
    rows = []
    for place in tally.root.seen():
        replies = tally.missing_replies[place.path]
        if replies and place.parent is not None:
            row = MissingKey(
                field=place.path,
                required=place.name in place.parent.required,
                n_replies=replies,
                n_replies_with_object=tally.holding_replies[place.parent.path],
                n_objects=tally.missing_objects[place.path],
            )
            rows.append((place, row))
    return sorted(rows, key=lambda item: (-item[1].n_replies, item[1].field))[:MOST_ROWS]


def _reproducibilities(agreement: Mapping[str, float]) -> Iterator[FieldReproducibility]:
    for path in sorted(agreement, key=lambda path: (agreement[path], path))[:MOST_ROWS]:
        yield FieldReproducibility(path or WHOLE, agreement[path])


def _field_agreements(cases: Sequence[CaseTally], agreement: Mapping[str, float]) -> Iterator[FieldAgreement]:
    columns: dict[str, list[int]] = {}
    for case in cases:
        for path, distinct in case.distinct.items():
            columns.setdefault(path, []).append(distinct)
    rows = []
    for path, counts in columns.items():
        full, two = counts.count(1), counts.count(2)
        rows.append((full / len(counts), path, counts, full, two))
    for _, path, counts, full, two in sorted(rows)[:MOST_ROWS]:
        three = len(counts) - full - two
        yield FieldAgreement(
            path or WHOLE, len(counts), _pct(full, len(counts)), full, two, three, agreement.get(path)
        )


def _document_agreements(cases: Iterable[CaseTally]) -> Iterator[DocumentAgreement]:
    rows = []
    for case in cases:
        if case.name is not None and case.distinct:
            differing = sum(count > 1 for count in case.distinct.values())
            rows.append((-differing, case.name, len(case.distinct)))
    for differing, name, probed in sorted(rows)[:MOST_ROWS]:
        yield DocumentAgreement(name, probed, -differing, _pct(-differing, probed))


def _list_lengths(cases: Sequence[CaseTally]) -> Iterator[ListLengths]:
    found: dict[str, list[tuple[float, str | None, Sequence[int]]]] = {}
    for case in cases:
        for path, lengths in case.lengths.items():
            if len(lengths) > 1:
                found.setdefault(path, []).append((variation(lengths), case.name, lengths))
    rows = []
    for path, documents in found.items():
        values = [value for value, _, _ in documents]
        named = [
            (value, name, lengths) for value, name, lengths in documents if name is not None and value > 0
        ]
        worst = sorted(named, key=lambda item: (-item[0], item[1]))[:WORST_LISTS]
        rows.append(
            ListLengths(
                array=path or WHOLE,
                n_docs=len(documents),
                mean_cv=round(mean(values) or 0.0, 3),
                max_cv=round(max(values), 3),
                pct_docs_stable=_pct(values.count(0.0), len(values)),
                worst_docs=tuple(
                    DocumentLengths(name, tuple(lengths), round(value, 3)) for value, name, lengths in worst
                ),
            )
        )
    yield from sorted(rows, key=lambda row: (-row.mean_cv, row.array))[:MOST_ROWS]


def variation(lengths: Sequence[int]) -> float:
    """Return the coefficient of variation: the population's standard deviation over the mean."""
    # Of the population, not of a sample: so the reports by hand have it, and theirs come out the same.
    average = math.fsum(lengths) / len(lengths)
    if not average:
        return 0.0
    return math.sqrt(math.fsum((length - average) ** 2 for length in lengths) / len(lengths)) / average


def _coverage(tally: RunTally) -> Coverage:
    scalars, arrays = [], []
    for place in tally.root.seen():
        # Of an object whose keys are data, no key can lack.
        total = tally.objects[place.parent.path] if place.parent and place.name not in {"", ANY_KEY} else 0
        if not total:
            continue
        filled = tally.populated[place.path]
        if place.is_list:
            arrays.append(ListCoverage(place.path, _pct(filled, total), filled, total))
        else:
            scalars.append(ScalarCoverage(place.path, _pct(filled, total), filled, total, tally.has_schema))
    scalars.sort(key=lambda one: (one.n_non_null / one.n_total, one.field))
    arrays.sort(key=lambda one: (one.n_non_empty / one.n_total, one.field))
    return Coverage(scalars=tuple(scalars[:MOST_ROWS]), arrays=tuple(arrays[:MOST_ROWS]))


def _field_accuracies(
    record: RunRecord, examples: Mapping[str, Sequence[Example]]
) -> Iterator[FieldAccuracy]:
    accuracy = record.accuracy
    for path in sorted(accuracy.by_field, key=lambda path: (accuracy.by_field[path], path))[:MOST_ROWS]:
        yield FieldAccuracy(
            field=path or WHOLE,
            accuracy=accuracy.by_field[path],
            precision=accuracy.precision_by_field.get(path),
            recall=accuracy.recall_by_field.get(path),
            examples=tuple(examples.get(path, ())),
        )


def _document_accuracies(results: Sequence[CaseResult]) -> list[DocumentAccuracy]:
    rows = []
    for result in results:
        scores = [score for score in result.scores if score is not None]
        exact = None if result.exact is None else [one for one in result.exact if one is not None]
        rows.append(
            DocumentAccuracy(
                doc=result.case,
                accuracy=mean(scores),
                lowest=min(scores, default=None),
                highest=max(scores, default=None),
                reproducibility=result.reproducibility,
                n_exact=None if not exact else sum(exact),
            )
        )
    # A case without any reply says most of what is wrong, so it comes first.
    rows.sort(key=lambda row: (-1.0 if row.accuracy is None else row.accuracy, row.doc))
    return rows[:MOST_ROWS]


def _pct(part: int, whole: int) -> float:
    # One decimal, as the reports by hand have it; `check` allows for half of it.
    return round(100 * part / whole, 1) if whole else 0.0
