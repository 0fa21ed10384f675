from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from evalcli.reports.gates import AccuracyGate
from evalcore.runs.record import RunRecord


@pytest.fixture
def scored(make_record: Callable[..., RunRecord]) -> Callable[..., RunRecord]:
    def make(mean: float | None, ci95: tuple[float, float] | None, model: str = "big") -> RunRecord:
        record = make_record(model=model)
        accuracy = msgspec.structs.replace(record.accuracy, mean=mean, ci95=ci95)
        return msgspec.structs.replace(record, accuracy=accuracy)

    return make


def test_no_limit_is_always_met(scored: Callable[..., RunRecord]) -> None:
    assert AccuracyGate().unmet([scored(None, None)]) is None


def test_what_is_at_the_limit_meets_it(scored: Callable[..., RunRecord]) -> None:
    assert AccuracyGate(mean=0.9, lower=0.8).unmet([scored(0.9, (0.8, 1.0))]) is None


def test_what_is_below_is_named_with_digits_that_show_it(scored: Callable[..., RunRecord]) -> None:
    records = [scored(0.95, (0.9, 1.0)), scored(0.89999, (0.7, 1.0), "small"), scored(None, None, "tiny")]
    said = AccuracyGate(mean=0.9, lower=0.8).unmet(records)
    assert said == (
        "gate not met: accuracy below 0.9: small 0.89999, tiny without a figure; "
        "lower limit of the accuracy below 0.8: small 0.7, tiny without a figure"
    )
