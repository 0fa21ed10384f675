"""One commit of a repository on GitHub as a checkout, read by its API without a clone."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Final

from evalcore.git.objects import REGULAR
from evalcore.github.trees import TreeLine, TreeReader
from evalcore.library.checkout.interface import within_size
from evalcore.library.checkout.tree import FOLDER, Entry, TreeCheckout

_ROOT: Final = Entry(mode=FOLDER, oid="")
_DEPTH: Final = 2
"""Of folders listed one by one where GitHub does not list a whole tree: components, and each of them."""


class ApiCheckout(TreeCheckout):
    """A commit, a branch or a tag on GitHub.

    Of a tree that GitHub does not list whole, only `folder` is seen, two folders deep. `blobs` holds what
    was read by id, so that two commits share it.
    """

    def __init__(
        self, reader: TreeReader, revision: str, folder: str, blobs: MutableMapping[str, bytes]
    ) -> None:
        self.revision = revision
        self._reader = reader
        self._folder = folder
        self._blobs = blobs
        self._tree: dict[str, Entry] | None = None
        self._is_partial = False

    @property
    def name(self) -> str:
        """The revision's first characters."""
        return self.revision[:40]

    def files_below(self, folder: str) -> dict[str, str]:
        """Return the path, from a folder, of each file below it with the id of its contents.

        Of a tree that GitHub does not list whole, a folder below stands for its files. Raises CheckoutError.
        """
        prefix = f"{folder}/"
        found = {path: entry for path, entry in self._tree_now().items() if path.startswith(prefix)}
        return {
            path.removeprefix(prefix): entry.oid
            for path, entry in found.items()
            # The id of a folder is made of all below it, so that it changes when any file there does.
            if entry.mode != FOLDER or self._is_partial
        }

    def blob_at(self, path: str) -> bytes | None:
        """Return the bytes of a file, however large; None where no regular file is there.

        Raises CheckoutError.
        """
        entry = self._tree_now().get(path)
        # A link's blob is its target's path, not contents.
        return self._fetched(entry.oid) if entry is not None and entry.mode in REGULAR else None

    def _tree_now(self) -> dict[str, Entry]:
        if self._tree is None:
            # One request for most libraries; GitHub cuts a listing off where a tree is very large, and says
            # so.
            whole = self._reader.listing(self.revision, deep=True)
            if whole.is_whole:
                self._tree = {".": _ROOT, **_entries("", whole.lines)}
            else:
                self._is_partial = True
                self._tree = {".": _ROOT, **self._listed_in_parts()}
        return self._tree

    def _listed_in_parts(self) -> dict[str, Entry]:
        top = _entries("", self._reader.listing(self.revision, deep=False).lines)
        found = dict(top)
        level = {self._folder: top[self._folder]} if self._folder in top else {}
        for _ in range(_DEPTH):
            below: dict[str, Entry] = {}
            for path, entry in level.items():
                if entry.mode == FOLDER:
                    below |= _entries(f"{path}/", self._reader.listing(entry.oid, deep=False).lines)
            found |= below
            level = below
        return found

    def _blob(self, path: str, oid: str, most: int) -> bytes:
        data = self._fetched(oid)
        return within_size(path, data, len(data), most)

    def _fetched(self, oid: str) -> bytes:
        if oid not in self._blobs:
            self._blobs[oid] = self._reader.blob(oid)
        return self._blobs[oid]


def _entries(prefix: str, lines: Iterable[TreeLine]) -> dict[str, Entry]:
    return {f"{prefix}{line.path}": Entry(mode=line.mode, oid=line.oid) for line in lines}
