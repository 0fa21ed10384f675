"""The service killed at any instant: nothing lost, nothing doubled, the records the same as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsim.chaos.run import Faults, run_chaos


@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing_double_nothing_and_change_no_record(tmp_path: Path) -> None:
    tally = run_chaos(tmp_path, Faults(kills=20), seed=20)
    assert tally.kills == 20
    assert (tally.lost, tally.doubled, tally.differing, tally.wrong) == (0, 0, 0, 0)
    assert len(tally.stages) >= 5


@pytest.mark.timeout(600)
def test_outages_cuts_and_refused_keys_among_kills_lose_nothing_and_change_no_figure(tmp_path: Path) -> None:
    """Outages and cuts of 5 to 300 s, in time that passes twenty times as fast."""
    tally = run_chaos(tmp_path, Faults(kills=4, outages=3, cuts=2, refusals=2), seed=9, factor=20)
    assert (tally.kills, tally.disturbances) == (4, {"outage": 3, "cut": 2, "refusal": 2})
    assert (tally.lost, tally.doubled, tally.differing, tally.wrong) == (0, 0, 0, 0)
