"""How the runs of one side of a comparison are named, and found."""

from __future__ import annotations

import pytest

from evalcli.leaderboards.selectors import find_runs, pools_of_two_models, runs_of_version, separate
from evalcore.errors import ConfigurationError, LeaderboardError
from evalcore.ids import uuid7
from evalcore.runs.folder import RunFolder
from evalsim.testing import make_component, make_record, make_reply, make_run_plan, write_leaderboard


def record(number, version="1.0.0", model="big", **fields):
    return make_record(number, component_version=version, model=model, **fields)


@pytest.fixture
def library(tmp_path):
    board = tmp_path / "components" / "memo" / "leaderboard.json"
    write_leaderboard(board, record(1), record(2, "1.1.0"), record(3, "1.1.0", "small"))
    return tmp_path


def refused(call, *arguments, kind=ConfigurationError):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return caught.value


def versions(selected):
    return [(pool.version, pool.model) for pool in selected.pools]


# A component, or its leaderboard


def test_a_component_is_its_newest_version(library):
    selected = find_runs("memo", library)
    assert (selected.component, selected.label, selected.version) == ("memo", "memo 1.1.0", "1.1.0")
    assert versions(selected) == [("1.1.0", "big"), ("1.1.0", "small")]
    assert len(selected.records) == 3
    assert selected.run is None


def test_a_version_may_be_named(library):
    assert versions(find_runs("memo@1.0.0", library)) == [("1.0.0", "big")]


def test_a_leaderboards_file_is_as_good_as_its_component(library, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    file = library / "components" / "memo" / "leaderboard.json"
    assert versions(find_runs(str(file), elsewhere)) == versions(find_runs("memo", library))
    assert versions(find_runs(f"{file}@1.0.0", elsewhere)) == [("1.0.0", "big")]


def test_a_version_without_a_complete_run_is_refused_with_those_that_have_one(library):
    error = refused(find_runs, "memo@2.0.0", library)
    assert error.line == (
        "memo: there is no complete run of version 2.0.0; versions with complete runs: 1.1.0, 1.0.0"
    )


def test_partial_runs_are_none():
    error = refused(runs_of_version, "memo", [record(1, status="partial")], None)
    assert error.line == "memo: there is no complete run; evaluate it first"
    assert refused(runs_of_version, "memo", [], "1.0.0").what == "there is no complete run of version 1.0.0"


def test_a_component_without_a_leaderboard_is_refused(library):
    (library / "components" / "letter").mkdir()
    assert "has no runs yet" in refused(find_runs, "letter", library, kind=LeaderboardError).line
    assert "there is no component" in refused(find_runs, "none", library, kind=LeaderboardError).line


# A run


def test_a_run_is_named_by_its_id_and_brings_the_pool_it_counts_in(library):
    board = library / "components" / "memo" / "leaderboard.json"
    write_leaderboard(board, record(1), record(4))
    selected = find_runs(record(4).run_id, library)
    assert selected.label == "memo 1.0.0 (big)"
    assert [one.run_id for one in selected.pools[0].records] == [record(1).run_id, record(4).run_id]
    assert selected.run.run_id == record(4).run_id


def test_an_id_in_capitals_that_no_leaderboard_holds_is_refused(library):
    run_id = uuid7(99, bytes(10))
    error = refused(find_runs, run_id, library)
    assert error.what == f"no leaderboard holds run {run_id}"
    assert error.where == str(library / "components")


def test_a_partial_run_says_nothing(library):
    partial = record(5, status="partial")
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", record(1), partial)
    error = refused(find_runs, partial.run_id, library)
    assert error.line == f"memo: run {partial.run_id} is partial, and its figures say nothing; resume it"


def test_a_run_under_its_first_id_is_found_by_its_later_scoring(library):
    first = record(1)
    later = record(6, rescored_from=first.run_id, scoring_version=2, finished_at=first.finished_at)
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", first, later)
    for run_id in (first.run_id, later.run_id):
        assert find_runs(run_id, library).run.run_id == later.run_id


@pytest.fixture
def rescored(library):
    """Two runs; the first was scored again by a later policy, by which alone the second was scored."""
    first = record(1)
    later = record(6, rescored_from=first.run_id, policy_sha256="9" * 64, finished_at=first.finished_at)
    second = record(7, version="1.1.0", policy_sha256="9" * 64)
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", first, later, second)
    return first, later, second


def test_runs_are_compared_by_the_policy_that_both_were_scored_by(library, rescored):
    first, later, second = rescored
    for name in (first.run_id, later.run_id, "memo@1.0.0/big"):
        before, after = separate(find_runs(name, library), find_runs(second.run_id, library))
        assert [pool.records for pool in (*before.pools, *after.pools)] == [(later,), (second,)]


def test_the_ids_of_a_run_that_was_scored_again_are_not_two_runs(library, rescored):
    first, later, _ = rescored
    board = library / "components" / "memo" / "leaderboard.json"
    other = f"{first.run_id[:-1]}9"
    board.write_text(board.read_text().replace(later.run_id, other))
    assert find_runs(first.run_id[:-1], library).run.run_id == other


def add_folder(library, number, **fields):
    plan = make_run_plan(run_id=uuid7(number, bytes(10)), component=make_component("memo"), replicates=1)
    folder = RunFolder.create(library / ".evaluator" / "runs", plan)
    folder.append(make_reply("one", 0))
    if fields.pop("is_recorded", True):
        folder.write_record(record(number, **fields))
    folder.close()
    return folder.path


def test_a_runs_folder_counts_with_the_leaderboards_runs(library):
    path = add_folder(library, 7)
    selected = find_runs(str(path), library)
    assert [one.run_id for one in selected.pools[0].records] == [record(1).run_id, record(7).run_id]
    assert selected.run.run_id == record(7).run_id


def test_a_runs_folder_without_a_leaderboard_stands_alone(tmp_path):
    path = add_folder(tmp_path, 7)
    assert len(find_runs(str(path), tmp_path).records) == 1


def test_a_component_goes_before_a_folder_of_the_same_name(library, monkeypatch):
    monkeypatch.chdir(library)
    (library / "memo").mkdir()
    assert find_runs("memo", library).label == "memo 1.1.0"


def test_two_runs_of_one_pool_are_compared_each_by_itself(library):
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", record(1), record(4))
    one, other = (find_runs(record(at).run_id, library) for at in (1, 4))
    before, after = separate(one, other)
    assert [pool.records for pool in before.pools] == [(record(1),)]
    assert [pool.records for pool in after.pools] == [(record(4),)]


def test_of_two_runs_that_count_together_each_stands_for_itself_also_outside_of_the_leaderboard(library):
    write_leaderboard(library / "components" / "memo" / "leaderboard.json", record(1), record(4))
    one, other = find_runs(str(add_folder(library, 7)), library), find_runs(record(4).run_id, library)
    before, after = separate(one, other)
    ids = [[one.run_id for one in pool.records] for pool in (*before.pools, *after.pools)]
    assert ids == [[record(7).run_id], [record(4).run_id]]


def test_runs_of_two_pools_stay_with_their_pools(library):
    one, other = find_runs("memo@1.0.0", library), find_runs("memo@1.1.0", library)
    assert separate(one, other) == (one, other)


# Two models


def test_two_models_are_taken_at_the_newest_version_of_both(library):
    pairs = pools_of_two_models("memo", "big", "small", library)
    assert list(pairs) == ["memo 1.1.0"]
    assert [pool.model for pool in pairs["memo 1.1.0"]] == ["big", "small"]


def test_where_no_component_is_named_all_that_have_both_are_taken(library):
    board = library / "components" / "letter" / "leaderboard.json"
    write_leaderboard(board, record(8), record(9, model="small"), slug="letter")
    write_leaderboard(library / "components" / "odd" / "leaderboard.json", record(10), slug="odd")
    assert sorted(pools_of_two_models(None, "big", "small", library)) == ["letter 1.0.0", "memo 1.1.0"]


def test_a_version_that_has_not_both_is_refused(library):
    error = refused(pools_of_two_models, "memo@1.0.0", "big", "small", library)
    assert error.what == "version 1.0.0 has not complete runs of both big and small"


def test_a_model_that_is_not_there_is_answered_with_what_is_near(library):
    error = refused(pools_of_two_models, "memo", "big", "smal", library)
    assert "small" in error.hint
    assert refused(pools_of_two_models, "memo", "x-1", "y-2", library).hint == "models: big, small"


def test_no_library_with_both_gives_no_pair(library):
    assert pools_of_two_models(None, "big", "none", library) == {}
