"""The files that `evalcli init` puts into a prompt library: what each becomes, local edits kept."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from evalcore.clients.dialect import UNREADABLE
from evalcore.decoding import decode_json
from evalcore.errors import StorageError
from evalcore.git.command import run_git
from evalcore.git.errors import GitFailed
from evalcore.library.checkout.git import ask
from evalcore.runs.files import read_regular, write_atomically
from evalcore.structs import Frozen
from evalcore.version import __version__

FOLDER: Final = ".github/workflows"
PAGES: Final = f"{FOLDER}/pages.yml"
WORKFLOWS: Final = (
    "evaluate-local.yml",
    "evaluate-cloud.yml",
    "sweep.yml",
    "evaluator-check.yml",
    "pages.yml",
)
PULL_REQUESTS: Final = "evaluate-pull-request.yml"
"""Installed where it is asked for, and then kept up like the others."""
MODELS: Final = ".evaluator/models.yaml"
INSTALLED: Final = ".evaluator/installed.json"
"""What was installed, and by which version: the common ground of local edits and later versions."""
BRANCH: Final = "branches: [main]"
"""The line of a template in which the default branch stands."""
BRANCH_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
_INSTALLED_BRANCH: Final = re.compile(rf"^ *branches: \[({BRANCH_NAME.pattern})\]$", re.MULTILINE)
MAX_BYTES: Final = 8 << 20
"""Of a file that is there: more is none of ours."""
MOST_WORKFLOWS: Final = 200
"""Of a library, that are looked through."""
DEPLOYS_PAGES: Final = re.compile(
    r"actions/deploy-pages@|\bgh-deploy\b|/actions-gh-pages@|/github-pages-deploy-action@"
)
"""What publishes to GitHub Pages: GitHub's own action, MkDocs, the two that are used most beside them."""
MOST_CONFLICTS: Final = 127
"""`git merge-file` ends with the number of conflicts, at most this; above it is an error."""

Action = Literal["written", "updated", "merged", "unchanged", "kept", "removed", "foreign", "conflict"]
Merge = Callable[[str, str, str], str | None]
"""Local text, common ground and new text to their union; None where they conflict."""


class Installed(Frozen, frozen=True):
    """What an earlier `evalcli init` wrote; the file `.evaluator/installed.json`."""

    evaluator_version: str = __version__
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """Path to text, as it was installed."""


class FileChange(NamedTuple):
    """What becomes of one file."""

    path: str
    action: Action
    old: str | None
    new: str | None
    """None where the file is left as it is."""

    def diff(self) -> list[str]:
        """Return the difference as lines, for a file that is changed."""
        if self.new is None or self.old is None:
            return []
        old, new = self.old.splitlines(), self.new.splitlines()
        return list(difflib.unified_diff(old, new, self.path, self.path, lineterm=""))


def wanted_files(known: Installed, default_branch: str, *, pull_requests: bool) -> dict[str, str]:
    """Return the text of each file that a library is to have: also those that it had asked for before."""
    folder = resources.files("evalcli.workflows") / "templates"
    line = f"branches: [{default_branch}]"
    found = {
        f"{FOLDER}/{name}": (folder / name).read_text("utf-8").replace(BRANCH, line)
        for name in (*WORKFLOWS, PULL_REQUESTS)
    }
    path = f"{FOLDER}/{PULL_REQUESTS}"
    if not pull_requests and path not in known.files:
        del found[path]
    return {**found, MODELS: (folder / "models.yaml").read_text("utf-8")}


def plan_file(path: str, base: str | None, ours: str | None, theirs: str, merge: Merge) -> FileChange:
    """Decide what becomes of a file: `base` was installed, `ours` is there, `theirs` is this version's."""
    if ours is None:
        # One that was installed and is gone was taken out on purpose.
        return (
            FileChange(path, "written", None, theirs)
            if base is None
            else FileChange(path, "removed", None, None)
        )
    # A checkout on Windows may have other line ends: they are no edit, and stay as they are.
    plain = ours.replace("\r\n", "\n")
    action, united = _united(path, base, plain, theirs, merge)
    if united is not None and "\r\n" in ours:
        united = united.replace("\n", "\r\n")
    return FileChange(path, action, ours, united)


def _united(path: str, base: str | None, ours: str, theirs: str, merge: Merge) -> tuple[Action, str | None]:
    """Say what becomes of a file that is there, and its new text; None where it is left as it is."""
    if ours == theirs:
        return "unchanged", None
    # models.yaml is the library's from its first line on: it is begun, and never brought to a version.
    if path == MODELS or (base is not None and base == theirs):
        return "kept", None
    # A file of the same name that we did not write: replacing it would lose somebody's work.
    if base is None:
        return "foreign", None
    if ours == base:
        return "updated", theirs
    united = merge(ours, base, theirs)
    if united is None:
        return "conflict", None
    return ("kept", None) if united == ours else ("merged", united)


def plan_changes(
    library: Path, merge: Merge, branch: str, *, pull_requests: bool = False
) -> list[FileChange]:
    """Decide what becomes of each file of a library; raises StorageError where one cannot be read."""
    known = read_installed(library)
    wanted = wanted_files(known, branch, pull_requests=pull_requests)
    # A repository has one site: two workflows that publish it would take turns at replacing it.
    if pages_workflow(library) is not None:
        del wanted[PAGES]
    return [
        plan_file(path, known.files.get(path), _read(library, path), theirs, merge)
        for path, theirs in wanted.items()
    ]


def pages_workflow(library: Path) -> str | None:
    """Return the library's own workflow that publishes to GitHub Pages; None where there is none but ours.

    Raises StorageError where a workflow cannot be read.
    """
    ours = PAGES in read_installed(library).files
    # In one order: the first that publishes pages is named, and it is to be the same one each time.
    found = sorted(_inside(library, FOLDER).glob("*.y*ml")) if (library / FOLDER).is_dir() else []
    for file in found[:MOST_WORKFLOWS]:
        path = f"{FOLDER}/{file.name}"
        if DEPLOYS_PAGES.search(_read(library, path) or "") and not (ours and path == PAGES):
            return path
    return None


def write_changes(library: Path, changes: list[FileChange], branch: str) -> None:
    """Write what is to change, and what was installed; raises StorageError."""
    known = read_installed(library)
    wanted = wanted_files(known, branch, pull_requests=True)
    files = dict(known.files)
    for change in changes:
        if change.new is not None:
            _write(library, change.path, change.new)
        # A conflict keeps its common ground, so that the next run finds it again.
        if change.action not in {"conflict", "foreign"}:
            files[change.path] = wanted[change.path]
    data = msgspec.json.format(msgspec.json.encode(Installed(files=dict(sorted(files.items())))), indent=2)
    text = data.decode() + "\n"
    if _read(library, INSTALLED) != text:
        _write(library, INSTALLED, text)


def read_installed(library: Path) -> Installed:
    """Return what was installed; nothing where nothing was. Raises StorageError."""
    text = _read(library, INSTALLED)
    if text is None:
        return Installed()
    try:
        return decode_json(text, Installed)
    except UNREADABLE as error:
        what = f"is not what `evalcli init` wrote ({error})"
        hint = "restore it from git; without it local edits cannot be told from an older version"
        raise StorageError(what, where=str(library / INSTALLED), hint=hint) from None


def merge_texts(ours: str, base: str, theirs: str) -> str | None:
    """Unite two texts that come from one, line by line; None where both changed the same lines."""
    with tempfile.TemporaryDirectory(prefix="evalcli-init-") as scratch:
        folder = Path(scratch)
        for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
            # Not translated: git compares bytes.
            (folder / name).write_text(text, "utf-8", newline="")
        outcome = run_git(folder, "merge-file", "-p", "ours", "base", "theirs")
    if outcome.status == 0:
        return outcome.output.decode()
    if 0 < outcome.status <= MOST_CONFLICTS:
        return None
    raise GitFailed(f"git merge-file: {outcome.errors.strip()[:200]}", where="evalcli init")


def default_branch(library: Path) -> str:
    """Return the default branch of the library's remote; without one, the branch that `init` first ran on.

    Raises StorageError where what was installed cannot be read.
    """
    # An upgrade is made on a branch of its own: the one that is checked out is asked the first time alone.
    named = (
        _pointed_at(library, "refs/remotes/origin/HEAD"),
        _installed_for(library),
        _pointed_at(library, "HEAD"),
    )
    return next((branch for branch in named if branch is not None), "main")


def _pointed_at(library: Path, reference: str) -> str | None:
    answer = ask(library, "symbolic-ref", "--quiet", "--short", reference)
    branch = (answer or b"").decode("utf-8", "replace").strip().removeprefix("origin/")
    return branch if BRANCH_NAME.fullmatch(branch) else None


def _installed_for(library: Path) -> str | None:
    """Return the branch that stands in the workflows as they were installed."""
    texts = read_installed(library).files.values()
    found = (_INSTALLED_BRANCH.search(text) for text in texts)
    return next((line[1] for line in found if line is not None), None)


def _read(library: Path, path: str) -> str | None:
    file = _inside(library, path)
    try:
        # The library may be anybody's: no pipe's writer is waited for, and no file without end read.
        return read_regular(file, MAX_BYTES).decode() if file.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else type(error).__name__
        what = f"cannot be read as UTF-8 text ({why})"
        raise StorageError(what, where=str(file), hint="mend or remove it") from None


def _write(library: Path, path: str, text: str) -> None:
    file = _inside(library, path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror})", where=str(file.parent), hint="mend its permissions"
        ) from error
    write_atomically(file, text.encode())


def _inside(library: Path, path: str) -> Path:
    """Return the file's path, which no link leads out of the library."""
    # A link would let a checkout have our files written anywhere that its user may write to.
    file = library / path
    if file.is_symlink() or not file.resolve().is_relative_to(library.resolve()):
        hint = "put the file or folder itself there"
        raise StorageError("is a link, or lies behind one", where=str(file), hint=hint)
    return file
