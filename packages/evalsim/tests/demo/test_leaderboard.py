"""The leaderboard as the demo shows it."""

from __future__ import annotations

from evalcore.runs.record import RunRecord
from evalsim.demo.leaderboard import leaderboard_rows
from evalsim.testing import make_record


def record(model: str, mean: float | None, status: str = "complete") -> RunRecord:
    return make_record(mean=mean, model=model, status=status)


def test_partial_runs_are_shown_and_never_ranked():
    rows = leaderboard_rows([record("a", 0.9), record("b", 0.95, status="partial"), record("c", 0.4)])
    assert [row[:3] for row in rows] == [("1", "a", "90.0"), ("partial", "b", "95.0"), ("2", "c", "40.0")]
