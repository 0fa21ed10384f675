"""The results as they stand in a leaderboard, read back from git."""

from __future__ import annotations

from evalcore.leaderboard import known_records, parse_leaderboard
from evalcore.record import RunRecord
from evalcore.rescoring import newest_scoring
from evalsim.demo.checkout import Checkout
from evalsim.demo.failure import DemoError
from evalsim.demo.screen import NOTHING

HEADINGS = ("rank", "model", "accuracy", "95 %", "same again", "valid", "failed", "p50")


def leaderboard_path(skill: str) -> str:
    """Return the file that holds a component's results."""
    return f"components/{skill}/leaderboard.json"


def job_records(checkout: Checkout, revision: str, skill: str, job_id: str) -> list[RunRecord]:
    """Return the records that a job left in the leaderboard of a revision, the best model first.

    Raises DemoError where there are none, LeaderboardError where the file is not valid.
    """
    path = leaderboard_path(skill)
    where = f"{revision}:{path}"
    leaderboard = parse_leaderboard(checkout.run("show", where).encode(), where)
    known = newest_scoring(known_records(leaderboard))
    records = [record for record in known if record.job_id == job_id]
    if not records:
        raise DemoError("holds no record of the job", where=where)
    return sorted(records, key=_worse)


def leaderboard_rows(records: list[RunRecord]) -> list[tuple[str, ...]]:
    """Lay the records out under HEADINGS; partial runs are shown and never ranked."""
    rank = 0
    rows = []
    for record in records:
        is_ranked = record.status == "complete" and record.accuracy.mean is not None
        rank += is_ranked
        rows.append((str(rank) if is_ranked else record.status, *_figures(record)))
    return rows


def _figures(record: RunRecord) -> tuple[str, ...]:
    calls, interval = record.calls, record.accuracy.ci95
    p50 = record.latency_ms.p50
    return (
        record.model,
        _percent(record.accuracy.mean),
        f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}" if interval is not None else NOTHING,
        _percent(record.reproducibility.mean),
        _percent(record.schema_valid_rate),
        f"{calls.api_error + calls.parse_error} of {calls.total}",
        f"{p50:.0f} ms" if p50 is not None else NOTHING,
    )


def _percent(fraction: float | None) -> str:
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"


def _worse(record: RunRecord) -> tuple[bool, float, str]:
    mean = record.accuracy.mean
    return (record.status != "complete", -(mean if mean is not None else -1.0), record.model)
