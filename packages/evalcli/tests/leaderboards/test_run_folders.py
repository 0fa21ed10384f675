"""A run is found by what people know of it: its folder, the beginning of its id, SKILL@VERSION/MODEL."""

from __future__ import annotations

import pytest

from evalcli.leaderboards.places import RUNS_IN_LIBRARY, SCRATCH
from evalcli.leaderboards.run_folders import (
    MOST_NAMED,
    SHORTEST_ID,
    beginning_that_names,
    find_run,
    other_models,
    run_heads,
    short_name,
)
from evalcore.errors import ConfigurationError
from evalcore.ids import uuid7
from evalcore.library.models import Model
from evalcore.runs.folder import PLAN, RunFolder
from evalsim.testing import make_component, make_run_plan


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def add(runs, number, slug="memo", version="1.0.0", model="big"):
    plan = make_run_plan(
        run_id=uuid7(number * 2**20, bytes([number] * 10)),
        component=make_component(slug, version=version),
        model=Model(id=model, provider="mindrouter"),
    )
    folder = RunFolder.create(runs, plan)
    folder.close()
    return folder.path


def refused(selector, runs):
    with pytest.raises(ConfigurationError) as caught:
        find_run(selector, runs)
    return caught.value


def test_a_folder_or_a_file_in_it_is_its_run(runs, monkeypatch):
    path = add(runs, 1)
    assert find_run(str(path), runs / "elsewhere") == path
    assert find_run(str(path / PLAN), runs / "elsewhere") == path
    monkeypatch.chdir(path.parent)
    assert find_run(path.name, runs).resolve() == path


def test_the_beginning_of_an_id_is_enough_where_it_is_one_runs_alone(runs):
    first, second = add(runs, 1), add(runs, 2)
    assert find_run(first.name, runs) == first
    shared = len([1 for one, other in zip(first.name, second.name, strict=True) if one == other])
    assert find_run(second.name[: shared + 8].upper(), runs) == second


def test_the_beginning_of_several_ids_is_refused_with_their_names(runs):
    paths = [add(runs, at) for at in (1, 2)]
    error = refused(paths[0].name[:6], runs)
    assert error.what == f"2 runs begin with {paths[0].name[:6]}"
    assert error.where == str(runs)
    assert all(path.name in error.hint for path in paths)
    later = [add(runs, at).name for at in range(3, 9)]
    # Of many the newest, which are looked for most.
    assert refused(paths[0].name[:6], runs).hint == f"write more of: {', '.join(sorted(later)[:0:-1])}"


@pytest.mark.parametrize("selector", ["memo", "memo@1.0.0", "memo@1.0.0/big", "memo/big"])
def test_of_several_runs_by_one_name_the_newest_is_meant(runs, selector):
    add(runs, 1)
    newest = add(runs, 3)
    add(runs, 2)
    assert find_run(selector, runs) == newest


def test_versions_and_models_are_told_apart(runs):
    old, other = add(runs, 1, version="1.0.0"), add(runs, 2, version="2.0.0", model="org/small:14b")
    assert find_run("memo@1.0.0", runs) == old
    assert find_run("memo/org/small:14b", runs) == other
    assert find_run("memo@2.0.0/org/small:14b", runs) == other


@pytest.mark.parametrize("selector", ["nothing", "memo@9.9.9", "memo/none", "@", "../x", "memo@1.0.0/"])
def test_what_names_no_run_is_refused_with_those_there_are(runs, selector, monkeypatch):
    monkeypatch.chdir(runs.parent)
    add(runs, 1)
    error = refused(selector, runs)
    assert error.what == f"no run is {selector!r}"
    assert "memo@1.0.0/big" in error.hint


def test_where_there_is_no_run_the_way_to_name_one_is_said(runs):
    assert refused("memo", runs).hint == (
        "replies are kept where a run was made: name its folder, or where runs are with --runs-dir"
    )
    assert refused("memo", runs / "nowhere").where == str(runs / "nowhere")


def test_a_component_that_is_misspelt_is_answered_with_the_component(runs):
    add(runs, 1)
    assert refused("mem", runs).hint == "did you mean `memo`?"


def test_a_hint_names_a_few_and_counts_the_rest(runs):
    for at in range(1, MOST_NAMED + 4):
        add(runs, at, model=f"model-{at}")
    assert refused("nothing", runs).hint.endswith(" and 3 more")


def test_heads_are_listed_newest_first_and_what_is_no_run_is_passed_over(runs):
    paths = [add(runs, at) for at in (1, 2)]
    for name, text in (("broken", "{"), ("other", "[]"), ("older", '{"run_id": "x"}')):
        (runs / name).mkdir()
        (runs / name / PLAN).write_text(text)
    (runs / "empty").mkdir()
    assert [path for path, _ in run_heads(runs)] == paths[::-1]
    assert run_heads(runs)[0][1].selector == "memo@1.0.0/big"
    assert run_heads(runs / "nowhere") == []


def test_as_many_characters_as_tell_all_runs_apart_name_one(runs):
    assert beginning_that_names(runs) == SHORTEST_ID
    paths = [add(runs, 1), add(runs, 2), add(runs / SCRATCH, 3)]
    length = beginning_that_names(runs)
    assert [find_run(path.name[:length], runs) for path in paths] == paths
    assert len({path.name[: length - 1] for path in paths}) < len(paths)


def test_a_run_where_commands_look_has_a_short_name_and_any_other_its_path(runs, monkeypatch):
    elsewhere = add(runs, 1)
    monkeypatch.chdir(runs.parent)
    RUNS_IN_LIBRARY.mkdir(parents=True)
    here = [add(RUNS_IN_LIBRARY, 1), add(RUNS_IN_LIBRARY, 2), add(RUNS_IN_LIBRARY / SCRATCH, 3)]
    assert short_name(elsewhere) == str(elsewhere)
    for path in here:
        assert len(short_name(path)) < len(path.name)
        assert find_run(short_name(path), RUNS_IN_LIBRARY) == path


def test_of_a_version_that_several_models_ran_the_others_are_named(runs):
    add(runs, 1, version="0.9.0", model="old")
    add(runs, 2, model="small")
    newest = add(runs, 3)
    told = "stands for its newest run, of big; others: memo@1.0.0/small"
    assert other_models("memo", newest, runs) == f"memo {told}"
    assert other_models("memo@1.0.0", newest, runs) == f"memo@1.0.0 {told}"
    assert other_models("memo@1.0.0/big", newest, runs) is None
    assert other_models(newest.name[:8], newest, runs) is None
    assert other_models("memo@0.9.0", find_run("memo@0.9.0", runs), runs) is None
