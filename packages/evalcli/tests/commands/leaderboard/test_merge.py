"""Leaderboards united: no record is ever lost, changed or written over, whatever the files are."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsim.testing import git, write_leaderboard

Evalcli = Callable[..., Any]
BOARD = "components/memo/leaderboard.json"


@pytest.fixture
def write(tmp_path: Path, make_record: Callable[..., Any]) -> Callable[..., Path]:
    """Write a leaderboard with these runs, given by number."""

    def write_runs(name: str, *numbers: int, slug: str = "memo", **fields: Any) -> Path:
        runs = [make_record(number, **fields) for number in numbers]
        return write_leaderboard(tmp_path / name, *runs, slug=slug)

    return write_runs


def ids(data: str | bytes) -> list[str]:
    return [run["run_id"] for run in json.loads(data)["runs"]]


@pytest.fixture
def repository(tmp_path: Path, write) -> Path:
    """A library in git on two branches, `one` and `other`, each of which added a run to the leaderboard."""
    root = tmp_path / "library"
    root.mkdir()
    git(root, "init", "-q", "--initial-branch=main")
    for branch, numbers in (("main", [1]), ("one", [1, 2]), ("other", [1, 3])):
        if branch != "main":
            git(root, "checkout", "-q", "-b", branch, "main")
        write(f"library/{BOARD}", *numbers)
        git(root, "add", "--all")
        git(root, "commit", "-q", "-m", branch)
    return root


# merge


def test_one_file_alone_is_itself_in_canonical_form(evalcli: Evalcli, write) -> None:
    path = write("a.json", 2, 1)
    ended = evalcli("leaderboard", "merge", path)
    assert (ended.code, ended.out) == (0, path.read_text())


def test_leaderboards_of_two_components_are_not_united(evalcli: Evalcli, write, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    ended = evalcli(
        "leaderboard", "merge", write("a.json", 1), write("b.json", 2, slug="other"), "--out", out
    )
    assert (ended.code, len(ended.err.splitlines()), out.exists()) == (2, 1, False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": 7}'])
def test_a_file_that_is_no_leaderboard_is_named_and_nothing_written(
    evalcli: Evalcli, write, tmp_path: Path, text: str
) -> None:
    broken, out = tmp_path / "broken.json", tmp_path / "out.json"
    broken.write_text(text)
    ended = evalcli("leaderboard", "merge", write("a.json", 1), broken, "--out", out)
    assert (ended.code, ended.out, out.exists()) == (2, "", False)
    assert str(broken) in ended.err


def test_a_file_that_is_not_there_is_named(evalcli: Evalcli, write, tmp_path: Path) -> None:
    ended = evalcli("leaderboard", "merge", write("a.json", 1), tmp_path / "none.json")
    assert (ended.code, "none.json" in ended.err) == (2, True)


def test_records_of_a_program_that_is_later_than_ours_are_carried_whole(evalcli: Evalcli, write) -> None:
    later = write("a.json", 1)
    value = json.loads(later.read_bytes())
    value["runs"][0]["a_field_of_tomorrow"] = {"x": 1.50}
    later.write_text(json.dumps(value))
    merged = json.loads(evalcli("leaderboard", "merge", later, write("b.json", 2)).out)
    assert [run.get("a_field_of_tomorrow") for run in merged["runs"]] == [{"x": 1.5}, None]


# resolve


def test_a_conflict_that_git_left_is_resolved_with_the_runs_of_both_sides(
    evalcli: Evalcli, repository: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "one")
    path = repository / BOARD
    ended = evalcli("leaderboard", "resolve", "memo", "--prompt-library", repository)
    assert (ended.code, ended.out) == (0, f"{path}: resolved, 3 runs of memo\n")
    assert len(ids(path.read_bytes())) == 3
    assert git(repository, "diff", "--name-only", "--diff-filter=U") == ""
    git(repository, "commit", "-q", "--no-edit")


def test_without_a_conflict_nothing_is_changed(evalcli: Evalcli, repository: Path) -> None:
    before = (repository / BOARD).read_bytes()
    ended = evalcli("leaderboard", "resolve", "memo", "--prompt-library", repository)
    assert (ended.code, "it is in no conflict, 2 runs of memo" in ended.out) == (0, True)
    assert (repository / BOARD).read_bytes() == before


# the merge driver


def test_installed_no_merge_is_ever_in_conflict(evalcli: Evalcli, repository: Path) -> None:
    ended = evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", repository)
    assert (ended.code, "names the merge driver" in ended.err) == (0, True)
    assert ended.out.startswith("git config ")
    again = evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", repository)
    assert (again.code, "names the merge driver already" in again.err, again.out) == (0, True, ended.out)
    attributes = (repository / ".gitattributes").read_text()
    assert attributes.count("merge=") == 1


def test_outside_of_git_nothing_is_written(evalcli: Evalcli, tmp_path: Path) -> None:
    ended = evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert f"{tmp_path}: is in no git repository; name the clone with --prompt-library" in ended.err
    assert not (tmp_path / ".gitattributes").exists()


def test_a_repository_without_components_is_asked_about(evalcli: Evalcli, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    ended = evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", tmp_path)
    assert ended.code == 0
    assert "has no components/, so it is no prompt library yet; is it the right folder?" in ended.err


def test_what_git_calls_unites_ours_and_theirs_in_the_file_of_ours(evalcli: Evalcli, write) -> None:
    base, ours, theirs = write("base", 1), write("ours", 1, 2), write("theirs", 1, 3)
    kept = theirs.read_bytes()
    ended = evalcli("leaderboard", "merge-driver", base, ours, theirs, BOARD)
    assert (ended.code, ended.out) == (0, "")
    assert len(ids(ours.read_bytes())) == 3
    assert theirs.read_bytes() == kept


def test_a_run_with_two_contents_is_left_for_a_person(evalcli: Evalcli, write) -> None:
    ours, theirs = write("ours", 1), write("theirs", 1, mean=0.1)
    before = ours.read_bytes()
    ended = evalcli("leaderboard", "merge-driver", write("base", 1), ours, theirs, BOARD)
    assert ended.code != 0
    assert ours.read_bytes() == before


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_called_otherwise_than_git_does_it_says_how(evalcli: Evalcli, tmp_path: Path, count: int) -> None:
    ended = evalcli("leaderboard", "merge-driver", *[tmp_path / "x"] * count)
    assert (ended.code, "BASE OURS THEIRS PATH" in ended.err) == (2, True)


def test_merging_is_the_same_in_any_order_and_again(evalcli: Evalcli, write: Callable[..., Path]) -> None:
    left, right, both = write("a", 1, 2), write("b", 2, 3), write("c", 1, 2, 3)
    merged = evalcli("leaderboard", "merge", left, right).out
    assert merged == both.read_text()
    assert evalcli("leaderboard", "merge", right, left, both).out == merged


def test_merge_writes_a_file(evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    left = write("a", 1)
    ended = evalcli("leaderboard", "merge", left, write("b", 2), "--out", out)
    assert (ended.code, ended.out) == (0, "")
    assert len(json.loads(out.read_bytes())["runs"]) == 2
    assert evalcli("leaderboard", "merge", out, left, "--out", out).code == 0
    assert len(json.loads(out.read_bytes())["runs"]) == 2


def test_merge_never_overwrites_what_is_no_leaderboard(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "notes.json"
    out.write_text("my notes")
    assert evalcli("leaderboard", "merge", write("a", 1), "--out", out).code == 2
    assert out.read_text() == "my notes"


def test_a_conflict_is_refused_and_nothing_written(
    evalcli: Evalcli, write: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    ended = evalcli("leaderboard", "merge", write("a", 1), write("b", 1, mean=0.1), "--out", out)
    assert ended.code == 2
    assert "two different contents" in ended.err
    assert not out.exists()


def test_without_a_name_every_leaderboard_in_conflict_is_resolved(
    evalcli: Evalcli, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    assert evalcli("leaderboard", "resolve").out == "no leaderboard is in conflict\n"
    assert subprocess.run(["git", "merge", "-q", "one"], check=False, capture_output=True).returncode != 0
    named = evalcli("leaderboard", "merge", "memo")
    assert (named.code, "`evalcli leaderboard resolve memo`" in named.err) == (2, True)
    ended = evalcli("leaderboard", "resolve")
    assert (ended.code, ended.out) == (0, f"{BOARD}: resolved, 3 runs of memo\n")
