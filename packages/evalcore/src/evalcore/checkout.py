"""The edge that reads a checkout: a folder on disk, or one commit of a git repository.

Nothing outside the checkout is ever read: `..`, absolute paths, links that leave it and its `.git`
are refused.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Protocol, Self

from evalcore.errors import CheckoutError
from evalcore.structs import Frozen

MAX_BYTES = 8 * 1024 * 1024
"""The largest file that is read: 8 MiB."""

MAX_LINKS = 40
GIT_SECONDS = 60
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Checkout(Protocol):
    """A tree of files addressed by POSIX paths from its root."""

    @property
    def name(self) -> str:
        """What people call it: shown before its paths where two checkouts are in play."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises CheckoutError naming the path."""
        ...

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, readable or not."""
        ...

    def folders(self, path: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder, sorted; none where there is no such folder."""
        ...


def read_text(checkout: Checkout, path: str, where: str | None = None) -> str:
    """Read a UTF-8 file, a byte order mark removed; raises CheckoutError naming file and line."""
    return decode_text(checkout.read(path), where or path)


def decode_text(data: bytes, where: str) -> str:
    """Decode UTF-8, a byte order mark removed; raises CheckoutError naming file and line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CheckoutError("is not UTF-8", where=f"{where}:{line}", hint="save it as UTF-8") from None


def _checked(path: str) -> PurePosixPath:
    """Refuse, before anything is touched, a path that could lead elsewhere."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "\0" in path or "\\" in path:
        raise CheckoutError("leaves the checkout", where=path, hint="use a path inside it")
    # Links may lead anywhere inside but to git's own files, whose configuration can hold credentials.
    if any(part.casefold() == ".git" for part in parts):
        raise CheckoutError("is git's own", where=path, hint="use a file of the checkout")
    return PurePosixPath(path)


class FolderCheckout:
    """A folder on disk, as it stands now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = Path(os.path.realpath(root))

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self._real_root.name

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises CheckoutError naming the path."""
        try:
            # The resolved path holds no links; one put there meanwhile is refused by O_NOFOLLOW.
            # O_NONBLOCK: opening a named pipe must not wait for its writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self._resolve(path), flags)
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a special file"
                raise CheckoutError(f"is {kind}, not a regular file", where=path, hint="put a file there")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
        finally:
            os.close(descriptor)
        return _within_size(path, data, max(status.st_size, len(data)))

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, a link that leads nowhere included."""
        return os.path.lexists(self._real_root / _checked(path))

    def folders(self, path: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder, sorted; none where there is no such folder."""
        try:
            with os.scandir(self._resolve(path)) as entries:
                names = [entry.name for entry in entries if entry.is_symlink() or entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _unreadable(path, error) from None
        return tuple(sorted(name for name in names if not self._leads_to_file(f"{path}/{name}")))

    def _leads_to_file(self, path: str) -> bool:
        try:
            return self._resolve(path).is_file()
        except CheckoutError:
            return False  # a link that leaves counts as a folder: reading through it says why not

    def _resolve(self, path: str) -> Path:
        real = Path(os.path.realpath(self._real_root / _checked(path)))
        if not real.is_relative_to(self._real_root):
            raise CheckoutError("is a link that leaves the checkout", where=path, hint="put a copy there")
        _checked(real.relative_to(self._real_root).as_posix())
        return real


def _unreadable(path: str, error: OSError) -> CheckoutError:
    reason = {FileNotFoundError: "is not there", PermissionError: "may not be read"}.get(type(error))
    return CheckoutError(reason or f"cannot be read ({error.strerror})", where=path, hint="check the file")


def _within_size(path: str, data: bytes, size: int) -> bytes:
    if size > MAX_BYTES:
        raise CheckoutError(f"is {size:,} bytes, over the limit of 8 MiB", where=path, hint="make it smaller")
    return data


class _Entry(Frozen, frozen=True):
    """A line of a commit's tree."""

    mode: str
    oid: str


class CommitCheckout:
    """One commit of a git repository, read from its objects; neither index nor working tree matters.

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
            process.communicate()

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises CheckoutError naming the path."""
        entry = self._tree_now().get(self._follow(path))
        if entry is None:
            raise CheckoutError(f"is not there at {self.commit[:12]}", where=path, hint="check the path")
        if not entry.mode.startswith("100"):
            raise CheckoutError("is not a regular file", where=path, hint="put a file there")
        return self._blob(path, entry.oid)

    def has(self, path: str) -> bool:
        """Whether anything is there by that name, a link that leads nowhere included."""
        if str(_checked(path)) in self._tree_now():
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
        if entry.mode == "120000":
            try:
                target = self._tree_now().get(self._follow(path))
            except CheckoutError:
                return True  # reading through it says why not
            return target is None or target.mode == "040000"
        return entry.mode == "040000"

    def _follow(self, path: str) -> str:
        """Return the path with every link on the way followed, inside the tree only."""
        tree, left = self._tree_now(), list(reversed(_checked(path).parts))
        done: list[str] = []
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                if not done:
                    raise CheckoutError(
                        "is a link that leaves the checkout", where=path, hint="put a copy there"
                    )
                done.pop()
                continue
            here = "/".join([*done, part])
            entry = tree.get(here)
            if entry is None or entry.mode != "120000":
                done.append(part)
                continue
            target = os.fsdecode(self._blob(here, entry.oid))
            links += 1
            if target.startswith("/") or links > MAX_LINKS:
                what = "is a link that leaves the checkout" if links <= MAX_LINKS else "is a loop of links"
                raise CheckoutError(what, where=path, hint="put a copy there")
            left.extend(reversed([step for step in target.split("/") if step not in {"", "."}]))
        return "/".join(done) or "."

    def _tree_now(self) -> Mapping[str, _Entry]:
        if self._tree is None:
            listing = _git(self.repository, "ls-tree", "-r", "-t", "-z", "--full-tree", self.commit)
            if listing is None:
                raise CheckoutError(
                    "has no such commit",
                    where=f"{self.repository.name}@{self.commit[:12]}",
                    hint="fetch it first",
                )
            self._tree = {".": _Entry(mode="040000", oid=""), **_parse_tree(listing)}
        return self._tree

    def _blob(self, path: str, oid: str) -> bytes:
        with self._lock:
            stdin, stdout = self._pipes()
            stdin.write(f"{oid}\n".encode())
            stdin.flush()
            header = stdout.readline().split()
            if len(header) != 3 or header[1] != b"blob":  # noqa: PLR2004 - object, type, size
                raise CheckoutError("cannot be read from git", where=path, hint="run `git fsck` there")
            size = int(header[2])
            if size > MAX_BYTES:
                self.close()  # the rest is not wanted
                return _within_size(path, b"", size)
            return stdout.read(size + 1)[:size]

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                [*_GIT, "-C", str(self.repository), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_git_environment(),
            )
        process = self._process
        if process.stdin is None or process.stdout is None:  # never: both were asked for
            raise CheckoutError("cannot be read from git", where=self.name)
        return process.stdin, process.stdout


def _parse_tree(listing: bytes) -> dict[str, _Entry]:
    entries = {}
    for line in listing.split(b"\0"):
        if line:
            fields, _, path = line.partition(b"\t")
            mode, _, oid = fields.decode().split(" ")
            entries[os.fsdecode(path)] = _Entry(mode=mode, oid=oid)
    return entries


class CommitState(Frozen, frozen=True):
    """Which commit a folder stands at, and what in it differs from that commit."""

    commit: str | None
    """40 hex digits; None outside git, before the first commit, and in a SHA-256 repository."""
    changed: tuple[str, ...]
    """Paths from the folder's root that are modified, added or not tracked."""


def head_commit(folder: Path) -> str | None:
    """Return the 40 hex digits of the commit that a folder's checkout stands at; None outside git."""
    answer = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    commit = answer.decode("ascii", "replace").strip() if answer is not None else ""
    return commit if _COMMIT.fullmatch(commit) else None


def commit_state(folder: Path, paths: Sequence[str], *, but: Sequence[str] = ()) -> CommitState:
    """Return the commit and which of the given paths (files, folders or globs) differ from it.

    Paths in `but` do not count. What git ignores does not count either.
    """
    commit = head_commit(folder)
    if commit is None:
        return CommitState(commit=None, changed=())
    wanted = [f":(top,glob){_from_top(folder)}{path}" for path in _with_contents(paths)]
    unwanted = [f":(top,glob,exclude){_from_top(folder)}{path}" for path in _with_contents(but)]
    options = ("--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames")
    answer = _git(folder, "status", *options, "--", *wanted, *unwanted) or b""
    return CommitState(commit=commit, changed=tuple(os.fsdecode(e[3:]) for e in answer.split(b"\0") if e))


def _with_contents(paths: Sequence[str]) -> list[str]:
    return [pattern for path in paths for pattern in (path, f"{path}/**")]


def _from_top(folder: Path) -> str:
    return os.fsdecode((_git(folder, "rev-parse", "--show-prefix") or b"").strip(b"\n"))


# A checkout's own configuration must not make us run anything, and one that another user owns (as in a
# container job) is read all the same: nothing of it is executed.
_GIT = (
    "git",
    "--no-optional-locks",
    *("-c", "safe.directory=*"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)


def _git_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Run git where it can change nothing; None where it answers with an error or is not installed."""
    command = [*_GIT, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, env=_git_environment(), capture_output=True, check=False, timeout=GIT_SECONDS
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        raise CheckoutError(f"git gave no answer within {GIT_SECONDS} s", where=str(folder)) from None
    return done.stdout if done.returncode == 0 else None
