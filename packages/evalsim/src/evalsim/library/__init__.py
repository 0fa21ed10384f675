"""A small prompt library and its data sets, our own: what the demo and the tests evaluate.

The texts stand as files below `files/`, so that they read as a library does:

* `award-notice-terms`: a nested JSON object; one of its cases has no input and is skipped;
* `award-notice-review`: its schema refers to award-notice-terms' schema;
* `deadline-calendar`: a JSON array, one of two entry points of its schema; all its cases are data sets;
* `expense-memo`: Markdown, with JSON inputs.

Every sponsor, person and amount in them is fictional.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

FILES = Path(__file__).parent / "files"
SAMPLE_COMPONENTS = ("award-notice-review", "award-notice-terms", "deadline-calendar", "expense-memo")
"""The slugs of the sample library."""
SAMPLE_MODELS_FILE = FILES / "prompt-library" / ".evaluator" / "models.yaml"
"""The models of the sample library, for a library that lists none."""

_AUTHOR = "Sample Author"
_EMAIL = "author@example.org"
_DATE = "2026-01-05T09:00:00+00:00"


def write_sample_library(path: Path) -> None:
    """Write the sample prompt library into the folder `path`, made if it is not there."""
    _copy_tree(FILES / "prompt-library", path)


def write_sample_data_sets(path: Path) -> None:
    """Write the sample evaluation data sets into the folder `path`, made if it is not there."""
    _copy_tree(FILES / "data-sets", path)


def as_git(path: Path, *, message: str = "Add the sample", branch: str = "main") -> str:
    """Make the folder a git repository with one commit of all that is in it; give the commit's id.

    The author and the date are fixed, so the same files give the same commit. Raises
    subprocess.CalledProcessError, with git's words in `stderr`, where git fails.
    """
    _git(path, "init", "--quiet", f"--initial-branch={branch}")
    # --force: the user's own ignore rules must not decide what a copied library holds.
    _git(path, "add", "--all", "--force")
    _git(path, "commit", "--quiet", f"--message={message}")
    return _git(path, "rev-parse", "HEAD")


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for git that neither the user's nor the system's configuration reaches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": _AUTHOR,
        "GIT_AUTHOR_EMAIL": _EMAIL,
        "GIT_AUTHOR_DATE": _DATE,
        "GIT_COMMITTER_NAME": _AUTHOR,
        "GIT_COMMITTER_EMAIL": _EMAIL,
        "GIT_COMMITTER_DATE": _DATE,
        **(extra or {}),
    }


def _copy_tree(source: Path, target: Path) -> None:
    """Copy files without their permissions: an installed package may be read-only."""
    shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", os.fspath(folder), *arguments],  # noqa: S607 - git is found as the user finds it
        env=git_environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()
