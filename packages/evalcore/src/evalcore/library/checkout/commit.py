"""One commit of a git repository as a checkout."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from evalcore.errors import CheckoutError
from evalcore.git.command import OUTPUT_LIMIT, start_reading
from evalcore.library.checkout.git import ask
from evalcore.library.checkout.interface import MAX_BYTES, checked_path, within_size
from evalcore.library.checkout.lfs import lfs_pointer, stored_contents
from evalcore.structs import Frozen

MAX_LINKS = 40
_FOLDER = "040000"
_LINK = "120000"
_FOLDERS = (_FOLDER, "160000")  # a submodule is a folder, which stands empty


class _Entry(Frozen, frozen=True):
    """A line of a commit's tree."""

    mode: str
    oid: str


class CommitCheckout:
    """One commit of a git repository, read from its objects; neither index nor working tree matters.

    Where an object is a Git LFS pointer, its contents are read from the repository's LFS store.

    Close it (or use it as a context manager): it holds one `git cat-file` process once it has read.
    """

    def __init__(self, repository: Path, commit: str) -> None:
        if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
            raise CheckoutError("is not the hexadecimal name of a commit", where=commit, hint="give its SHA")
        self.repository = repository
        self.commit = commit
        self._tree: Mapping[str, _Entry] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The repository's folder and the commit's first twelve digits."""
        return f"{self.repository.resolve().name}@{self.commit[:12]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the reading process; nothing is left behind."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # it may be about to write a large file that nobody wants
            with process:
                pass

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises CheckoutError naming the path."""
        entry = self._tree_now().get(self._follow(path))
        if entry is None:
            raise CheckoutError("is not there", where=path, hint="check the file")
        if entry.mode in _FOLDERS:
            raise CheckoutError("is a folder, not a regular file", where=path, hint="put a file there")
        data = self._blob(path, entry.oid)
        pointer = lfs_pointer(data)
        if pointer is None:
            return data
        contents = stored_contents(self.repository, path, pointer)
        if contents is None:
            raise CheckoutError(
                "is a Git LFS pointer: fetch it to the clone",
                where=path,
                hint="run `git lfs fetch origin <commit>` there",
            )
        return contents

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

    def _leads_to_folder(self, path: str, entry: _Entry) -> bool:
        if entry.mode == _LINK:
            try:
                target = self._tree_now().get(self._follow(path))
            except CheckoutError:
                return True  # reading through it says why not
            return target is None or target.mode in _FOLDERS
        return entry.mode in _FOLDERS

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
            if entry is None or entry.mode != _LINK:
                done.append(part)
                continue
            target = os.fsdecode(self._blob(here, entry.oid))
            links += 1
            if links > MAX_LINKS:
                raise CheckoutError("is a loop of links", where=path, hint="check the file")
            if target.startswith("/"):
                raise _leaves(path)
            left.extend(reversed([step for step in target.split("/") if step not in {"", "."}]))
        return "/".join(done) or "."

    def _tree_now(self) -> Mapping[str, _Entry]:
        if self._tree is None:
            listing = ask(self.repository, "ls-tree", "-r", "-t", "-z", "--full-tree", self.commit)
            if listing is None:
                raise CheckoutError(
                    "has no such commit",
                    where=f"{self.repository.name}@{self.commit[:12]}",
                    hint="fetch it first",
                )
            if len(listing) >= OUTPUT_LIMIT:
                raise CheckoutError(
                    "has too many files", where=self.name, hint="evaluate a smaller repository"
                )
            self._tree = {".": _Entry(mode=_FOLDER, oid=""), **_parse_tree(listing)}
        return self._tree

    def _blob(self, path: str, oid: str) -> bytes:
        try:
            with self._lock:
                return self._ask(path, oid)
        except OSError as error:  # git has ended
            raise _unreadable(path, str(error.strerror)) from None

    def _ask(self, path: str, oid: str) -> bytes:
        stdin, stdout = self._pipes()
        stdin.write(f"{oid}\n".encode())
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":  # noqa: PLR2004 - object, type, size
            raise _unreadable(path, "no such object")
        size = int(header[2])
        if size > MAX_BYTES:
            self.close()
            return within_size(path, b"", size)
        data = stdout.read(size + 1)
        if len(data) != size + 1:
            raise _unreadable(path, "it ended early")
        return data[:size]

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = start_reading(self.repository, "cat-file", "--batch")
        process = self._process
        if process.stdin is None or process.stdout is None:  # never: both were asked for
            raise _unreadable(self.name, "no pipes")
        return process.stdin, process.stdout


def _unreadable(path: str, reason: str) -> CheckoutError:
    return CheckoutError(f"cannot be read from git ({reason})", where=path, hint="run `git fsck` there")


def _leaves(path: str) -> CheckoutError:
    return CheckoutError("is a link that leaves the checkout", where=path, hint="put a copy there")


def _parse_tree(listing: bytes) -> dict[str, _Entry]:
    entries = {}
    for line in listing.split(b"\0"):
        if line:
            fields, _, path = line.partition(b"\t")
            mode, _, oid = fields.decode().split(" ")
            entries[os.fsdecode(path)] = _Entry(mode=mode, oid=oid)
    return entries
