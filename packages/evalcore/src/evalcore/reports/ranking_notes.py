"""What a reader must know of a ranking, in sentences for terminal, JSON and pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from evalcore.compare.pool import Pool
from evalcore.formats.percent import whole_percent
from evalcore.reports.ranking import RankedPool, Ranking
from evalcore.reports.sentences import pool_labels
from evalcore.runs.record import RunRecord
from evalcore.stats.numbers import mean
from evalcore.stats.uncertainty import Interval

MOST_IN_A_NOTE: Final = 8
"""Models with their shares in one note: more would be cut in a pull request."""

ONE_REPLY: Final = "One reply of each case: the intervals hold what cases differ by, not how replies vary"


def notes_of(ranking: Ranking) -> Iterator[str]:
    """Yield what a reader must know of a ranking, each a sentence of plain text that may name models."""
    labelled = list(zip(pool_labels(ranking), ranking.rows, strict=True))
    complete = [(label, row) for label, row in labelled if row.status == "complete"]
    # Only where it tells less: the same ranks said twice would read as two findings.
    if any(row.like_cases not in {None, row.rank} for _, row in complete):
        ranges = [f"{label} {row.like_cases.text}" for label, row in complete if row.like_cases]
        yield from _listed("Ranks for cases like these", ranges)
    for model, count in Counter(row.model for _, row in complete).items():
        if count > 1:
            yield (
                f"{model} is ranked {count} times: other params, structured output, provider or server "
                "are another pool of runs"
            )
    yield from _notes_of_single_replies(complete)
    for label, row in labelled:
        yield from notes_of_runs(label, row.records)


def _notes_of_single_replies(complete: Sequence[tuple[str, RankedPool]]) -> Iterator[str]:
    """Say of which pools the interval is one over cases: it looks like any other."""
    single = [
        label for label, row in complete if {len(case) for case in Pool(row.records).scores().values()} == {1}
    ]
    if single:
        said, meaning = ONE_REPLY.split(":")
        which = "" if len(single) == len(complete) else f" ({_shortened(single)})"
        yield f"{said}{which}:{meaning}"


def notes_of_runs(label: str, records: Sequence[RunRecord]) -> Iterator[str]:
    """Yield what is to be known of runs that count together, the newest last: drift, input, budget."""
    if any(record.drifting for record in records):
        yield f"{label}: drifting: the scores trend with time, so that its interval is too narrow"
    if any(record.hardly_reads_its_input for record in records):
        agreement = records[-1].reproducibility
        yield (
            f"{label}: its answers hardly depend on the input: those to different cases agree "
            f"{agreement.by_chance or 0.0:.2f}, those to one {agreement.mean or 0.0:.2f}"
        )
    spent = sum(record.calls.empty_after_thinking or 0 for record in records)
    if spent:
        what = "1 reply spent its tokens" if spent == 1 else f"{spent} replies spent their tokens"
        yield f"{label}: {what} on thinking, with no answer: a larger budget?"


def rightness_notes(ranking: Ranking) -> Iterator[str]:
    """Yield how often a reply of each model is right throughout, and how often all replies to a case are."""
    single, every = list[str](), list[str]()
    for label, row in zip(pool_labels(ranking), ranking.rows, strict=True):
        if row.exact_rate is None:
            continue
        single.append(f"{label} {_percent(row.exact_rate, row.exact_rate_ci95)}")
        if row.all_right_rate is not None and ranking.all_right_of > 1:
            every.append(f"{label} {_percent(row.all_right_rate, row.all_right_rate_ci95)}")
    yield from _listed("Replies that are right throughout", single)
    yield from _listed(f"Cases with all of {ranking.all_right_of} replies right throughout", every)


def chance_notes(ranking: Ranking) -> Iterator[str]:
    """Yield beside the reproducibility how far replies to different cases agree, where records say so."""
    figures = []
    for label, row in zip(pool_labels(ranking), ranking.rows, strict=True):
        known = [record.reproducibility.by_chance for record in row.records]
        chance = mean(one for one in known if one is not None)
        if chance is not None:
            figures.append(f"{label} {chance:.2f}")
    yield from _listed("Agreement by chance, of replies to different cases", figures)


def _listed(what: str, figures: Sequence[str]) -> Iterator[str]:
    for begin in range(0, len(figures), MOST_IN_A_NOTE):
        yield f"{what}: {', '.join(figures[begin : begin + MOST_IN_A_NOTE])}"


def _shortened(labels: Sequence[str]) -> str:
    more = len(labels) - MOST_IN_A_NOTE
    return f"{', '.join(labels[:MOST_IN_A_NOTE])}{f' and {more} more' if more > 0 else ''}"


def _percent(share: float, around: Interval | None) -> str:
    limits = "" if around is None else f" ({100 * around[0]:.0f} to {100 * around[1]:.0f})"
    return f"{whole_percent(share)}{limits}"
