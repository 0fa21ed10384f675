"""What must be known to read a leaderboard's figures, below its table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from evalcli.standing import Standing
from evalcore.record import RunRecord
from evalcore.stale_cases import stale_cases

MOST_NAMED: Final = 4
WORDING: Final = "wording, not correctness"
"""What the accuracy of drafting and review measures."""


def heading(component: str, ranked: Sequence[Standing]) -> str:
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


def notes(component: str, ranked: Sequence[Standing]) -> Iterator[str]:
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


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}-{high}"
