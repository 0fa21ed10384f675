"""What an evaluation will take by past runs of the same models, and what it could show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from evalcli.terminal.text import Table
from evalcore.compare.pool import spread_of_records
from evalcore.formats.counts import counted
from evalcore.formats.versions import version_order
from evalcore.library.models import Model
from evalcore.runs.record import RunRecord
from evalcore.stats.power import least_replicates, smallest_change
from evalcore.structs import Frozen, JsonObject

Number = TypeVar("Number", int, float)

UNKNOWN = "unknown"
_FIGURES = 4
"""Of a forecast that are summed up: hours, tokens in and out, USD."""
SMALLEST_FALL = "smallest fall"
SMALLEST_FALL_MEANS = f"{SMALLEST_FALL}: the least loss of accuracy that would show"
HEADINGS = ("model", "past runs", "hours", "tokens in", "tokens out", "USD", SMALLEST_FALL)


class Forecast(Frozen, frozen=True):
    """What a run of one model will take; None where no past run says so."""

    model: str
    calls: int
    past_runs: int
    """Complete runs of this component's newest evaluated version, of the same model."""
    hours: float | None
    """From the first call to the last, with as many calls in flight as in the past runs."""
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    smallest_change: float | None
    """The fall of accuracy that such a run would show four times in five against an equal one.

    Of one model, where as many are compared at once as the job has. None where no fall would show.
    """
    cases: int = 0
    replicates: int = 0
    least_replicates: int | None = None
    """The fewest that would show any fall, of as many cases; None where the most there may be would not."""


def forecast(
    model: Model, cases: int, replicates: int, past: Iterable[RunRecord], *, models: int = 1
) -> Forecast:
    """Say what a run of a model will take, each call as much as one of its past runs, and could show.

    `models` are evaluated, and so compared, at once: the more they are, the less is shown of one.
    """
    runs = newest_of_model(model, past)
    spread = spread_of_records(runs)
    calls = cases * replicates
    made = sum(run.calls.total for run in runs)
    prompt = _scaled([run.tokens.prompt for run in runs], calls, made)
    completion = _scaled([run.tokens.completion for run in runs], calls, made)
    # By wall-clock time, not by latencies: how many calls were in flight is in it already.
    seconds = _whole([wall_seconds(run) for run in runs])
    return Forecast(
        model=model.id,
        calls=calls,
        past_runs=len(runs),
        hours=math.fsum(seconds) * calls / made / 3600 if seconds else None,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost_usd=cost_of(model, prompt, completion),
        smallest_change=smallest_change(cases, replicates, spread, models=models),
        cases=cases,
        replicates=replicates,
        least_replicates=least_replicates(cases, spread, models=models),
    )


def forecast_table(forecasts: Sequence[Forecast]) -> Table:
    """Lay forecasts out, with what all models together will take."""
    rows = [_row(item.model, str(item.past_runs), item) for item in forecasts]
    if len(forecasts) > 1:
        rows.append(_sums(forecasts))
    return Table(
        title=f"by past runs of the same models; {SMALLEST_FALL_MEANS}",
        headings=HEADINGS,
        rows=tuple(rows),
        numeric=frozenset(HEADINGS) - {"model"},
    )


def together(forecasts: Sequence[Forecast]) -> Forecast:
    """Sum forecasts up; models are called at the same time, so that the slowest one's hours count."""
    hours = _whole([item.hours for item in forecasts])
    prompt = _whole([item.prompt_tokens for item in forecasts])
    completion = _whole([item.completion_tokens for item in forecasts])
    costs = _whole([item.cost_usd for item in forecasts])
    return Forecast(
        model="",
        calls=sum(item.calls for item in forecasts),
        past_runs=sum(item.past_runs for item in forecasts),
        hours=max(hours) if hours else None,
        prompt_tokens=sum(prompt) if prompt else None,
        completion_tokens=sum(completion) if completion else None,
        cost_usd=math.fsum(costs) if costs else None,
        smallest_change=None,
    )


def blind_sentences(forecasts: Sequence[Forecast]) -> list[str]:
    """Say of which models no fall of accuracy would show, however large, and what would help.

    Models that as many replicates would help are named together.
    """
    alike: dict[tuple[int, int, int | None], list[str]] = {}
    for item in forecasts:
        if item.smallest_change is None and item.calls:
            alike.setdefault((item.cases, item.replicates, item.least_replicates), []).append(item.model)
    # Of all alike no name is needed.
    several = len(forecasts) > 1
    return [
        _blind_sentence(*design, ["every model"] if several and len(models) == len(forecasts) else models)
        for design, models in alike.items()
    ]


def _blind_sentence(cases: int, replicates: int, least: int | None, models: Sequence[str]) -> str:
    design = f"{counted(replicates, 'replicate')} of {counted(cases, 'case')}"
    # Even of a hundred replicates that is so only of a model that is wrong nearly always.
    cure = (
        "so few past answers are right that there is little to lose: only more cases could help"
        if least is None
        else f"--replicates {least}, or more cases, would help"
    )
    return f"{', '.join(models)}: in {design} no fall of accuracy would show, however large; {cure}"


def _sums(forecasts: Sequence[Forecast]) -> tuple[str, ...]:
    """Return the last row: what is known of all models together, and of how many it is not known."""
    cells = []
    for at in range(_FIGURES):
        known = [item for item in forecasts if _figures(item)[at] is not None]
        # Behind the name and the number of past runs stand the figures, in the order of _FIGURES.
        cell = _row("", "", together(known))[2 + at] if known else UNKNOWN
        unknown = len(forecasts) - len(known)
        cells.append(f"{cell} + {unknown} unknown" if known and unknown else cell)
    return ("all, at the same time", "", *cells, "")


def _figures(item: Forecast) -> tuple[float | None, ...]:
    return item.hours, item.prompt_tokens, item.completion_tokens, item.cost_usd


def forecast_object(item: Forecast) -> JsonObject:
    """Write a forecast for `--json`."""
    return {
        "model": item.model,
        "calls": item.calls,
        "past_runs": item.past_runs,
        "hours": item.hours,
        "tokens": {"prompt": item.prompt_tokens, "completion": item.completion_tokens},
        "cost_usd": item.cost_usd,
        "smallest_change": item.smallest_change,
    }


def newest_of_model(model: Model, past: Iterable[RunRecord]) -> list[RunRecord]:
    """Return what `newest_complete` does of a model's runs."""
    return newest_complete(run for run in past if (run.model, run.provider) == (model.id, model.provider))


def newest_complete(past: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the complete runs of the newest version that has any; a rescored run counts once."""
    runs = {
        run.rescored_from or run.run_id: run
        for run in past
        # Another program may have written no calls at all.
        if run.status == "complete" and run.calls.total
    }
    # Of one version alone: a new prompt may be many times as long as the one before.
    newest = max((version_order(run.component_version) for run in runs.values()), default=None)
    return [run for run in runs.values() if version_order(run.component_version) == newest]


def wall_seconds(run: RunRecord) -> float | None:
    """Return the seconds from a run's first reply to its last; None where its record does not tell."""
    try:
        began, ended = datetime.fromisoformat(run.started_at), datetime.fromisoformat(run.finished_at)
    except ValueError:  # another program's record, of a day that no calendar has
        return None
    return (ended - began).total_seconds()


def _scaled(counts: Sequence[int | None], calls: int, made: int) -> int | None:
    known = _whole(counts)
    return round(sum(known) * calls / made) if known else None


def cost_of(model: Model, prompt: int | None, completion: int | None) -> float | None:
    """Price the tokens as `models.yaml` prices them now; None where one of the three is not known."""
    if model.price is None or prompt is None or completion is None:
        return None
    return model.price.of(prompt, completion)


def _whole(values: Sequence[Number | None]) -> list[Number]:
    """Return the values where every one is known, else none: a sum of some of them would mislead."""
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else []


def _row(name: str, past_runs: str, item: Forecast) -> tuple[str, ...]:
    return (
        name,
        past_runs,
        UNKNOWN if item.hours is None else f"{item.hours:.2f}",
        UNKNOWN if item.prompt_tokens is None else f"{item.prompt_tokens:,}",
        UNKNOWN if item.completion_tokens is None else f"{item.completion_tokens:,}",
        UNKNOWN if item.cost_usd is None else f"{item.cost_usd:.2f}",
        fall_text(item.smallest_change),
    )


def fall_text(smallest_change: float | None) -> str:
    """Write the smallest fall that would show; None where there are too few cases for any."""
    return "none" if smallest_change is None else f"{smallest_change:.3f}"
