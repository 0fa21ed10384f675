"""A run's summary -> REPORT.md, as the prompt library's site renders it.

What a model, a file or a server wrote stands in inline code within a line that begins with words of ours:
nothing of it is markup, to GitHub as to Python-Markdown with the extensions of the library's site.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from evalcore.formats.counts import counted
from evalcore.formats.markdown_text import REASON
from evalcore.formats.percent import whole_percent
from evalcore.reports.run_report.page_parts import (
    LONGEST_VALUE,
    MOST_SHOWN,
    NONE,
    bold,
    code,
    fenced,
    interval,
    order_of,
    part_of,
    place,
    share,
    spread,
    table,
)
from evalcore.reports.run_report.summary import (
    Consistency,
    Coverage,
    Example,
    Headline,
    Percentiles,
    Summary,
    Validation,
)
from evalcore.runs.record import WORDING
from evalcore.stats.uncertainty import FEW_REPLICATES

MOST_CASES: Final = 10
MOST_EXAMPLES: Final = 24
MOST_OF_FIELD: Final = 2
LONGEST_FIELD: Final = 140
CHART_TITLES: Final = {
    "completion_tokens": "Completion tokens per reply, against the cap",
    "consistency_heatmap": "Different values of each field in the answers to each case (1: all agree)",
    "field_agreement": "How far the answers to one case agree, per field, the worst first",
    "coverage": "How often each field has a value; lists are marked []",
}
"""Of the charts, by the names of their files."""


def report_page(summary: Summary, charts: Iterable[str]) -> str:
    """Write REPORT.md; `charts` are the names of those that lie beside it."""
    # A chart with nothing to show is not drawn; a link to it would be broken.
    there = frozenset(charts)
    parts = [
        *_title(summary),
        *_headline(summary, there),
        *_validation(summary),
        *_consistency(summary.consistency, summary.config.n_replicates, there),
        *_coverage(summary.coverage, there),
        *_accuracy(summary),
        *_reproduction(summary),
    ]
    return "\n\n".join(parts) + "\n"


def _title(summary: Summary) -> Iterator[str]:
    config = summary.config
    yield f"# Evaluation run — {code(summary.run_name)}"
    schema = f" with {code(config.json_schema_file)}" if config.structured_output == "json_schema" else ""
    facts = {
        "Date": f"{config.started_at[:16].replace('T', ' ')} UTC",
        "Model": f"{code(config.model)} at {code(config.provider)}",
        "Component": f"{code(config.component)} version {code(config.component_version)}",
        "Prompt": f"`prompt.md` — sha256 {code(config.prompt_sha256[:12])}",
        "Parameters": code(json.dumps(config.params, sort_keys=True, ensure_ascii=False), REASON),
        "Structured output": f"{code(config.structured_output)}{schema}",
        "Server": _server(summary),
        "Replicates per case": str(config.n_replicates),
        "Cases": str(config.n_documents),
        "Scoring": f"version {config.scoring_version}" + (", by a policy" if config.policy_sha256 else ""),
        "Run": f"{code(config.run_id)}, evaluator {code(config.evaluator_version)}",
    }
    # Two blanks at a line's end are Markdown's line break, to GitHub and to the library's site alike.
    yield "  \n".join(f"**{name}:** {said}" for name, said in facts.items() if said)
    if summary.headline.status == "partial":
        reason = f": {code(summary.headline.reason, REASON)}" if summary.headline.reason else ""
        yield f"**This run is partial**{reason}. Its figures are of what was answered, and are not ranked."


def _server(summary: Summary) -> str:
    server = summary.config.server
    facts = {
        "version": server.version,
        "quantization": server.quantization,
        "context": None if server.context_length is None else str(server.context_length),
    }
    return ", ".join(f"{name} {code(value)}" for name, value in facts.items() if value)


def _headline(summary: Summary, charts: frozenset[str]) -> Iterator[str]:
    headline = summary.headline
    yield "## 1. Run-level headline"
    pairs = f"{share(headline.identical_rate)} of the pairs of replies to one case are equal"
    agreement = f"{share(headline.reproducibility)}{interval(headline.reproducibility_ci95)}"
    right = f"every leaf but prose is right in {share(headline.exact_rate)} of the replies"
    all_right = f"in all {summary.config.n_replicates} replies to {share(headline.all_right_rate)}"
    lines = [
        f"**Accuracy:** {share(headline.accuracy)}{interval(headline.accuracy_ci95)}"
        + (f", which measures {WORDING}." if headline.measures == "wording" else "."),
        f"**Reproducibility:** {agreement}; {pairs}.",
        f"**All right:** {right}, and {all_right} of the cases.",
        _success(headline),
        f"**Chat latency:** {spread(headline.chat_latency_ms, 1000, ' s', 1)}.",
        f"**Prompt tokens:** {spread(headline.prompt_tokens)}.",
        _tokens(headline),
    ]
    if headline.cost_usd is not None:
        lines.append(f"**Cost:** {headline.cost_usd:.4f} USD.")
    if headline.n_skipped_documents:
        lines.append(f"**Left out:** {counted(headline.n_skipped_documents, 'case')} that could not be used.")
    yield "\n".join(f"- {line}" for line in lines)
    yield (
        "Intervals (95 %) are for these cases and endless replicates of them, not for other cases, "
        "if nothing drifts while a run is under way."
    )
    if headline.reproducibility_ci95 is not None and summary.config.n_replicates < FEW_REPLICATES:
        yield f"Below {FEW_REPLICATES} replicates the interval of reproducibility is rough."
    if summary.config.n_replicates == 1:
        yield "One reply to each case: the interval holds what cases differ by, not how replies vary."
    yield from _chart("completion_tokens", charts)


def _success(headline: Headline) -> str:
    rate = part_of(headline.n_success, headline.n_replicates_attempted)
    cut = f", {headline.n_truncated} cut at the token limit" if headline.n_truncated else ""
    errors = f"{headline.n_api_error} API errors, {headline.n_parse_error} parse errors{cut}"
    return f"**Success rate:** {rate} — {errors}."


def _tokens(headline: Headline) -> str:
    tokens = headline.completion_tokens
    said = spread(Percentiles(tokens.p50, tokens.p95, tokens.min, tokens.max))
    if tokens.cap is None:
        return f"**Completion tokens:** {said}; no cap is set."
    over = f"{tokens.n_over_80pct_of_cap} replies over 80 % of it, {tokens.n_over_95pct_of_cap} over 95 %"
    return f"**Completion tokens:** {said} (cap: {tokens.cap}; {over})."


def _validation(summary: Summary) -> Iterator[str]:
    found, drift = summary.validation, summary.validation.name_drift
    yield "## 2. Structural validity (JSON Schema)"
    if found.n_valid is None or found.n_valid_ignoring_extra_top_keys is None:
        yield "_The component has no schema to hold answers against._"
    else:
        # From the report's folder, evals/reports/NAME, three up is the component.
        yield "Each answer that could be parsed, held against [`../../../schema.json`](../../../schema.json):"
        strict = part_of(found.n_valid, found.n_total)
        loose = part_of(found.n_valid_ignoring_extra_top_keys, found.n_total)
        isolates = "this isolates structural and type errors from naming drift"
        yield (
            f"- **Strict pass rate:** {strict}\n"
            f"- **Pass rate ignoring top-level extra keys:** {loose} — {isolates}."
        )
        yield from _errors(found)
    if drift.extra_keys:
        yield "**Naming drift:** keys that nothing declares, with the declared ones they likely stand for."
        yield table(
            ("undeclared key", "in", "replies with it", "likely counterpart (missing beside it in)"),
            [
                (
                    code(row.key),
                    place(row.path),
                    str(row.n_replies),
                    ", ".join(f"{code(one.key)} ({one.n_replies})" for one in row.likely) or NONE,
                )
                for row in drift.extra_keys[:MOST_SHOWN]
            ],
        )
    if drift.n_unnamed:
        yield (f"{drift.n_unnamed} replies to confidential cases have undeclared keys, which are not named.")
    if drift.missing_keys:
        yield f"**Declared keys absent from answers** ({order_of(drift.missing_keys, MOST_SHOWN)}):"
        yield table(
            ("key missing", "required", "replies missing it", "of replies that could have it"),
            [
                (
                    code(row.field, LONGEST_FIELD),
                    "yes" if row.required else "no",
                    str(row.n_replies),
                    str(row.n_replies_with_object),
                )
                for row in drift.missing_keys[:MOST_SHOWN]
            ],
        )
    elif summary.coverage.scalars or summary.coverage.arrays:
        yield "_No answer lacks a declared key._"


def _errors(found: Validation) -> Iterator[str]:
    if found.n_too_large:
        yield f"{found.n_too_large} answers are too large to be looked at."
    if not found.top_errors:
        yield "_No answer is invalid._"
        return
    cut = ", of some answers the first one alone" if found.is_cut else ""
    yield f"**Top validation errors** ({order_of(found.top_errors, MOST_SHOWN)}{cut}):"
    yield table(
        ("where", "what", "replies", "times"),
        [
            (place(row.path), code(row.message), str(row.n_replies), str(row.n_occurrences))
            for row in found.top_errors[:MOST_SHOWN]
        ],
    )


def _consistency(found: Consistency, replicates: int, charts: frozenset[str]) -> Iterator[str]:
    yield f"## 3. Within-case consistency ({counted(replicates, 'replicate')} per case)"
    if not (found.field_rollup or found.array_rollup):
        yield from _agreement(found, charts)
        return
    yield (
        "Different values as they are written, of the answers that could be parsed; a field that is absent "
        "counts as null. *Agreement* is the score's own: it forgives spelling, and a reply that cannot be "
        "parsed agrees with nothing."
    )
    yield from _chart("consistency_heatmap", charts)
    yield from _chart("field_agreement", charts)
    yield f"### 3a. Per-field agreement ({order_of(found.field_rollup, MOST_SHOWN)})"
    yield table(
        ("field", "cases probed", "% full agreement", "2 distinct", "≥3 distinct", "agreement"),
        [
            (
                code(row.field, LONGEST_FIELD),
                str(row.n_docs),
                bold(whole_percent(row.pct_full_agreement / 100)),
                str(row.n_two_distinct),
                str(row.n_three_plus),
                share(row.agreement),
            )
            for row in found.field_rollup[:MOST_SHOWN]
        ],
    )
    if found.doc_rollup:
        order = order_of(found.doc_rollup, MOST_CASES)
        yield f"### 3b. Cases with the most fields disagreeing ({order})"
        yield table(
            ("case", "disagreeing / probed", "%"),
            [
                (
                    code(row.doc),
                    f"{row.n_fields_with_disagreement} / {row.n_fields_probed}",
                    whole_percent(row.pct_disagreement / 100),
                )
                for row in found.doc_rollup[:MOST_CASES]
            ],
        )
    if found.array_rollup:
        yield f"### 3c. Lengths of lists across replicates ({order_of(found.array_rollup, MOST_SHOWN)})"
        yield "CV is the coefficient of variation: the lengths' standard deviation over their mean."
        yield table(
            ("list", "mean CV", "max CV", "% cases stable (CV=0)", "worst cases"),
            [
                (
                    code(row.array),
                    f"{row.mean_cv:.3f}",
                    f"{row.max_cv:.3f}",
                    whole_percent(row.pct_docs_stable / 100),
                    "; ".join(f"{code(one.doc)} ({_lengths(one.lens)})" for one in row.worst_docs) or NONE,
                )
                for row in found.array_rollup[:MOST_SHOWN]
            ],
        )


def _agreement(found: Consistency, charts: frozenset[str]) -> Iterator[str]:
    """What is said where answers have no keys whose values could be counted: of documents in Markdown."""
    if not found.fields:
        yield "_No case has two answers that can be compared._"
        return
    yield (
        "*Agreement* is how far two replies to one case agree, as the score has it; one that cannot be "
        "parsed agrees with nothing."
    )
    yield from _chart("field_agreement", charts)
    yield f"### 3a. Per-field agreement ({order_of(found.fields, MOST_SHOWN)})"
    rows = [(code(row.field, LONGEST_FIELD), bold(share(row.agreement))) for row in found.fields[:MOST_SHOWN]]
    yield table(("field", "agreement"), rows)


def _lengths(lengths: Sequence[int]) -> str:
    shown = ", ".join(map(str, lengths[:MOST_SHOWN]))
    return f"{shown}, …" if len(lengths) > MOST_SHOWN else shown


def _coverage(found: Coverage, charts: frozenset[str]) -> Iterator[str]:
    yield "## 4. Field coverage"
    if not (found.scalars or found.arrays):
        yield "_No answer has keys whose values could be counted._"
        return
    yield "How often a field has a value (a list: an element), of the objects that could have it."
    yield from _chart("coverage", charts)
    if found.scalars:
        yield f"### 4a. Fields ({order_of(found.scalars, MOST_SHOWN, 'least-populated')})"
        yield table(
            ("field", "% non-null", "n / total"),
            [
                (
                    code(row.field, LONGEST_FIELD),
                    whole_percent(row.pct_populated / 100),
                    f"{row.n_non_null} / {row.n_total}",
                )
                for row in found.scalars[:MOST_SHOWN]
            ],
        )
    if found.arrays:
        yield f"### 4b. Lists ({order_of(found.arrays, MOST_SHOWN, 'least-populated')})"
        yield table(
            ("list", "% non-empty", "n / total"),
            [
                (
                    code(row.field, LONGEST_FIELD),
                    whole_percent(row.pct_non_empty / 100),
                    f"{row.n_non_empty} / {row.n_total}",
                )
                for row in found.arrays[:MOST_SHOWN]
            ],
        )


def _accuracy(summary: Summary) -> Iterator[str]:
    fields, docs = summary.accuracy.fields, summary.accuracy.docs
    yield "## 5. Accuracy"
    if not fields and not docs:
        yield "_No figures of fields or cases are published of this run._"
        return
    if fields:
        yield f"### 5a. Accuracy per field ({order_of(fields, MOST_SHOWN)})"
        yield (
            "*Precision* is the share that is right of what was answered (the rest is invented or wrong), "
            "*recall* of what was expected (the rest is missed or wrong)."
        )
        yield table(
            ("field", "accuracy", "precision", "recall"),
            [
                (
                    code(row.field, LONGEST_FIELD),
                    bold(share(row.accuracy)),
                    share(row.precision),
                    share(row.recall),
                )
                for row in fields[:MOST_SHOWN]
            ],
        )
        worst = [(row.field, one) for row in fields[:MOST_SHOWN] for one in row.examples[:MOST_OF_FIELD]]
        examples = worst[:MOST_EXAMPLES]
        if examples:
            yield "### 5b. Worst examples, side by side"
            yield (
                "Of the worst reply to each case, of the library's own cases alone; values are "
                "JSON, cut around the first difference."
            )
            heading = ("field", "case", "replicate", "", "expected", "answered")
            yield table(heading, [_example(field, one) for field, one in examples])
    if docs:
        yield f"### 5c. Accuracy per case ({order_of(docs, MOST_CASES)})"
        yield table(
            ("case", "accuracy", "lowest", "highest", "reproducibility", "exact replies"),
            [
                (
                    code(row.doc),
                    bold(share(row.accuracy)),
                    share(row.lowest),
                    share(row.highest),
                    share(row.reproducibility),
                    NONE if row.n_exact is None else str(row.n_exact),
                )
                for row in docs[:MOST_CASES]
            ],
        )


def _example(field: str, example: Example) -> tuple[str, ...]:
    expected, answered = (
        code(text, LONGEST_VALUE) if text else NONE for text in (example.expected, example.answered)
    )
    where = code(field, LONGEST_FIELD), code(example.doc), str(example.replicate)
    return *where, example.status, expected, answered


def _reproduction(summary: Summary) -> Iterator[str]:
    config = summary.config
    yield "## Reproduction"
    if config.prompt_commit is None:
        yield "The prompt that was evaluated was of no commit; its sha256 is above."
    yield "In a clone of the prompt library; replies are sampled anew, so that figures differ somewhat:"
    checkout = [f"git checkout {config.prompt_commit}"] if config.prompt_commit else []
    data_sets = (
        [f"git -C ../evaluation-data-sets checkout {config.dataset_commit}"] if config.dataset_commit else []
    )
    call = f"evalcli evaluate {shlex.quote(config.component)} \\\n"
    call += f"  --model {_argument(config.model)} --replicates {config.n_replicates}"
    yield fenced([*checkout, *data_sets, call])
    yield "With the run's folder at hand no model is called, and every byte comes out the same:"
    run = config.run_id
    yield fenced([f"evalcli rescore {run}", f"evalcli report {run} --out .", f"evalcli show {run}"])
    yield (
        f"The cases are those with `cases_sha256` {code(config.cases_sha256[:12])}"
        + (f", data sets at commit {code(config.dataset_commit[:12])}" if config.dataset_commit else "")
        + "; all figures are in `summary.json` beside this page."
    )


def _argument(text: str) -> str:
    """Quote an argument on one line, whatever it holds."""
    # A line end would begin a command of its own, and backticks could end the block.
    return shlex.quote("".join(one if one.isprintable() and one != "`" else "?" for one in text[:200]))


def _chart(name: str, charts: frozenset[str]) -> Iterator[str]:
    if name in charts:
        yield f"![{CHART_TITLES[name]}](charts/{name}.svg)"
        yield f"*{CHART_TITLES[name]}.*"
