"""Leaderboards in conflict, in real repositories, and git's merge driver, which keeps them out of it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcore.runs.leaderboard import encode_leaderboard, leaderboard_of, parse_leaderboard
from evalsim.testing import git, make_record, write_leaderboard

Evalcli = Callable[..., Any]
BOARD = "components/memo/leaderboard.json"


class Library:
    """A prompt library whose branches each add runs to one leaderboard."""

    def __init__(self, root: Path, base: int | None = 1) -> None:
        self.root = root
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        if base is None:
            (root / "README.md").write_text("a library\n")
        else:
            self.write(base)
        self.commit("base")

    @property
    def board(self) -> Path:
        return self.root / BOARD

    def write(self, *numbers: int, **fields: object) -> None:
        write_leaderboard(self.board, *(make_record(number, **fields) for number in numbers))

    def commit(self, message: str) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "-m", message)

    def branch(self, name: str, *numbers: int) -> None:
        git(self.root, "switch", "--quiet", "-c", name, "main~0")
        self.write(*numbers)
        self.commit(name)
        git(self.root, "switch", "--quiet", "main")

    def conflict(self, *arguments: str) -> None:
        with pytest.raises(subprocess.CalledProcessError):
            git(self.root, *arguments)
        assert git(self.root, "ls-files", "--unmerged")

    def runs(self) -> list[str]:
        return [str(run["run_id"]) for run in parse_leaderboard(self.board.read_bytes(), "it").runs]

    def is_clean(self) -> bool:
        return not git(self.root, "ls-files", "--unmerged") and not git(self.root, "diff", "--name-only")


def ids(*numbers: int) -> list[str]:
    return [make_record(number).run_id for number in numbers]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Two branches that add a run of one model each, at the same place."""
    made = Library(tmp_path / "library")
    made.branch("theirs", 1, 3)
    made.write(1, 2)
    made.commit("ours")
    return made


@pytest.mark.parametrize("line", [["merge", "theirs"], ["cherry-pick", "theirs"], ["rebase", "theirs"]])
def test_a_conflict_is_resolved_to_the_runs_of_both_sides(
    evalcli: Evalcli, library: Library, line: list[str]
) -> None:
    library.conflict(*line)
    ended = evalcli("leaderboard", "resolve", "memo", "--prompt-library", library.root)
    assert ended.code == 0, ended.err
    assert "resolved, 3 runs of memo" in ended.out
    assert library.runs() == ids(1, 2, 3)
    assert library.is_clean()
    git(library.root, "-c", "core.editor=true", line[0], "--continue")
    assert library.runs() == ids(1, 2, 3)


def test_an_octopus_is_resolved(evalcli: Evalcli, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    library.branch("first", 1)
    library.branch("second", 1, 3)
    library.write(1, 2)
    library.commit("ours")
    library.conflict("merge", "first", "second")
    assert evalcli("leaderboard", "resolve", library.board).code == 0
    assert library.runs() == ids(1, 2, 3)
    assert library.is_clean()


def test_a_leaderboard_that_both_sides_added_is_resolved(evalcli: Evalcli, tmp_path: Path) -> None:
    library = Library(tmp_path / "library", base=None)
    library.branch("theirs", 2)
    library.write(1)
    library.commit("ours")
    library.conflict("merge", "theirs")
    assert evalcli("leaderboard", "resolve", library.board).code == 0
    assert library.runs() == ids(1, 2)


@pytest.mark.parametrize(
    "line",
    [
        ["leaderboard", "show", "memo"],
        ["leaderboard", "validate", BOARD],
        ["leaderboard", "merge", BOARD, BOARD],
        ["compare", "memo"],
    ],
)
def test_a_conflict_is_recognised_everywhere(
    evalcli: Evalcli, library: Library, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.conflict("merge", "theirs")
    before = library.board.read_bytes()
    monkeypatch.chdir(library.root)
    ended = evalcli(*line)
    assert ended.code == 2
    assert f"{BOARD}: an unresolved merge; `evalcli leaderboard resolve memo` unites both sides" in ended.err
    assert library.board.read_bytes() == before


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_markers_that_were_committed_are_resolved_too(evalcli: Evalcli, library: Library, style: str) -> None:
    library.conflict("-c", f"merge.conflictStyle={style}", "merge", "theirs")
    library.commit("with markers")
    ended = evalcli("leaderboard", "resolve", library.board)
    assert ended.code == 0, ended.err
    assert library.runs() == ids(1, 2, 3)


def test_what_was_resolved_by_hand_is_not_lost(evalcli: Evalcli, library: Library) -> None:
    library.conflict("merge", "theirs")
    library.write(1, 4)
    assert evalcli("leaderboard", "resolve", library.board).code == 0
    assert library.runs() == ids(1, 2, 3, 4)


def test_without_a_conflict_nothing_changes(evalcli: Evalcli, library: Library) -> None:
    before = library.board.read_bytes()
    ended = evalcli("leaderboard", "resolve", library.board)
    assert ended.code == 0
    assert "it is in no conflict, 2 runs" in ended.out
    assert library.board.read_bytes() == before
    absent = evalcli("leaderboard", "resolve", "absent", "--prompt-library", library.root)
    assert absent.code == 2


def test_one_run_with_two_contents_is_left_to_people(evalcli: Evalcli, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    git(library.root, "switch", "--quiet", "-c", "theirs")
    library.write(1, mean=0.1)
    library.commit("theirs")
    git(library.root, "switch", "--quiet", "main")
    library.write(1, mean=0.2)
    library.commit("ours")
    library.conflict("merge", "theirs")
    before = library.board.read_bytes()
    ended = evalcli("leaderboard", "resolve", library.board)
    assert ended.code == 2
    assert "two different contents" in ended.err
    assert library.board.read_bytes() == before
    assert git(library.root, "ls-files", "--unmerged")


@pytest.fixture
def with_driver(evalcli: Evalcli, tmp_path: Path) -> Library:
    """Install the driver as `--install` says, in a clone that runs this very program."""
    made = Library(tmp_path / "library")
    ended = evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", made.root)
    assert ended.code == 0
    git_word, config, name, driver = shlex.split(ended.out)
    assert (git_word, config) == ("git", "config")
    ours = shlex.join([sys.executable, "-c", "from evalcli.main import main; main()"])
    git(made.root, config, name, driver.replace("evalcli", ours, 1))
    made.commit("attributes")
    made.branch("theirs", 1, 3)
    made.write(1, 2)
    made.commit("ours")
    return made


@pytest.mark.parametrize(
    "line", [["merge", "--no-edit", "theirs"], ["cherry-pick", "theirs"], ["rebase", "theirs"]]
)
def test_with_the_merge_driver_there_is_no_conflict(with_driver: Library, line: list[str]) -> None:
    git(with_driver.root, *line)
    assert with_driver.runs() == ids(1, 2, 3)
    expected = encode_leaderboard(leaderboard_of("memo", [make_record(number) for number in (1, 2, 3)]))
    assert with_driver.board.read_bytes() == expected


def test_a_driver_that_cannot_merge_leaves_the_conflict_to_git(with_driver: Library) -> None:
    git(with_driver.root, "switch", "--quiet", "theirs")
    with_driver.board.write_text("no leaderboard\n")
    with_driver.commit("broken")
    git(with_driver.root, "switch", "--quiet", "main")
    before = with_driver.board.read_bytes()
    with_driver.conflict("merge", "theirs")
    assert with_driver.board.read_bytes() == before


def test_installing_twice_changes_nothing_and_keeps_other_lines(evalcli: Evalcli, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    attributes = tmp_path / ".gitattributes"
    attributes.write_text("*.pdf filter=lfs")
    for _ in range(2):
        assert evalcli("leaderboard", "merge-driver", "--install", "--prompt-library", tmp_path).code == 0
        assert attributes.read_text() == (
            "*.pdf filter=lfs\ncomponents/*/leaderboard.json merge=evaluator-leaderboard\n"
        )


def test_a_driver_without_its_files_is_wrong_usage(evalcli: Evalcli) -> None:
    ended = evalcli("leaderboard", "merge-driver")
    assert ended.code == 2
    assert "--install" in ended.err
