"""A folder on disk as a checkout: what only a folder can hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.checkout import FolderCheckout

CommitAll = Callable[[Path], str]


def test_gits_own_files_are_refused(tree: Path, commit_all: CommitAll) -> None:
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


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("nothing", "is not there"),
        ("a/b/file.md/x", "is not there"),
        ("loop", "is a loop of links"),
        ("a", "is a folder, not a regular file"),
        ("folder-inside", "is a folder, not a regular file"),
    ],
)
def test_why_a_file_cannot_be_read_is_said(tree: Path, path: str, what: str) -> None:
    with pytest.raises(CheckoutError) as error:
        FolderCheckout(tree).read(path)
    assert error.value.what == what


def test_a_file_that_says_it_is_empty_and_is_not_is_bounded_by_what_it_holds() -> None:
    """Of /proc, as one that grows while it is read: its size is what comes, not what was said."""
    with pytest.raises(CheckoutError, match="over the limit"):
        FolderCheckout(Path("/proc/self")).read("status", 10)
    assert FolderCheckout(Path("/proc/self")).read("status").startswith(b"Name:")


def test_so_many_bytes_are_read_and_not_one_more(tree: Path) -> None:
    assert FolderCheckout(tree).read("a/b/file.md", 5) == b"hello"
    with pytest.raises(CheckoutError, match="is 5 bytes"):
        FolderCheckout(tree).read("a/b/file.md", 4)


def test_it_is_called_what_the_folder_is_called_that_its_link_leads_to(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    checkout = FolderCheckout(tmp_path / "link")
    assert checkout.name == tree.name
    assert checkout.read("twice/file.md") == b"hello"


def test_a_link_that_leads_on_from_itself_is_a_loop_wherever_it_would_lead(tree: Path) -> None:
    (tree / "on").symlink_to("on/../a/b/file.md")
    with pytest.raises(CheckoutError) as error:
        FolderCheckout(tree).read("on")
    assert error.value.what == "is a loop of links"
