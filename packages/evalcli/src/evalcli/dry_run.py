"""`evalcli evaluate --dry-run`: what would be called, and what it will take, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence

from evalcli.evaluation_plan import Prepared
from evalcli.forecast import Forecast, forecast, forecast_object, forecast_table
from evalcli.output import Table, print_bytes, print_table
from evalcore.canonical import encode_canonical, rounded
from evalcore.record import RunRecord
from evalcore.structs import JsonObject


def print_dry_run(prepared: Prepared, past: Sequence[RunRecord], *, as_json: bool) -> None:
    """Show what would be called, and what it will take by the past runs in the leaderboard."""
    job = prepared.job
    forecasts = [forecast(model, len(job.cases), job.replicates, past) for model in job.models]
    if as_json:
        print_bytes(_encoded(prepared, forecasts))
        return
    for table in _plan_tables(prepared):
        print_table(table)
    if forecasts:
        print_table(forecast_table(forecasts))


def _plan_tables(prepared: Prepared) -> list[Table]:
    job = prepared.job
    calls_each = len(job.cases) * job.replicates
    cases = [(case.name, "used", "") for case in job.cases]
    cases += [(skipped.case, "skipped", skipped.reason) for skipped in job.skipped_cases]
    models = [(model.id, model.provider, str(calls_each), "") for model in job.models]
    models += [(skipped.model, "", "0", skipped.reason) for skipped in prepared.selection.skipped]
    return [
        Table(
            title=f"{job.component.slug} {job.component.version}: {len(job.cases)} case(s)"
            f" x {job.replicates} replicate(s)",
            headings=("case", "", "reason"),
            rows=tuple(cases),
        ),
        Table(
            title=f"{job.calls} call(s), if every model is served",
            headings=("model", "provider", "calls", "reason"),
            rows=tuple(models),
            numeric=frozenset({"calls"}),
        ),
    ]


def _encoded(prepared: Prepared, forecasts: Sequence[Forecast]) -> bytes:
    job = prepared.job
    value: JsonObject = {
        "component": job.component.slug,
        "component_version": job.component.version,
        "prompt_commit": job.prompt_commit,
        "dataset_commit": job.dataset_commit,
        "replicates": job.replicates,
        "calls": job.calls,
        "cases": [case.name for case in job.cases],
        "skipped_cases": [{"case": item.case, "reason": item.reason} for item in job.skipped_cases],
        "models": [model.id for model in job.models],
        "skipped_models": [
            {"model": item.model, "reason": item.reason} for item in prepared.selection.skipped
        ],
        "forecast": [rounded(forecast_object(item)) for item in forecasts],
    }
    return encode_canonical(value)
