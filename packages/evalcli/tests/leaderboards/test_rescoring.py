"""A run's kept replies scored again: no scoring replaces another, and what was altered is not scored."""

from __future__ import annotations

import json

import msgspec
import pytest

from evalcli.leaderboards.rescoring import keep_record, rescore_folder, rescore_older
from evalcore.errors import ConfigurationError, StorageError
from evalcore.runs.folder import RECORD, REPLIES, read_record
from evalcore.runs.record import record_object
from evalcore.version import SCORING_VERSION

ANSWERS = [{"decision": "approve", "amount": 4125, "reasons": ["signed", "complete"]}, {"decision": "reject"}]


def rewrite(run_dir, **fields):
    """Change the record of a run as an older program would have written it."""
    value = json.loads((run_dir / RECORD).read_text()) | fields
    (run_dir / RECORD).write_text(json.dumps(value))
    return run_dir


def as_older(run_dir):
    return rewrite(run_dir, scoring_version=SCORING_VERSION - 1, replies_sha256=None, plan_sha256=None)


def test_a_run_without_a_record_gets_one(make_run):
    run_dir = make_run(ANSWERS, is_recorded=False)
    found = rescore_folder(run_dir)
    assert (found.verdict, found.is_usable, found.before) == ("first", True, None)
    assert found.path == run_dir / RECORD
    assert record_object(read_record(run_dir)) == record_object(found.record)
    assert found.slug == "memo"


def test_the_same_rules_give_the_same_record(make_run):
    run_dir = make_run(ANSWERS, is_recorded=False)
    rescore_folder(run_dir)
    before = (run_dir / RECORD).read_bytes()
    assert rescore_folder(run_dir).verdict == "identical"
    assert (run_dir / RECORD).read_bytes() == before


def test_a_record_that_its_replies_do_not_give_is_left_as_it_stands(make_run):
    run_dir = rewrite(make_run(ANSWERS), cost_usd=1.0)
    before = (run_dir / RECORD).read_bytes()
    found = rescore_folder(run_dir)
    assert (found.verdict, found.is_usable) == ("differs", False)
    assert (run_dir / RECORD).read_bytes() == before


def test_later_rules_give_a_record_beside_the_first(make_run):
    run_dir = as_older(make_run(ANSWERS))
    before = (run_dir / RECORD).read_bytes()
    found = rescore_folder(run_dir)
    assert (found.verdict, found.path.name) == ("new", f"record-{SCORING_VERSION}.json")
    assert found.record.rescored_from == found.before.run_id == found.plan.run_id
    assert found.record.run_id != found.plan.run_id
    assert (run_dir / RECORD).read_bytes() == before
    assert rescore_folder(run_dir).verdict == "known"


def test_a_record_of_rules_that_are_later_than_ours_is_refused(make_run):
    run_dir = rewrite(make_run(ANSWERS), scoring_version=SCORING_VERSION + 1)
    with pytest.raises(ConfigurationError) as caught:
        rescore_folder(run_dir)
    assert caught.value.what == (
        f"it was scored by scoring version {SCORING_VERSION + 1}, this program has {SCORING_VERSION}"
    )
    assert caught.value.hint == "update the evaluator"


def test_what_was_altered_is_named_and_nothing_is_written(make_run):
    run_dir = make_run(ANSWERS, is_recorded=False)
    rescore_folder(run_dir)
    lines = (run_dir / REPLIES).read_text().replace("approve", "reject")
    (run_dir / REPLIES).write_text(lines)
    before = (run_dir / RECORD).read_bytes()
    found = rescore_folder(run_dir)
    assert (found.verdict, found.is_usable) == ("altered", False)
    assert found.altered == (f"{REPLIES}: not the replies that the record names",)
    assert (run_dir / RECORD).read_bytes() == before


def test_a_run_whose_replies_are_not_all_there_is_refused(make_run):
    run_dir = make_run(ANSWERS)
    lines = (run_dir / REPLIES).read_text().splitlines(keepends=True)
    (run_dir / REPLIES).write_text(lines[0])
    with pytest.raises(StorageError) as caught:
        rescore_folder(run_dir)
    assert "has 1 of 2 replies" in caught.value.what


def test_the_first_record_may_be_known_from_elsewhere(make_run):
    run_dir = as_older(make_run(ANSWERS))
    first = read_record(run_dir)
    (run_dir / RECORD).unlink()
    assert rescore_folder(run_dir, first).verdict == "new"
    assert not (run_dir / RECORD).exists()


def test_older_runs_of_a_leaderboard_are_scored_again_where_their_replies_are(make_run, make_record):
    at_hand = as_older(make_run(ANSWERS, 1))
    first = read_record(at_hand)
    absent = make_record(9, scoring_version=SCORING_VERSION - 1)
    current = make_record(8, scoring_version=SCORING_VERSION)
    found = rescore_older([first, absent, current], at_hand.parent)
    assert [one.verdict for one in found.rescored] == ["new"]
    assert (found.current, found.absent) == (1, (absent,))


def test_a_run_that_has_its_later_scoring_is_current(make_run):
    at_hand = as_older(make_run(ANSWERS))
    first = read_record(at_hand)
    later = rescore_folder(at_hand).record
    found = rescore_older([first, later], at_hand.parent)
    assert (found.rescored, found.current, found.absent) == ((), 1, ())


def test_of_no_records_none_is_older(tmp_path):
    assert rescore_older([], tmp_path) == rescore_older([], tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("there", "is_later", "verdict"),
    [
        (None, False, "first"),
        (None, True, "new"),
        (b"data", False, "identical"),
        (b"data", True, "known"),
        (b"other", False, "differs"),
        (b"other", True, "differs"),
    ],
)
def test_a_record_is_written_once_and_never_over_another(tmp_path, there, is_later, verdict):
    path = tmp_path / "record.json"
    if there is not None:
        path.write_bytes(there)
    assert keep_record(path, b"data", is_later=is_later) == verdict
    assert path.read_bytes() == (there or b"data")


def test_a_record_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(StorageError) as caught:
        keep_record(tmp_path, b"data", is_later=False)
    assert caught.value.where == str(tmp_path)
    assert "it cannot be read" in caught.value.what


def test_what_scoring_gave_does_not_depend_on_the_record_that_is_there(make_run):
    run_dir = make_run(ANSWERS)
    one = rescore_folder(run_dir).record
    (run_dir / RECORD).unlink()
    assert msgspec.to_builtins(rescore_folder(run_dir).record) == msgspec.to_builtins(one)
