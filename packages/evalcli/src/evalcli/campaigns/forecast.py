"""What a planned run will take: by its own past runs, or else by those that are most like it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from evalcli.evaluation.forecast import cost_of, newest_complete, newest_of_model, wall_seconds
from evalcore.compare.pool import spread_of_records
from evalcore.library.models import Model
from evalcore.runs.record import RunRecord
from evalcore.stats.power import smallest_change
from evalcore.structs import Frozen

Basis = Literal["its own runs", "other models", "other components", "nothing"]
"""Which past runs a forecast is by: of the component and model; of the component; of the model; none."""
START_S: Final = 2.0
"""Seconds that a run takes besides its calls: its process starts, and its last replies are scored."""
_P95: Final = 1.6449
"""The standard normal distribution's 95th percentile."""


class RunForecast(Frozen, frozen=True):
    """What a run will take; None where no past run says so."""

    basis: Basis
    past_runs: int
    seconds: float | None
    """From its start to its record, with its share of the calls in flight."""
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    smallest_change: float | None
    """The fall of accuracy that it would show four times in five against an equal run.

    Of one model, where as many are compared at once as the campaign has for its component.
    """


def forecast_run(
    model: Model,
    *,
    cases: int,
    replicates: int,
    in_flight: int,
    models: int,
    component: Sequence[RunRecord],
    others: Mapping[str, Sequence[RunRecord]],
) -> RunForecast:
    """Say what a run will take.

    `in_flight` are its calls at the same time, `models` how many are evaluated, and so compared, at once: the
    more they are, the less is shown of one. `component` are the past runs of its component, of any model, and
    `others` those of other components by name.
    """
    basis, runs = _most_alike(model, component, others)
    calls = cases * replicates
    prompt = _tokens([(run.tokens.prompt, run.calls.total) for run in runs], calls)
    completion = _tokens([(run.tokens.completion, run.calls.total) for run in runs], calls)
    latencies = [seconds for run in _latest(runs) if (seconds := _latency(run)) is not None]
    seconds = None
    if latencies:
        # However many places there are, a run lasts as long as one call.
        each = statistics.median(latencies)
        seconds = START_S + max(each, each * calls / min(in_flight, calls, model.concurrency))
    return RunForecast(
        basis=basis,
        past_runs=len(runs),
        seconds=seconds,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost_usd=cost_of(model, prompt, completion),
        smallest_change=smallest_change(cases, replicates, spread_of_records(runs), models=models),
    )


def _most_alike(
    model: Model, component: Sequence[RunRecord], others: Mapping[str, Sequence[RunRecord]]
) -> tuple[Basis, list[RunRecord]]:
    if own := newest_of_model(model, component):
        return "its own runs", own
    # How long an answer is lies with the component, how fast it comes with the provider.
    of_provider = [run for run in component if run.provider == model.provider]
    if near := newest_complete(of_provider) or newest_complete(component):
        return "other models", near
    elsewhere = [run for records in others.values() for run in newest_of_model(model, records)]
    return ("other components", elsewhere) if elsewhere else ("nothing", [])


def _latest(runs: Iterable[RunRecord]) -> Iterable[RunRecord]:
    """Return the newest run of each prompt on each model: a server may have been replaced since others."""
    in_order = sorted(runs, key=lambda run: run.finished_at)
    return {(run.prompt_sha256, run.model, run.provider): run for run in in_order}.values()


def _tokens(counts: Sequence[tuple[int | None, int]], calls: int) -> int | None:
    """Scale the tokens of past runs to so many calls; None where a run does not say them."""
    each = [tokens / made for tokens, made in counts if tokens is not None]
    return round(statistics.median(each) * calls) if each and len(each) == len(counts) else None


def _latency(run: RunRecord) -> float | None:
    """Return the mean seconds of a call, from its median and its 95th percentile, as of a log-normal one."""
    middle, slow = run.latency_ms.p50, run.latency_ms.p95
    if not middle or not slow:
        return _wall(run)
    # Of a log-normal one the logarithm of p95 / p50 is 1.645 standard deviations.
    # From 2 x 1.645 on its mean would be above its 95th percentile, and soon above any number.
    spread = min(math.log(max(slow, middle) / middle) / _P95, 2 * _P95)
    return middle / 1000 * math.exp(spread * spread / 2)


def _wall(run: RunRecord) -> float | None:
    """Return the seconds between two calls' ends, for a record without latencies."""
    seconds = wall_seconds(run)
    return None if seconds is None else max(0.0, seconds) / run.calls.total
