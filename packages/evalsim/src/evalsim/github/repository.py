"""A bare repository as GitHub keeps it: branches, ancestry, and merges made without a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HOOK = """#!/bin/sh
# Refuses the push with the words of the fault that the simulation was asked for.
[ -z "$EVALSIM_REFUSE_PUSH" ] || { echo "$EVALSIM_REFUSE_PUSH" >&2; exit 1; }
"""
TIMEOUT = 60.0
IDENTITY = {
    "GIT_AUTHOR_NAME": "Simulated GitHub",
    "GIT_AUTHOR_EMAIL": "noreply@github.invalid",
    "GIT_COMMITTER_NAME": "Simulated GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.invalid",
}


class MergeConflictError(Exception):
    """The two branches changed the same lines."""


def git_environment() -> dict[str, str]:
    """The environment of every git process of the simulation: nobody's configuration but ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # The repositories may belong to another user, as in a container; and git cleans up in the background,
    # beside whoever reads.
    settings = {"safe.directory": "*", "receive.advertisePushOptions": "false", "gc.auto": "0"}
    pairs = {
        f"GIT_CONFIG_{part}_{index}": text
        for index, item in enumerate(settings.items())
        for part, text in zip(("KEY", "VALUE"), item, strict=True)
    }
    return {
        **kept,
        **pairs,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C",
    }


def run_git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a directory and give its outcome, whatever it is."""
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - git is where the simulation's user has it
        cwd=directory,
        env=git_environment() | IDENTITY,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


class BareRepository:
    """One bare repository on disk."""

    def __init__(self, path: Path, *, default_branch: str = "main") -> None:
        self.path = path
        self.default_branch = default_branch

    @classmethod
    def create(cls, path: Path, seed: Path | None, *, default_branch: str = "main") -> BareRepository:
        """Make a bare repository from a plain folder, from another repository, or empty."""
        path.parent.mkdir(parents=True, exist_ok=True)
        repository = cls(path, default_branch=default_branch)
        if seed is not None and _is_repository(seed):
            repository._must("clone", "-q", "--bare", "--", str(seed.resolve()), str(path), at=path.parent)
            # A clone's HEAD is the seed's, whichever branch somebody had checked out there.
            repository._must("symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
        else:
            repository._must(
                "init", "-q", "--bare", f"--initial-branch={default_branch}", str(path), at=path.parent
            )
            if seed is not None:
                repository._import_folder(seed)
        repository.install_hook()
        return repository

    def install_hook(self) -> None:
        """Put the hook in place through which a push can be refused."""
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK)
        hook.chmod(0o755)

    def branch(self, name: str) -> str | None:
        """The commit at the tip of a branch, or None where there is no such branch."""
        result = run_git(self.path, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}")
        return result.stdout.strip() or None

    def branches(self) -> dict[str, str]:
        """All branches with their tips."""
        listing = self._must("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/")
        pairs = (line.split(" ", 1) for line in listing.splitlines())
        return {name: sha for sha, name in pairs}

    def commits_between(self, base: str, head: str) -> int:
        """How many commits the head has that the base lacks."""
        return int(self._must("rev-list", "--count", f"{base}..{head}"))

    def commit(self, sha: str) -> tuple[str, ...]:
        """A commit's id, tree, message, parents, author's name and address, and time."""
        parts = "%H%x00%T%x00%B%x00%P%x00%an%x00%ae%x00%aI"
        return tuple(part.strip() for part in self._must("log", "-1", f"--format={parts}", sha).split("\0"))

    def holds_commit(self, sha: str) -> bool:
        """Whether there is such a commit."""
        return run_git(self.path, "cat-file", "-e", f"{sha}^{{commit}}").returncode == 0

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether a commit is another one, or one of those before it."""
        return run_git(self.path, "merge-base", "--is-ancestor", commit, of).returncode == 0

    def changed_files(self, base: str, head: str) -> list[str]:
        """The paths that differ between a commit and where it left a branch."""
        return [
            path for path in self._must("diff", "--name-only", "-z", f"{base}...{head}").split("\0") if path
        ]

    def file(self, revision: str, path: str) -> bytes | None:
        """A file's contents at a commit or branch, or None where it is not there."""
        return self.blob(f"{revision}:{path}")

    def blob(self, name: str) -> bytes | None:
        """The contents of a blob, by its id or by a commit and a path; None where there is none."""
        completed = subprocess.run(
            ["git", "cat-file", "blob", name],  # noqa: S607 - as in run_git
            cwd=self.path,
            env=git_environment(),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        return completed.stdout if completed.returncode == 0 else None

    def merged_tree(self, base: str, head: str) -> str:
        """The tree that merging two commits gives; raises MergeConflictError."""
        # Without a checkout: a bare repository has none.
        result = run_git(self.path, "merge-tree", "--write-tree", "--no-messages", base, head)
        if result.returncode == 1:
            raise MergeConflictError(result.stdout)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        return result.stdout.split()[0]

    def merge(self, base_branch: str, head: str, message: str) -> str:
        """Merge a commit into a branch with a merge commit, and give that commit."""
        base = self._must("rev-parse", "--verify", f"refs/heads/{base_branch}")
        tree = self.merged_tree(base, head)
        commit = self._must("commit-tree", tree, "-p", base, "-p", head, "-m", message)
        # The old value makes a push that came in between an error instead of a loss.
        self._must("update-ref", f"refs/heads/{base_branch}", commit, base)
        return commit

    def _import_folder(self, seed: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkout = Path(folder) / "checkout"
            shutil.copytree(seed, checkout, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            self._must("init", "-q", f"--initial-branch={self.default_branch}", at=checkout)
            # As the folder is: what its own .gitignore names may be what a test is about.
            self._must("add", "--all", "--force", at=checkout)
            self._must("commit", "-q", "--allow-empty", "-m", "Import", at=checkout)
            self._must(
                "push", "-q", str(self.path.resolve()), f"HEAD:refs/heads/{self.default_branch}", at=checkout
            )

    def _must(self, *arguments: str, at: Path | None = None) -> str:
        result = run_git(at or self.path, *arguments)
        if result.returncode != 0:
            raise RuntimeError(f"git {arguments[0]}: {result.stderr.strip()}")
        return result.stdout.strip()


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or (folder / "HEAD").is_file()
