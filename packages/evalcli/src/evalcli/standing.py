"""How runs stand beside each other: versions newest first, complete runs ranked, partial ones only shown."""

from __future__ import annotations

from collections.abc import Iterable

import semver

from evalcli.output import Table
from evalcore.record import RunRecord
from evalcore.structs import Frozen


class Standing(Frozen, frozen=True):
    """One run's place; `rank` is None for a partial run."""

    record: RunRecord
    rank: int | None


def standings(records: Iterable[RunRecord], *, every_run: bool = False) -> list[Standing]:
    """Rank the complete runs of each version by accuracy; partial runs follow them, without a rank.

    Of several runs of a model at a version the newest complete one counts, beside any newer partial
    ones; `every_run` counts all. Equal accuracies share a rank.
    """
    by_version: dict[str, list[RunRecord]] = {}
    for record in records:
        by_version.setdefault(record.component_version, []).append(record)
    ranked: list[Standing] = []
    for version in sorted(by_version, key=_version_key, reverse=True):
        runs = by_version[version]
        ranked += _ranked(runs if every_run else _newest(runs))
    return ranked


def standings_table(ranked: Iterable[Standing], title: str) -> Table:
    """Lay out standings for reading."""
    headings = (
        "version",
        "rank",
        "model",
        "accuracy",
        "95 % CI",
        "reproducibility",
        "calls",
        "errors",
        "status",
    )
    return Table(
        title=title,
        headings=headings,
        rows=tuple(_row(item) for item in ranked),
        numeric=frozenset(headings) - {"version", "model", "status"},
    )


def figure(value: float | None) -> str:
    """Write a fraction in [0, 1] with three decimals; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def _version_key(version: str) -> tuple[bool, semver.Version, str]:
    try:
        return True, semver.Version.parse(version), version
    except ValueError:
        return False, semver.Version(0), version


def _newest(runs: list[RunRecord]) -> list[RunRecord]:
    kept: list[RunRecord] = []
    for model in {run.model for run in runs}:
        of_model = sorted(
            (run for run in runs if run.model == model), key=lambda run: (run.finished_at, run.run_id)
        )
        complete = [index for index, run in enumerate(of_model) if run.status == "complete"]
        kept += of_model[complete[-1] if complete else len(of_model) - 1 :]
    return kept


def _ranked(runs: list[RunRecord]) -> list[Standing]:
    order = sorted(runs, key=lambda run: (run.status != "complete", -_accuracy(run), run.model, run.run_id))
    complete = [_accuracy(run) for run in order if run.status == "complete"]
    return [
        Standing(run, complete.index(_accuracy(run)) + 1 if run.status == "complete" else None)
        for run in order
    ]


def _accuracy(run: RunRecord) -> float:
    return -1.0 if run.accuracy.mean is None else run.accuracy.mean


def _row(item: Standing) -> tuple[str, ...]:
    record, calls = item.record, item.record.calls
    interval = record.accuracy.ci95
    return (
        record.component_version,
        "-" if item.rank is None else str(item.rank),
        record.model,
        figure(record.accuracy.mean),
        "-" if interval is None else f"{interval[0]:.3f} - {interval[1]:.3f}",
        figure(record.reproducibility.mean),
        str(calls.total),
        str(calls.api_error + calls.parse_error),
        record.status,
    )
