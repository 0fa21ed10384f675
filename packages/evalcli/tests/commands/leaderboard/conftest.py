from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.runs.record import RunRecord
from evalsim.testing import write_leaderboard

MakeRecord = Callable[..., RunRecord]
Evalcli = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path, make_record: MakeRecord) -> Callable[..., Path]:
    """Write a leaderboard with these runs, given by number."""

    def write_runs(name: str, *numbers: int, slug: str = "memo", **fields: Any) -> Path:
        runs = [make_record(number, **fields) for number in numbers]
        return write_leaderboard(tmp_path / "components" / name / "leaderboard.json", *runs, slug=slug)

    return write_runs
