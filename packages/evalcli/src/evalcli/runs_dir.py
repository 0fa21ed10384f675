"""Where the command line keeps its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evalcore.errors import StorageError
from evalcore.files import write_atomically

RUNS_IN_LIBRARY: Final = Path(".evaluator") / "runs"


def make_runs_dir(named: Path | None, prompt_library: Path) -> Path:
    """Make the folder that was named, or the library's, before anything is called, and return it.

    The library's gets a `.gitignore` of its own: replies are large, and not for everybody.

    Raises StorageError.
    """
    runs_dir = named or prompt_library / RUNS_IN_LIBRARY
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror or error})",
            where=str(runs_dir),
            hint="mend its permissions, or name another with --runs-dir",
        ) from error
    ignore = runs_dir / ".gitignore"
    if named is None and not ignore.exists():
        write_atomically(ignore, b"*\n")
    return runs_dir
