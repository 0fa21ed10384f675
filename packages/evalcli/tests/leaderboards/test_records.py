"""The records in a run's folder: as first scored, then by later rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcli.leaderboards.records import newest_by, records_in
from evalcore.errors import StorageError
from evalcore.runs.record import RunRecord


def test_a_later_scoring_follows_the_first(make_run: Callable[..., Path]) -> None:
    run = make_run([{"decision": "approve"}])
    (first,) = records_in(run)
    later = json.loads((run / "record.json").read_bytes()) | {
        "run_id": "later",
        "rescored_from": first.run_id,
    }
    (run / "record-99.json").write_text(json.dumps(later))
    assert [record.run_id for record in records_in(run)] == [first.run_id, "later"]


def test_later_scorings_are_in_the_order_of_their_versions_and_not_of_their_text(
    make_run: Callable[..., Path],
) -> None:
    run = make_run([{"decision": "approve"}])
    first = json.loads((run / "record.json").read_bytes())
    for version in (10, 2, 9, 101):
        later = first | {"run_id": f"by {version}", "rescored_from": first["run_id"]}
        (run / f"record-{version}.json").write_text(json.dumps(later))
    later = [record.run_id for record in records_in(run)[1:]]
    assert later == ["by 2", "by 9", "by 10", "by 101"]


def test_a_run_without_a_record_says_what_makes_it(make_run: Callable[..., Path]) -> None:
    run = make_run([{"decision": "approve"}], is_recorded=False)
    with pytest.raises(StorageError, match="has no record yet") as caught:
        records_in(run)
    assert f"evalcli rescore {run}" in caught.value.line


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": 7}'])
def test_a_later_record_that_cannot_be_read_is_named(make_run: Callable[..., Path], text: str) -> None:
    run = make_run([{"decision": "approve"}])
    (run / "record-99.json").write_text(text)
    with pytest.raises(StorageError, match="it is no record") as caught:
        records_in(run)
    assert str(run / "record-99.json") in caught.value.line


def test_of_the_scorings_by_one_policy_that_of_the_newest_rules_counts(
    make_record: Callable[..., RunRecord],
) -> None:
    first = make_record(1, scoring_version=1)
    newer = make_record(2, scoring_version=2, rescored_from=first.run_id)
    other = make_record(3, scoring_version=2, policy_sha256="f" * 64, rescored_from=first.run_id)
    assert newest_by([first, newer, other], None) == newer
    assert newest_by([first, newer, other], "f" * 64) == other
    assert newest_by([first, newer], "f" * 64) is None
