"""One commit as a checkout, read by one process from the objects."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.checkout import CommitCheckout
from evalsim.testing import git

CommitAll = Callable[[Path], str]


def test_commit_is_read_whatever_the_working_tree_holds(tree: Path, commit_all: CommitAll) -> None:
    commit = commit_all(tree)
    (tree / "a/b/file.md").write_text("changed")
    with CommitCheckout(tree, commit[:12]) as checkout:
        assert checkout.read("a/b/file.md") == b"hello"
        assert commit[:12] in checkout.name


def test_object_that_is_damaged_is_told(tree: Path, commit_all: CommitAll) -> None:
    commit = commit_all(tree)
    oid = git(tree, "rev-parse", "HEAD:a/b/file.md")
    (tree / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with CommitCheckout(tree, commit) as checkout, pytest.raises(CheckoutError, match="git fsck"):
        checkout.read("a/b/file.md")


@pytest.mark.parametrize("commit", ["0" * 40, "abcdef1"])
def test_unknown_commit_is_refused(tree: Path, commit: str, commit_all: CommitAll) -> None:
    commit_all(tree)
    with pytest.raises(CheckoutError, match="no such commit"):
        CommitCheckout(tree, commit).read("a/b/file.md")


@pytest.mark.parametrize("commit", ["HEAD", "--help", "main", ""])
def test_commits_are_named_in_hexadecimal_only(tree: Path, commit: str) -> None:
    with pytest.raises(CheckoutError, match="hexadecimal"):
        CommitCheckout(tree, commit)


def test_a_commit_is_read_without_the_users_configuration(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit_all: CommitAll
) -> None:
    commit = commit_all(tree)
    (tmp_path / ".gitconfig").write_text("[this is no configuration")
    monkeypatch.setenv("HOME", str(tmp_path))
    with CommitCheckout(tree, commit) as checkout:
        assert checkout.read("a/b/file.md") == b"hello"


@pytest.mark.parametrize("most", [4, 5])
def test_a_file_over_the_bound_is_refused_and_the_next_one_is_read_whole(
    tree: Path, most: int, commit_all: CommitAll
) -> None:
    """The bytes of a file that is refused are on their way already, and are not taken for the next one's."""
    (tree / "next").write_text("other\n")
    with CommitCheckout(tree, commit_all(tree)) as checkout:
        if most < len("hello"):
            with pytest.raises(CheckoutError, match="is 5 bytes, over the limit"):
                checkout.read("a/b/file.md", most)
        else:
            assert checkout.read("a/b/file.md", most) == b"hello"
        assert checkout.read("next") == b"other\n"


def test_files_of_any_bytes_and_names_come_as_they_are(tmp_path: Path, commit_all: CommitAll) -> None:
    """Objects follow each other in one pipe: neither line ends nor what looks like a header parts them."""
    files = {
        "empty": b"",
        "line end": b"\n",
        "t\tab\n": b"0" * 40 + b" blob 3\nabc",
        "\xe9 ü": bytes(range(256)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with CommitCheckout(tmp_path, commit_all(tmp_path)) as checkout:
        assert {name: checkout.read(name) for name in files} == files


def test_two_threads_that_read_at_once_each_get_their_own(tmp_path: Path, commit_all: CommitAll) -> None:
    wanted = {f"f{at}": bytes([at]) * 3000 for at in range(30)}
    for name, data in wanted.items():
        (tmp_path / name).write_bytes(data)
    with CommitCheckout(tmp_path, commit_all(tmp_path)) as checkout, ThreadPoolExecutor(4) as pool:
        assert dict(zip(wanted, pool.map(checkout.read, wanted), strict=True)) == wanted


def test_it_is_read_again_after_it_was_closed(tree: Path, commit_all: CommitAll) -> None:
    checkout = CommitCheckout(tree, commit_all(tree))
    for _ in range(2):
        assert checkout.read("a/b/file.md") == b"hello"
        checkout.close()
        checkout.close()
