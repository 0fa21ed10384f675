"""`evalcli evaluate --dry-run`: what would be called, and what it will take, before anything is spent."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from evalcli.evaluation.forecast import Forecast, blind_sentences, forecast, forecast_object, forecast_table
from evalcli.evaluation.plan import Prepared
from evalcli.terminal.output import print_bytes, print_line
from evalcli.terminal.tables import print_table
from evalcli.terminal.text import Table
from evalcore.documents.forecast import ReadingForecast
from evalcore.errors import InputError
from evalcore.evaluation.probe import asked_of
from evalcore.formats.counts import counted
from evalcore.formats.strict_json import encode_canonical, rounded
from evalcore.library.component import SkippedCase
from evalcore.library.models import Model, is_local
from evalcore.runs.plan import JobPlan, cases_for
from evalcore.runs.record import RunRecord
from evalcore.structs import JsonObject


def print_dry_run(
    prepared: Prepared, past: Sequence[RunRecord], reading: ReadingForecast, *, as_json: bool
) -> None:
    """Show what would be read and called, and what it will take by the past runs in the leaderboard."""
    job = prepared.job
    count = len(job.models)
    forecasts = [
        forecast(model, len(cases_for(job, model)[0]), job.replicates, past, models=count)
        for model in job.models
    ]
    if as_json:
        print_bytes(_encoded(prepared, forecasts, reading))
        return
    if reading.documents:
        print_line(reading_sentence(prepared.job, reading))
    for table in _plan_tables(prepared):
        print_table(table)
    if any(one.past_runs for one in forecasts):
        print_table(forecast_table(forecasts))
    elif forecasts:
        # A table of nothing but `unknown` would hide that in its columns.
        print_line("What it will take is not known: there is no past run of these models.")
    for text in blind_sentences(forecasts):
        print_line(text)


def reading_sentence(job: JobPlan, reading: ReadingForecast) -> str:
    """Say what is read before the first call, and what of it counts for MindRouter's rate limit and quota."""
    many = counted(reading.documents, "document is", "documents are")
    if job.reading.reader == "none":
        return f"{many} sent to the models as they are"
    said = f"{many} read first by `{job.reading.reader}`"
    if job.reading.reader != "mindrouter":
        return said
    said += f": up to {reading.calls} calls of {job.reading.model} for {counted(reading.pages, 'page')}"
    if reading.uncounted:
        said += f", and more for {counted(reading.uncounted, 'document')} whose pages are not known"
    return f"{said}, which count for MindRouter's rate limit and quota; none for what was read before"


def _plan_tables(prepared: Prepared) -> list[Table]:
    job = prepared.job
    cases = [(case.name, "used", "") for case in job.cases]
    cases += [
        (case.case, "broken" if case.broken else "skipped", _reason(case)) for case in job.skipped_cases
    ]
    models = [_model_row(job, model) for model in job.models]
    models += [
        (skipped.model, skipped.provider, "0", skipped.reason) for skipped in prepared.selection.skipped
    ]
    return [
        Table(
            title=f"{job.component.slug} {job.component.version}: {counted(len(job.cases), 'case')}"
            f" x {counted(job.replicates, 'replicate')}",
            headings=("case", "status", "reason"),
            rows=tuple(cases),
        ),
        Table(
            title=f"{counted(job.calls, 'call')}, if every model is served"
            if job.models
            else "no call: no model can be called from here",
            headings=("model", "provider", "calls", "reason"),
            rows=tuple(models),
            numeric=frozenset({"calls"}),
        ),
    ]


def _reason(case: SkippedCase) -> str:
    """Return why a case is left out, without its folder: the row names it, and a path cannot be wrapped."""
    return re.sub(rf"^\S*/{re.escape(case.case)}(?:/|: )", "", case.reason)


def _model_row(job: JobPlan, model: Model) -> tuple[str, str, str, str]:
    """Return a model's calls, and what of its schema is changed; none where it cannot be asked."""
    cases, _ = cases_for(job, model)
    private = 0 if is_local(model) else sum(case.local_only for case in job.cases)
    untaken = len(job.cases) - len(cases) - private
    reasons = [f"{counted(private, 'case is', 'cases are')} local_only"] if private else []
    if untaken:
        many = counted(untaken, "document is of a kind", "documents are of kinds")
        reasons.append(f"{many} that it does not take as it is")
    try:
        reasons += asked_of(model, job.component, job.providers[model.provider]).changes
    except InputError as error:
        return model.id, model.provider, "0", error.line
    return model.id, model.provider, str(len(cases) * job.replicates), "; ".join(reasons)


def _encoded(prepared: Prepared, forecasts: Sequence[Forecast], reading: ReadingForecast) -> bytes:
    job = prepared.job
    value: JsonObject = {
        "component": job.component.slug,
        "component_version": job.component.version,
        "prompt_commit": job.prompt_commit,
        "dataset_commit": job.dataset_commit,
        "replicates": job.replicates,
        "calls": job.calls,
        "reading": {"reader": job.reading.reader, **msgspec.structs.asdict(reading)}
        if reading.documents
        else None,
        "cases": [case.name for case in job.cases],
        "skipped_cases": msgspec.to_builtins(job.skipped_cases),
        "models": [model.id for model in job.models],
        "skipped_models": [
            {"model": item.model, "reason": item.reason} for item in prepared.selection.skipped
        ],
        "forecast": [rounded(forecast_object(item)) for item in forecasts],
    }
    return encode_canonical(value)
