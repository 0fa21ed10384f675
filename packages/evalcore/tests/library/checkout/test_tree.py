"""Links in a listing of a tree are followed as the system follows them, and inside of the tree only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalcore.errors import CheckoutError
from evalcore.library.checkout import FolderCheckout
from evalcore.library.checkout.interface import Checkout, within_size
from evalcore.library.checkout.tree import FOLDER, LINK, MAX_LINKS, Entry, TreeCheckout


class Listing(TreeCheckout):
    """A tree in memory: files and links by their paths; a link is its target."""

    def __init__(self, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> None:
        self._contents = {**files, **{path: os.fsencode(to) for path, to in (links or {}).items()}}
        folders = {str(parent) for path in self._contents for parent in Path(path).parents}
        self._entries = {
            **dict.fromkeys(folders | {"."}, Entry(FOLDER, "")),
            **{path: Entry(LINK if path in (links or {}) else "100644", path) for path in self._contents},
        }

    @property
    def name(self) -> str:
        return "a listing"

    def _tree_now(self) -> Mapping[str, Entry]:
        return self._entries

    def _blob(self, path: str, oid: str, most: int) -> bytes:
        return within_size(path, self._contents[oid], len(self._contents[oid]), most)


def chain(length: int) -> Listing:
    """A file behind so many links, one after the other."""
    links = {f"l{at}": f"l{at - 1}" if at > 1 else "file" for at in range(1, length + 1)}
    return Listing({"file": b"found"}, links)


def test_as_many_links_are_followed_as_linux_follows() -> None:
    assert chain(MAX_LINKS).read(f"l{MAX_LINKS}") == b"found"
    with pytest.raises(CheckoutError, match="is a loop of links"):
        chain(MAX_LINKS + 1).read(f"l{MAX_LINKS + 1}")


def test_a_submodule_is_a_folder_that_stands_empty() -> None:
    tree = Listing({"a": b"x"})
    tree._entries["module"] = Entry("160000", "c" * 40)
    assert tree.folders(".") == ("module",)
    assert tree.folders("module") == ()
    with pytest.raises(CheckoutError, match="is a folder"):
        tree.read("module")


def test_a_link_to_a_file_is_no_folder() -> None:
    tree = Listing({"file": b"x", "b/c": b"y"}, {"to-file": "file", "to-folder": "b", "to-nothing": "gone"})
    assert tree.folders(".") == ("b", "to-folder", "to-nothing")


PARTS = st.sampled_from(["a", "b", "c"])
# Upwards first: of `..` behind a folder that is not there the system says so, and both of ours pass over it.
TARGETS = st.builds(
    lambda ups, parts: "/".join([".."] * ups + parts),
    st.integers(0, 2),
    st.lists(st.sampled_from(["a", "b", "c", ".", ""]), max_size=3),
)


def told(checkout: Checkout, path: str) -> object:
    """What comes of a path: bytes, or why not."""
    try:
        return checkout.read(path)
    except CheckoutError as error:
        return error.what


@given(
    st.dictionaries(st.lists(PARTS, min_size=1, max_size=3).map("/".join), st.none() | TARGETS, max_size=6),
    st.lists(PARTS, min_size=1, max_size=3).map("/".join),
)
@example({"a": "a/.."}, "a")
@example({"a": "a/../b", "b": None}, "a")
def test_whatever_links_there_are_a_listing_tells_what_a_folder_on_disk_tells(
    wanted: dict[str, str | None], path: str
) -> None:
    """The system itself follows those on disk."""
    with tempfile.TemporaryDirectory() as folder:
        # One deeper than it need be, so that a link may leave it and lead back to it.
        root = Path(folder) / "root"
        root.mkdir()
        files, links = {}, {}
        for name, target in sorted(wanted.items()):
            place = root / name
            # A file or a link stands where one of its folders would be: it is left out.
            if any(str(Path(name).parents[at]) in {**files, **links} for at in range(name.count("/"))):
                continue
            if target == "":
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if target is not None:
                place.symlink_to(target)
                links[name] = target
            else:
                place.write_bytes(name.encode())
                files[name] = name.encode()
        on_disk, listed = FolderCheckout(root), Listing(files, links)
        assert told(on_disk, path) == told(listed, path)
        assert on_disk.has(path) == listed.has(path)
        assert on_disk.folders(".") == listed.folders(".")
