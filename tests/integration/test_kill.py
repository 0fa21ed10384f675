"""The service killed at any instant: nothing lost, nothing doubled, the records the same as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsim.chaos.run import run_chaos


@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing_double_nothing_and_change_no_record(tmp_path: Path) -> None:
    tally = run_chaos(tmp_path, kills=20, seed=20)
    assert tally.kills == 20
    assert (tally.lost, tally.doubled, tally.differing) == (0, 0, 0)
    assert len(tally.stages) >= 5
