"""A report in short: small charts in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcli.reports.run_summary import BAR, bar
from evalcli.terminal.text import width_of


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        (0.0, "·" * BAR),
        (1.0, "█" * BAR),
        (0.5, "█" * (BAR // 2) + "·" * (BAR // 2)),
        (1 / (8 * BAR), "▏" + "·" * 23),
    ],
)
def test_a_share_is_a_bar_to_an_eighth_of_a_column(share: float, drawn: str) -> None:
    assert bar(share) == drawn


@given(st.floats(-1, 2))
def test_every_bar_is_as_wide(share: float) -> None:
    assert width_of(bar(share)) == BAR


@given(st.floats(0, 1), st.floats(0, 1))
def test_of_two_shares_the_larger_one_has_no_shorter_bar(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert bar(low).count("█") <= bar(high).count("█")
