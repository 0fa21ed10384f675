"""The ranking of runs: versions newest first, complete runs by accuracy, the others without a rank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from evalcli.terminal.text import Table, figure
from evalcore.compare.versions import stale_cases
from evalcore.formats.versions import version_order
from evalcore.runs.record import RunRecord
from evalcore.runs.rescoring import newest_scoring
from evalcore.structs import Frozen

MOST_NAMED: Final = 4
"""Models that a note names."""
WORDING: Final = "wording, not correctness"
"""What the accuracy of drafting and review measures."""


class RankedRun(Frozen, frozen=True):
    """One run's place; `rank` is None for a partial run, and for one scored by older rules than others."""

    record: RunRecord
    rank: int | None


def rank_runs(records: Iterable[RunRecord], *, every_run: bool = False) -> list[RankedRun]:
    """Rank the complete runs of each version by accuracy; the others follow them, without a rank.

    Of a run scored several times the newest scoring counts. Of several runs of a model at a version
    the newest complete one counts, beside any newer partial ones; `every_run` counts all. Equal accuracies
    share a rank. Figures of two scoring versions are two measures: only the newest one's are ranked.
    """
    by_version: dict[str, list[RunRecord]] = {}
    for record in newest_scoring(records):
        by_version.setdefault(record.component_version, []).append(record)
    ranked: list[RankedRun] = []
    for version in sorted(by_version, key=lambda each: (version_order(each), each), reverse=True):
        runs = by_version[version]
        ranked += _ranked(runs if every_run else _newest(runs))
    return ranked


def ranking_table(ranked: Sequence[RankedRun], title: str) -> Table:
    """Lay one version's ranking out; what is the same for every run is left out."""
    rows = [(_row(item), _remark(item, ranked)) for item in ranked]
    is_remarked = any(remark for _, remark in rows)
    headings = ("#", "model", "accuracy", "95 % CI", "reprod.", "95 % CI", "failed")
    return Table(
        title=title,
        headings=(*headings, "status") if is_remarked else headings,
        rows=tuple((*row, remark or "complete") if is_remarked else row for row, remark in rows),
        numeric=frozenset(headings) - {"model", "status"},
    )


def heading(component: str, ranked: Sequence[RankedRun]) -> str:
    """Name a version, what it was measured with, and what the figure means where that is not correctness."""
    records = [item.record for item in ranked]
    cases = _range([record.cases for record in records])
    replicates = _range([record.replicates for record in records])
    scoring = max(record.scoring_version for record in records)
    text = f"{component} {records[0].component_version}: {cases} case(s) x {replicates}, scoring {scoring}"
    return marked(text, records)


def marked(title: str, records: Iterable[RunRecord]) -> str:
    """Say behind a title what the figures mean, where that is not correctness."""
    is_wording = any(record.accuracy.measures == "wording" for record in records)
    return f"{title}; {WORDING}" if is_wording else title


def notes(component: str, ranked: Sequence[RankedRun]) -> Iterator[str]:
    """Yield the notes of one version, each a line."""
    records = [item.record for item in ranked]
    yield from identical_notes(records)
    for record in records:
        rough = record.accuracy.ci95_like_cases
        if rough is not None:
            yield f"{record.model}: over cases like these, roughly {rough[0]:.3f}-{rough[1]:.3f}."
    stale = stale_cases(records)
    if stale:
        yield stale_note(stale)
    newest = max(record.scoring_version for record in records)
    if any(record.scoring_version < newest for record in records):
        yield (
            "Older scorings are not ranked; where the replies are kept,"
            f" `evalcli leaderboard rescore {component}` brings them up."
        )


def stale_note(stale: dict[str, str], most: int = 5) -> str:
    """Name the cases whose expected answer was last checked against an older version."""
    named = ", ".join(f"{case} ({version})" for case, version in list(stale.items())[:most])
    more = f" and {len(stale) - most} more" if len(stale) > most else ""
    return f"Validated against an older version: {named}{more}."


def identical_notes(records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield for each number of identical replies how many further ones may still differ."""
    models: dict[str, list[str]] = {}
    for record in records:
        if record.identical_note is not None:
            models.setdefault(record.identical_note, []).append(record.model)
    for note, names in models.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"{', '.join(names[:MOST_NAMED])}{more}: {note}."


def _newest(runs: list[RunRecord]) -> list[RunRecord]:
    kept: list[RunRecord] = []
    for model in {run.model for run in runs}:
        of_model = sorted(
            (run for run in runs if run.model == model),
            key=lambda run: (run.scoring_version, run.finished_at, run.run_id),
        )
        complete = [index for index, run in enumerate(of_model) if run.status == "complete"]
        kept += of_model[complete[-1] if complete else len(of_model) - 1 :]
    return kept


def _ranked(runs: list[RunRecord]) -> list[RankedRun]:
    newest = max(run.scoring_version for run in runs)
    order = sorted(
        runs,
        key=lambda run: (
            run.status != "complete",
            -run.scoring_version,
            -_accuracy(run),
            run.model,
            run.run_id,
        ),
    )
    complete = [_accuracy(run) for run in order if _is_ranked(run, newest)]
    return [
        RankedRun(run, complete.index(_accuracy(run)) + 1 if _is_ranked(run, newest) else None)
        for run in order
    ]


def _is_ranked(run: RunRecord, newest: int) -> bool:
    return run.status == "complete" and run.scoring_version == newest


def _accuracy(run: RunRecord) -> float:
    return -1.0 if run.accuracy.mean is None else run.accuracy.mean


def _row(item: RankedRun) -> tuple[str, ...]:
    record, calls = item.record, item.record.calls
    return (
        "-" if item.rank is None else str(item.rank),
        record.model,
        figure(record.accuracy.mean),
        _interval(record.accuracy.ci95),
        figure(record.reproducibility.mean),
        _interval(record.reproducibility.ci95),
        f"{calls.api_error + calls.parse_error}/{calls.total}",
    )


def _remark(item: RankedRun, beside: Sequence[RankedRun]) -> str:
    if item.record.status != "complete":
        return item.record.status
    newest = max(other.record.scoring_version for other in beside)
    version = item.record.scoring_version
    return "" if version == newest else f"scoring {version}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f}-{interval[1]:.3f}"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"
