"""What a checkout lets be read, the same from a folder and from a commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.checkout import (
    MAX_BYTES,
    Checkout,
    CommitCheckout,
    FolderCheckout,
    commit_state,
    decode_text,
    head_commit,
    read_text,
)
from evalsim.testing import git


def commit_all(folder: Path) -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A library with every kind of link in it, beside a file that nobody may read."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/input.md").write_text("secret")
    root = tmp_path / "library"
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/file.md").write_text("hello")
    (root / "a/inside").symlink_to("b/file.md")
    (root / "folder-inside").symlink_to("a/b")
    (root / "twice").symlink_to("folder-inside")
    (root / "outside").symlink_to("../secret/input.md")
    (root / "absolute").symlink_to(tmp_path / "secret/input.md")
    (root / "folder-outside").symlink_to("../secret")
    (root / "gone").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "latin").write_bytes(b"one\ntwo\xff\n")
    return root


@pytest.fixture(params=["folder", "commit"])
def checkout(request: pytest.FixtureRequest, tree: Path) -> Iterator[Checkout]:
    if request.param == "folder":
        yield FolderCheckout(tree)
        return
    with CommitCheckout(tree, commit_all(tree)) as commit:
        yield commit


@pytest.mark.parametrize("path", ["a/b/file.md", "a/inside", "folder-inside/file.md", "twice/file.md"])
def test_files_and_links_inside_are_read(checkout: Checkout, path: str) -> None:
    assert checkout.read(path) == b"hello"
    assert checkout.has(path)


@pytest.mark.parametrize("path", ["outside", "absolute", "folder-outside/input.md"])
def test_links_that_leave_are_refused(checkout: Checkout, path: str) -> None:
    with pytest.raises(CheckoutError, match="leaves the checkout") as error:
        checkout.read(path)
    assert path in error.value.line


@pytest.mark.parametrize(
    "path", ["../secret/input.md", "a/../../secret/input.md", "/etc/passwd", "a\\b", "a\0b"]
)
def test_paths_that_leave_are_refused(checkout: Checkout, path: str) -> None:
    for question in (checkout.read, checkout.has, checkout.folders):
        with pytest.raises(CheckoutError, match="leaves the checkout"):
            question(path)


@pytest.mark.parametrize("path", ["nothing", "a/nothing", "a/b/file.md/x", "gone", "loop", "a"])
def test_what_is_no_file_is_refused_by_name(checkout: Checkout, path: str) -> None:
    with pytest.raises(CheckoutError) as error:
        checkout.read(path)
    assert error.value.where == path
    assert error.value.hint


@pytest.mark.parametrize("path", ["nothing", "a/b/file.md/x", "gone", "loop", "a", "outside", "absolute"])
def test_folder_and_commit_tell_the_same(tree: Path, path: str) -> None:
    lines = []
    with CommitCheckout(tree, commit_all(tree)) as commit:
        for checkout in (FolderCheckout(tree), commit):
            with pytest.raises(CheckoutError) as error:
                checkout.read(path)
            lines.append(error.value.line)
    assert lines[0] == lines[1]


def test_files_over_8_mib_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    (tmp_path / "full").write_bytes(b"x" * MAX_BYTES)
    with CommitCheckout(tmp_path, commit_all(tmp_path)) as commit:
        for checkout in (FolderCheckout(tmp_path), commit):
            with pytest.raises(CheckoutError, match=r"large: is 8,388,609 bytes, over the limit of 8 MiB"):
                checkout.read("large")
            assert len(checkout.read("full")) == MAX_BYTES


def test_text_that_is_not_utf_8_is_refused_by_file_and_line(checkout: Checkout) -> None:
    with pytest.raises(CheckoutError, match="latin:2: is not UTF-8"):
        read_text(checkout, "latin")
    assert decode_text(b"\xef\xbb\xbfx", "f") == "x"


def test_folders_are_named_in_order_links_included(checkout: Checkout) -> None:
    assert checkout.folders("a") == ("b",)
    assert checkout.folders("nothing") == ()
    assert checkout.folders("a/b/file.md") == ()
    named = checkout.folders(".")
    assert [name for name in named if not name.startswith(".")] == [
        "a",
        "absolute",
        "folder-inside",
        "folder-outside",
        "gone",
        "loop",
        "outside",
        "twice",
    ]


def test_what_stands_there_is_known_even_where_it_cannot_be_read(checkout: Checkout) -> None:
    assert checkout.has("gone")
    assert checkout.has("outside")
    assert checkout.has("a")
    assert not checkout.has("nothing")


def test_gits_own_files_are_refused(tree: Path) -> None:
    commit_all(tree)
    (tree / "config").symlink_to(".git/config")
    for path in (".git/config", ".GIT/config", "config"):
        with pytest.raises(CheckoutError, match="git's own"):
            FolderCheckout(tree).read(path)


@pytest.mark.timeout(10)
def test_special_file_is_refused_without_waiting_for_its_writer(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(CheckoutError, match="pipe: is a special file"):
        FolderCheckout(tree).read("pipe")


def test_commit_is_read_whatever_the_working_tree_holds(tree: Path) -> None:
    commit = commit_all(tree)
    (tree / "a/b/file.md").write_text("changed")
    with CommitCheckout(tree, commit[:12]) as checkout:
        assert checkout.read("a/b/file.md") == b"hello"
        assert commit[:12] in checkout.name


def test_object_that_is_damaged_is_told(tree: Path) -> None:
    commit = commit_all(tree)
    oid = git(tree, "rev-parse", "HEAD:a/b/file.md")
    (tree / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with CommitCheckout(tree, commit) as checkout, pytest.raises(CheckoutError, match="git fsck"):
        checkout.read("a/b/file.md")


@pytest.mark.parametrize("commit", ["0" * 40, "abcdef1"])
def test_unknown_commit_is_refused(tree: Path, commit: str) -> None:
    commit_all(tree)
    with pytest.raises(CheckoutError, match="no such commit"):
        CommitCheckout(tree, commit).read("a/b/file.md")


@pytest.mark.parametrize("commit", ["HEAD", "--help", "main", ""])
def test_commits_are_named_in_hexadecimal_only(tree: Path, commit: str) -> None:
    with pytest.raises(CheckoutError, match="hexadecimal"):
        CommitCheckout(tree, commit)


@pytest.mark.parametrize("name", ["evil", "e=vil", "x.clean"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_no_filter_of_a_checkouts_own_configuration_is_run(tmp_path: Path, name: str, kind: str) -> None:
    canary = tmp_path / "ran"
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n")
    commit_all(folder)
    section = f'[filter "{name}"]\n\t{kind} = touch {canary}; cat\n\trequired = true\n'
    # What a repository brings with it as a folder (an archive, a volume), and no clone ever does.
    (folder / "own.config").write_text(section)
    with (folder / ".git" / "config").open("a") as config:
        config.write("[include]\n\tpath = ../own.config\n")
    (folder / ".git" / "info" / "attributes").write_text(f"* filter={name}\n")
    (folder / "a.txt").write_text("two\n")
    assert commit_state(folder, ["a.txt"]).changed == ("a.txt",)
    assert not canary.exists()


def test_head_commit_is_none_outside_git_and_before_the_first_commit(tmp_path: Path) -> None:
    assert head_commit(tmp_path) is None
    assert head_commit(tmp_path / "nothing") is None
    git(tmp_path, "init", "-q")
    assert head_commit(tmp_path) is None
    commit = commit_all(tmp_path)
    assert head_commit(tmp_path) == commit


def test_changes_are_told_for_the_paths_asked_about(tree: Path) -> None:
    commit = commit_all(tree)
    assert commit_state(tree, ["a"]).changed == ()
    (tree / "a/b/file.md").write_text("changed")
    (tree / "a/new.md").write_text("new")
    (tree / "elsewhere").write_text("new")
    state = commit_state(tree, ["a"])
    assert state.commit == commit
    assert set(state.changed) == {"a/b/file.md", "a/new.md"}
    assert commit_state(tree, ["a"], but=["a/new.md", "a/b"]).changed == ()
    assert commit_state(tree / "a", ["b"]).changed == ("a/b/file.md",)


def test_nothing_that_a_checkout_configures_is_run(tree: Path, tmp_path: Path) -> None:
    commit = commit_all(tree)
    marker = tmp_path / "ran"
    git(tree, "config", "core.fsmonitor", f"touch {marker}")
    git(tree, "config", "core.hooksPath", str(tmp_path))
    head_commit(tree)
    commit_state(tree, ["a"])
    with CommitCheckout(tree, commit) as checkout:
        checkout.read("a/b/file.md")
    assert not marker.exists()


def test_environment_of_another_git_does_not_lead_astray(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_all(tree)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert head_commit(tree) == commit


def test_a_commit_is_read_without_the_users_configuration(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_all(tree)
    (tmp_path / ".gitconfig").write_text("[this is no configuration")
    monkeypatch.setenv("HOME", str(tmp_path))
    with CommitCheckout(tree, commit) as checkout:
        assert checkout.read("a/b/file.md") == b"hello"


def test_what_the_user_ignores_is_no_change(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_all(tree)
    (tree / "a/notes.tmp").write_text("mine")
    assert commit_state(tree, ["a"]).changed == ("a/notes.tmp",)
    (tmp_path / ".ignore").write_text("*.tmp")
    (tmp_path / ".gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path}/.ignore\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert commit_state(tree, ["a"]).changed == ()
