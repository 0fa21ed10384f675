"""A checkout that is a listing of a tree, and blobs by their ids: links are followed inside it only."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from evalcore.errors import CheckoutError
from evalcore.library.checkout.interface import MAX_BYTES, checked_path
from evalcore.structs import Frozen

# As many as Linux follows before it calls them a loop.
MAX_LINKS: Final = 40
FOLDER: Final = "040000"
LINK: Final = "120000"
FOLDERS: Final = (FOLDER, "160000")  # a submodule is a folder, which stands empty


class Entry(Frozen, frozen=True):
    """A line of a tree."""

    mode: str
    """Six octal digits."""
    oid: str


class TreeCheckout(ABC):
    """A tree of which only a listing is at hand; blobs are fetched as they are read."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it."""

    @abstractmethod
    def _tree_now(self) -> Mapping[str, Entry]:
        """Return what stands at each path, the root at `.`; raises CheckoutError."""

    @abstractmethod
    def _blob(self, path: str, oid: str, most: int) -> bytes:
        """Return the bytes of a blob, which stands at `path`, at most so many; raises CheckoutError."""

    def read(self, path: str, most: int = MAX_BYTES) -> bytes:
        """Return a file's bytes, at most so many; raises CheckoutError naming the path."""
        entry = self._tree_now().get(self._follow(path))
        if entry is None:
            raise CheckoutError("is not there", where=path, hint="check the file")
        if entry.mode in FOLDERS:
            raise CheckoutError("is a folder, not a regular file", where=path, hint="put a file there")
        return self._blob(path, entry.oid, most)

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, a link that leads nowhere included."""
        if str(checked_path(path)) in self._tree_now():
            return True
        try:
            return self._follow(path) in self._tree_now()
        except CheckoutError:
            return True  # a link stands there; reading it says what is wrong with it

    def folders(self, path: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder, sorted; none where there is no such folder."""
        prefix = "" if (real := self._follow(path)) == "." else f"{real}/"
        names = {
            child: entry
            for full, entry in self._tree_now().items()
            if full.startswith(prefix)
            and "/" not in (child := full[len(prefix) :])
            and child not in {"", "."}
        }
        return tuple(sorted(n for n, entry in names.items() if self._leads_to_folder(f"{prefix}{n}", entry)))

    def _leads_to_folder(self, path: str, entry: Entry) -> bool:
        if entry.mode == LINK:
            try:
                target = self._tree_now().get(self._follow(path))
            except CheckoutError:
                return True  # reading through it says why not
            return target is None or target.mode in FOLDERS
        return entry.mode in FOLDERS

    def _follow(self, path: str) -> str:
        """Return the path with every link on the way followed, inside the tree only."""
        tree, left = self._tree_now(), list(reversed(checked_path(path).parts))
        done: list[str] = []
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                if not done:
                    raise _leaves(path)
                done.pop()
                continue
            here = "/".join([*done, part])
            entry = tree.get(here)
            if entry is None or entry.mode != LINK:
                done.append(part)
                continue
            target = os.fsdecode(self._blob(here, entry.oid, MAX_BYTES))
            links += 1
            if links > MAX_LINKS:
                raise CheckoutError("is a loop of links", where=path, hint="check the file")
            if target.startswith("/"):
                raise _leaves(path)
            # Its target is read from the folder that it lies in, which `done` still is; `left` is a stack.
            left.extend(reversed([step for step in target.split("/") if step not in {"", "."}]))
        return "/".join(done) or "."


def _leaves(path: str) -> CheckoutError:
    return CheckoutError("is a link that leaves the checkout", where=path, hint="put a copy there")
