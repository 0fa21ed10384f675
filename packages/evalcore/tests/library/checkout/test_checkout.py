"""What a checkout lets be read, the same from a folder and from a commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalcore.errors import CheckoutError
from evalcore.library.checkout import (
    MAX_BYTES,
    Checkout,
    CommitCheckout,
    FolderCheckout,
    decode_text,
    read_text,
)

CommitAll = Callable[[Path], str]


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
def test_folder_and_commit_tell_the_same(tree: Path, path: str, commit_all: CommitAll) -> None:
    lines = []
    with CommitCheckout(tree, commit_all(tree)) as commit:
        for checkout in (FolderCheckout(tree), commit):
            with pytest.raises(CheckoutError) as error:
                checkout.read(path)
            lines.append(error.value.line)
    assert lines[0] == lines[1]


def test_files_over_8_mib_are_refused(tmp_path: Path, commit_all: CommitAll) -> None:
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


@pytest.mark.parametrize("path", ["folder-outside/input.md", "folder-outside/nothing", "loop/x"])
def test_of_what_lies_behind_a_link_that_cannot_be_followed_nothing_is_told_but_why(
    checkout: Checkout, path: str
) -> None:
    """Whether a file is there outside of the checkout is not told: reading says what is wrong."""
    assert checkout.has(path)
    with pytest.raises(CheckoutError, match=r"leaves the checkout|is a loop"):
        checkout.read(path)
