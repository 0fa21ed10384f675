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
from evalcore.library.checkout.interface import MAX_BYTES, within_size
from evalcore.library.checkout.lfs import lfs_pointer, stored_contents
from evalcore.library.checkout.tree import FOLDER, Entry, TreeCheckout


class CommitCheckout(TreeCheckout):
    """One commit of a git repository, read from its objects; neither index nor working tree matters.

    Where an object is a Git LFS pointer, its contents are read from the repository's LFS store.

    Close it (or use it as a context manager): it holds one `git cat-file` process once it has read.
    """

    def __init__(self, repository: Path, commit: str) -> None:
        # It becomes an argument of git: a name that begins with `-` would be an option, and a branch may
        # move.
        if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
            raise CheckoutError("is not the hexadecimal name of a commit", where=commit, hint="give its SHA")
        self.repository = repository
        self.commit = commit
        self._tree: Mapping[str, Entry] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # One process answers all: of two threads that ask at once each could read the other's answer.
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
            # Closes its pipes and waits for its end, so that no zombie stays.
            with process:
                pass

    def read(self, path: str, most: int = MAX_BYTES) -> bytes:
        """Return a file's bytes, at most so many; raises CheckoutError naming the path."""
        data = super().read(path, most)
        pointer = lfs_pointer(data)
        if pointer is None:
            return data
        contents = stored_contents(self.repository, path, pointer, most)
        if contents is None:
            raise CheckoutError(
                "is a Git LFS pointer: fetch it to the clone",
                where=path,
                hint="run `git lfs fetch origin <commit>` there",
            )
        return contents

    def _tree_now(self) -> Mapping[str, Entry]:
        if self._tree is None:
            # `-t` lists folders too, which `has` and `folders` look for; `-z` leaves names as they are,
            # unquoted.
            listing = ask(self.repository, "ls-tree", "-r", "-t", "-z", "--full-tree", self.commit)
            if listing is None:
                raise CheckoutError(
                    "has no such commit",
                    where=f"{self.repository.name}@{self.commit[:12]}",
                    hint="fetch it first",
                )
            # Output is cut off there: the files beyond would seem not to exist, and their cases be left out
            # unsaid.
            if len(listing) >= OUTPUT_LIMIT:
                raise CheckoutError(
                    "has too many files", where=self.name, hint="evaluate a smaller repository"
                )
            self._tree = {".": Entry(mode=FOLDER, oid=""), **_parse_tree(listing)}
        return self._tree

    def _blob(self, path: str, oid: str, most: int) -> bytes:
        try:
            with self._lock:
                return self._ask(path, oid, most)
        except OSError as error:  # git has ended
            raise _unreadable(path, str(error.strerror)) from None

    def _ask(self, path: str, oid: str, most: int) -> bytes:
        stdin, stdout = self._pipes()
        stdin.write(f"{oid}\n".encode())
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":  # noqa: PLR2004 - object, type, size
            raise _unreadable(path, "no such object")
        size = int(header[2])
        # Its bytes are on their way already: with the process they go unread, and the next read begins a new
        # one.
        if size > most:
            self.close()
            return within_size(path, b"", size, most)
        # A line end follows each object, which would else be taken for the next one's header.
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


def _parse_tree(listing: bytes) -> dict[str, Entry]:
    entries = {}
    for line in listing.split(b"\0"):
        if line:
            fields, _, path = line.partition(b"\t")
            mode, _, oid = fields.decode().split(" ")
            entries[os.fsdecode(path)] = Entry(mode=mode, oid=oid)
    return entries
