"""Where the models of a ranking fail: case by case, and field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from evalcore.compare.pool import CaseKey, Pool
from evalcore.compare.versions import stale_cases
from evalcore.reports.dashboard.paths import model_page
from evalcore.reports.dashboard.rankings import ranking_id
from evalcore.reports.dashboard.rounding import figure
from evalcore.reports.dashboard.site import CaseCell, CaseLine, Column, Failures, FieldCell, FieldLine
from evalcore.reports.ranking import RankedPool, Ranking
from evalcore.reports.sentences import pool_labels
from evalcore.runs.record import CaseResult, RunRecord
from evalcore.stats.numbers import deviation, mean, mean_by_field

MOST_FIELDS: Final = 200
"""Fields that are shown, the worst: a record may name any number of them."""
_NOTHING: Final = CaseCell(accuracy=None, spread=None, lowest=None, highest=None, replies=0)


def failures_of(ranking: Ranking) -> Failures | None:
    """Return the matrices of a ranking's pools; None where it has only partial runs."""
    labels = pool_labels(ranking)
    shown = [
        (label, row) for label, row in zip(labels, ranking.rows, strict=True) if row.status == "complete"
    ]
    if not shown:
        return None
    rows = [row for _, row in shown]
    fields = _fields(rows)
    return Failures(
        ranking_id=ranking_id(ranking),
        columns=tuple(Column(label, row.model, model_page(row.model)) for label, row in shown),
        cases=_cases(rows),
        fields=tuple(fields[:MOST_FIELDS]),
        fields_left_out=max(0, len(fields) - MOST_FIELDS),
    )


def _cases(rows: Sequence[RankedPool]) -> tuple[CaseLine, ...]:
    found = [Pool(row.records) for row in rows]
    scores = [pool.scores() for pool in found]
    names: dict[CaseKey, CaseResult] = {}
    for pool in found:
        for key, result in pool.results():
            # Of several names of one case the same one, whichever run is read first.
            names[key] = min(names.get(key, result), result, key=lambda one: one.case)
    stale = stale_cases(record for row in rows for record in row.records)
    lines = [_line(key, result, scores, stale) for key, result in names.items()]
    return tuple(sorted(lines, key=lambda line: (_or_last(line.accuracy), line.case, line.sha256)))


def _line(
    key: CaseKey,
    result: CaseResult,
    scores: Sequence[Mapping[CaseKey, Sequence[float]]],
    stale: Mapping[str, str],
) -> CaseLine:
    of_case = [one.get(key, ()) for one in scores]
    return CaseLine(
        case=result.case,
        sha256=result.sha256,
        validated_against_version=result.validated_against_version,
        is_stale=result.case in stale,
        accuracy=figure(mean(_mean(replies) for replies in of_case if replies)),
        # Of all models together, each about its own mean: a case that models differ at is not noisy by that.
        noise=figure(deviation(of_case)),
        cells=tuple(_cell(replies) for replies in of_case),
    )


def _cell(replies: Sequence[float]) -> CaseCell:
    if not replies:
        return _NOTHING
    return CaseCell(
        accuracy=figure(_mean(replies)),
        spread=figure(deviation([replies])),
        lowest=min(replies),
        highest=max(replies),
        replies=len(replies),
    )


def _fields(rows: Sequence[RankedPool]) -> list[FieldLine]:
    accuracy = _by_field(rows, lambda record: record.accuracy.by_field)
    precision = _by_field(rows, lambda record: record.accuracy.precision_by_field)
    recall = _by_field(rows, lambda record: record.accuracy.recall_by_field)
    agreement = _by_field(rows, lambda record: record.reproducibility.by_field)
    lines = [
        FieldLine(
            field=field,
            accuracy=figure(mean(one[field] for one in accuracy if field in one)),
            cells=tuple(
                FieldCell(
                    accuracy=figure(accuracy[at].get(field)),
                    missed=_rest(recall[at].get(field)),
                    invented=_rest(precision[at].get(field)),
                    reproducibility=figure(agreement[at].get(field)),
                )
                for at in range(len(rows))
            ),
        )
        for field in {field for one in accuracy for field in one}
    ]
    return sorted(lines, key=lambda line: (_or_last(line.accuracy), line.field))


def _by_field(
    rows: Sequence[RankedPool], table: Callable[[RunRecord], Mapping[str, float]]
) -> list[dict[str, float]]:
    return [mean_by_field(table(record) for record in row.records) for row in rows]


def _rest(share: float | None) -> float | None:
    return None if share is None else figure(1.0 - share)


def _mean(replies: Sequence[float]) -> float:
    return mean(replies) or 0.0


def _or_last(accuracy: float | None) -> float:
    # Above every accuracy.
    return 2.0 if accuracy is None else accuracy
