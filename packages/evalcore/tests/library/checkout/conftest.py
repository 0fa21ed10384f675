"""A library with every kind of link in it, as a folder and as a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalcore.library.checkout import Checkout, CommitCheckout, FolderCheckout
from evalsim.testing import git

CommitAll = Callable[[Path], str]


@pytest.fixture(scope="session")
def commit_all() -> CommitAll:
    """Commit all that a folder holds, and return the commit."""

    def commit(folder: Path) -> str:
        if not (folder / ".git").exists():
            git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "--allow-empty", "-m", "x")
        return git(folder, "rev-parse", "HEAD")

    return commit


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
def checkout(request: pytest.FixtureRequest, tree: Path, commit_all: CommitAll) -> Iterator[Checkout]:
    if request.param == "folder":
        yield FolderCheckout(tree)
        return
    with CommitCheckout(tree, commit_all(tree)) as commit:
        yield commit
