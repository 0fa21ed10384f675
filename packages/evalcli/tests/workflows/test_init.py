"""`evalcli init`: what it installs, and what becomes of local edits when it is run again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalcli.workflows import install
from evalcore.library.models_file import parse_models
from evalsim.testing import git, write_component

WORKFLOWS = [f".github/workflows/{name}" for name in install.WORKFLOWS]
FILES = [*WORKFLOWS, ".evaluator/models.yaml"]
LOCAL = ".github/workflows/evaluate-local.yml"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    git(tmp_path, "init", "-q", "--initial-branch=trunk", str(root))
    write_component(root, cases={"one": {}})
    return root


@pytest.fixture
def init(evalcli: Callable[..., Any], library: Path) -> Callable[..., Any]:
    return lambda *arguments: evalcli("init", library, *arguments)


def newer(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let another version have another text in evaluate-local.yml."""
    made = install.wanted_files

    def wanted_files(known: install.Installed, branch: str, *, pull_requests: bool) -> dict[str, str]:
        found = made(known, branch, pull_requests=pull_requests)
        assert old in found[LOCAL]
        return {**found, LOCAL: found[LOCAL].replace(old, new)}

    monkeypatch.setattr(install, "wanted_files", wanted_files)


def test_it_installs_workflows_models_and_the_merge_driver(library: Path, init: Callable[..., Any]) -> None:
    ended = init()
    assert ended.code == 0
    for path in FILES:
        assert f"{path}: new" in ended.out
    local = (library / LOCAL).read_text()
    assert "branches: [trunk]" in local
    assert [model.id for model in parse_models((library / FILES[-1]).read_bytes(), "m").models]
    assert (library / ".gitattributes").read_text() == (
        "components/*/leaderboard.json merge=evaluator-leaderboard\n"
    )
    for text in (
        "EVAL_RUNNER_IMAGE",
        "EVAL_WEBHOOK_URL",
        "MINDROUTER_EVAL_WEBHOOK_TOKEN",
        "git config merge.",
    ):
        assert text in ended.out


@pytest.mark.parametrize("step", ["uses: actions/deploy-pages@v4", "run: mkdocs gh-deploy --force"])
def test_a_library_that_publishes_its_pages_itself_is_told_the_step(
    library: Path, init: Callable[..., Any], step: str
) -> None:
    own = library / ".github" / "workflows" / "docs.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(f"on: push\njobs:\n  site:\n    steps:\n      - {step}\n")
    ended = init()
    assert ended.code == 0
    assert not (library / install.PAGES).exists()
    assert (
        ".github/workflows/docs.yaml publishes this library's pages, so pages.yml is left out." in ended.out
    )
    assert "evalcli dashboard --mkdocs docs" in ended.out


def test_our_own_pages_workflow_is_kept_up(init: Callable[..., Any]) -> None:
    init()
    ended = init()
    assert f"{install.PAGES}: as it is" in ended.out
    assert "is left out" not in ended.out


def test_a_pages_workflow_that_is_the_librarys_own_is_left_as_it_is(
    library: Path, init: Callable[..., Any]
) -> None:
    own = library / install.PAGES
    own.parent.mkdir(parents=True)
    own.write_text("jobs: {a: {steps: [{uses: actions/deploy-pages@v4}]}}\n")
    ended = init()
    assert ended.code == 0
    assert "deploy-pages" in own.read_text()
    assert f"{install.PAGES} publishes" in ended.out


def test_running_it_again_changes_nothing(library: Path, init: Callable[..., Any]) -> None:
    init()
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}
    ended = init()
    assert ended.code == 0
    assert ended.out.count(": as it is") == len(FILES)
    assert {path: path.read_bytes() for path in library.rglob("*") if path.is_file()} == before


def test_a_dry_run_writes_nothing(library: Path, init: Callable[..., Any]) -> None:
    ended = init("--dry-run")
    assert (ended.code, f"{LOCAL}: new" in ended.out) == (0, True)
    assert not (library / ".github").exists()
    assert not (library / ".gitattributes").exists()
    assert "nothing was written" in ended.err
    # What it shows is what is shown when it is done.
    done = init()
    assert (done.out, done.err) == (ended.out, "")


def test_a_folder_inside_of_a_library_is_not_its_root(evalcli: Callable[..., Any], library: Path) -> None:
    inside = library / "components" / "memo"
    ended = evalcli("init", inside)
    assert (ended.code, "is inside of the prompt library" in ended.err) == (2, True)
    assert not (inside / ".github").exists()


def test_an_upgrade_keeps_local_edits_and_shows_what_it_changes(
    library: Path, init: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    file = library / LOCAL
    file.write_text(file.read_text().replace("default: 10", "default: 5"))
    newer(monkeypatch, "timeout-minutes: 30", "timeout-minutes: 31")
    ended = init()
    assert ended.code == 0
    assert "with your edits kept" in ended.out
    assert "+    timeout-minutes: 31" in ended.out
    text = file.read_text()
    assert "default: 5" in text
    assert "timeout-minutes: 31" in text
    assert init().code == 0
    assert file.read_text() == text


def test_a_file_that_was_not_edited_is_brought_to_the_new_version(
    library: Path, init: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    newer(monkeypatch, "timeout-minutes: 30", "timeout-minutes: 31")
    assert "brought to version" in init().out
    assert "timeout-minutes: 31" in (library / LOCAL).read_text()


def test_a_conflict_is_named_and_left_until_it_is_settled(
    library: Path, init: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    file = library / LOCAL
    mine = file.read_text().replace("timeout-minutes: 30", "timeout-minutes: 45")
    file.write_text(mine)
    newer(monkeypatch, "timeout-minutes: 30", "timeout-minutes: 31")
    for _ in range(2):
        ended = init()
        assert (ended.code, "change the same lines" in ended.out) == (1, True)
        assert file.read_text() == mine
    file.write_text(mine.replace("timeout-minutes: 45", "timeout-minutes: 31"))
    assert init().code == 0


def test_files_of_others_and_those_taken_out_are_left(library: Path, init: Callable[..., Any]) -> None:
    (library / ".github" / "workflows").mkdir(parents=True)
    foreign = library / ".github" / "workflows" / "sweep.yml"
    foreign.write_text("on: push\n")
    models = library / ".evaluator" / "models.yaml"
    models.parent.mkdir()
    models.write_text("models:\n  - {id: mine, provider: openai}\n")
    ended = init()
    assert (ended.code, "sweep.yml: not of `evalcli init`" in ended.out) == (1, True)
    assert foreign.read_text() == "on: push\n"
    assert "mine" in models.read_text()
    foreign.unlink()
    assert init().code == 0
    (library / LOCAL).unlink()
    ended = init()
    assert (ended.code, f"{LOCAL}: not there any more, and left so" in ended.out) == (0, True)
    assert not (library / LOCAL).exists()


def test_line_ends_of_windows_are_no_edit_and_stay(
    library: Path, init: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    file = library / LOCAL
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert f"{LOCAL}: as it is" in init().out
    newer(monkeypatch, "timeout-minutes: 30", "timeout-minutes: 31")
    assert "brought to version" in init().out
    data = file.read_bytes()
    assert b"timeout-minutes: 31\r\n" in data
    assert data.count(b"\n") == data.count(b"\r\n")


def test_nothing_is_written_through_links_or_over_what_it_cannot_read(
    library: Path, init: Callable[..., Any], tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (library / ".github").symlink_to(outside)
    ended = init()
    assert (ended.code, "is a link, or lies behind one" in ended.err) == (2, True)
    assert list(outside.iterdir()) == []
    (library / ".github").unlink()
    init()
    (library / ".evaluator" / "installed.json").write_text("{")
    assert (init().code, "restore it from git" in init().err) == (2, True)


@pytest.mark.parametrize(
    "path", [".github/workflows/sweep.yml", ".evaluator/installed.json", ".gitattributes"]
)
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_no_writer_is_waited_for_and_no_file_without_end_is_read(
    library: Path, init: Callable[..., Any], path: str, kind: str
) -> None:
    file = library / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.touch()
        os.truncate(file, 1 << 40)
    ended = init()
    assert (ended.code, f"{path}: " in ended.err) == (2, True)


def test_what_was_installed_is_noted_with_the_version(library: Path, init: Callable[..., Any]) -> None:
    init()
    noted = json.loads((library / ".evaluator" / "installed.json").read_text())
    assert sorted(noted["files"]) == sorted(FILES)
    assert noted["evaluator_version"]


def test_outside_git_and_without_components_it_says_so(evalcli: Callable[..., Any], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = evalcli("init", empty)
    assert (ended.code, "has no components/ yet" in ended.err) == (0, True)
    assert evalcli("init", empty, "-q").err == ""
    assert "branches: [main]" in (empty / LOCAL).read_text()


def test_the_workflow_for_pull_requests_is_installed_where_it_is_asked_for_and_then_kept_up(
    library: Path, init: Callable[..., Any]
) -> None:
    path = library / ".github/workflows/evaluate-pull-request.yml"
    init()
    assert not path.exists()
    assert "evaluate-pull-request.yml: new" in init("--pull-requests").out
    assert "branches: [trunk]" in path.read_text()
    assert "evaluate-pull-request.yml: as it is" in init().out


def test_an_upgrade_on_a_branch_of_its_own_keeps_the_branch_that_the_workflows_begin_with(
    library: Path, init: Callable[..., Any]
) -> None:
    init()
    git(library, "checkout", "-q", "-b", "upgrade")
    assert f"{LOCAL}: as it is" in init().out
    assert "branches: [trunk]" in (library / LOCAL).read_text()


def test_the_remotes_default_branch_counts_before_any_other(library: Path, init: Callable[..., Any]) -> None:
    init()
    git(library, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release")
    assert f"{LOCAL}: brought to version" in init().out
    assert "branches: [release]" in (library / LOCAL).read_text()
