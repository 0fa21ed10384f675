"""Kept replies scored by the policy that the component has now: a record of its own, once."""

from __future__ import annotations

import pytest

from evalcli.leaderboards.policies import rescore_by_policy, rescore_to_policy
from evalcore.errors import ComponentError
from evalcore.formats.strict_json import sha256_hex
from evalcore.runs.folder import RECORD, read_record
from evalcore.version import SCORING_VERSION

ANSWERS = [{"decision": "approve", "amount": 4125, "reasons": []}, {"decision": "reject"}]
POLICY = ("fields:\n  decision: {weight: 9}\n", "components/memo/evals/scoring.yaml")
NONE = (None, None)


def test_another_policy_gives_a_record_beside_the_first(make_run):
    run_dir = make_run(ANSWERS)
    found = rescore_by_policy(run_dir, POLICY)
    digest = sha256_hex(POLICY[0].encode())
    assert (found.verdict, found.path.name) == ("new", f"record-{SCORING_VERSION}-{digest[:12]}.json")
    assert found.record.policy_sha256 == digest
    assert found.record.rescored_from == found.plan.run_id != found.record.run_id
    assert found.record.accuracy.mean != found.before.accuracy.mean
    assert rescore_by_policy(run_dir, POLICY).verdict == "known"


def test_the_policy_that_a_run_was_made_with_gives_the_run_itself(make_run):
    run_dir = make_run(ANSWERS)
    found = rescore_by_policy(run_dir, NONE)
    assert found.path == run_dir / RECORD
    assert found.record.rescored_from is None


def test_two_policies_give_two_records(make_run):
    run_dir = make_run(ANSWERS)
    other = ("fields:\n  amount: {weight: 9}\n", "scoring.yaml")
    ids = {rescore_by_policy(run_dir, policy).record.run_id for policy in (POLICY, other, NONE)}
    assert len(ids) == 3


@pytest.mark.parametrize("text", ["fields:\n  nothing: {weight: 1}\n", "fields: [", "other: 1\n"])
def test_a_policy_that_cannot_be_used_is_told_with_its_file_and_writes_nothing(make_run, text):
    run_dir = make_run(ANSWERS)
    names = {path.name for path in run_dir.iterdir()}
    with pytest.raises(ComponentError) as caught:
        rescore_by_policy(run_dir, (text, "scoring.yaml"))
    assert caught.value.where.startswith("scoring.yaml:")
    assert {path.name for path in run_dir.iterdir()} == names


def test_runs_without_a_record_by_the_policy_are_scored_by_it(make_run, make_record):
    run_dir = make_run(ANSWERS, 1)
    first = read_record(run_dir)
    absent = make_record(9, scoring_version=SCORING_VERSION)
    found = rescore_to_policy([first, absent], run_dir.parent, POLICY)
    assert [one.verdict for one in found.rescored] == ["new"]
    assert (found.current, found.absent) == (0, (absent,))
    again = rescore_to_policy([first, found.rescored[0].record], run_dir.parent, POLICY)
    assert (again.rescored, again.current, again.absent) == ((), 1, ())


def test_no_policy_is_a_policy_too(make_run):
    run_dir = make_run(ANSWERS, 1)
    found = rescore_to_policy([read_record(run_dir)], run_dir.parent, NONE)
    assert (found.rescored, found.current) == ((), 1)
