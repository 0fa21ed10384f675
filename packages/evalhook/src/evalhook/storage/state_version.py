"""The version of what lies in the state directory: a service does not touch what a newer one has written.

It rises where an older service would misread the state, not where something was merely added: unknown fields
and files are passed over. Why so, and what 0.1.0 does, which knows of no version:
docs/decisions/0023-state-has-a-version.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evalcore.errors import ConfigurationError
from evalcore.runs.files import read_regular, write_atomically

STATE_VERSION: Final = 1
"""What this service writes, and the newest that it reads."""
UNVERSIONED: Final = 0
"""State of 0.1.0, which holds no version."""
FILE: Final = "state-version"
_MAX_BYTES: Final = 100
_MAX_DIGITS: Final = 9


def require_readable_state(state_dir: Path) -> int:
    """Return the version of the state, of which nothing is changed; blocking.

    Raises ConfigurationError where a newer service wrote it, or its version cannot be read.
    """
    where = f"EVALHOOK_STATE_DIR {state_dir}"
    try:
        written = read_regular(state_dir / FILE, _MAX_BYTES).strip()
    except (FileNotFoundError, NotADirectoryError):
        return UNVERSIONED
    except OSError as error:
        what = f"{FILE} cannot be read ({error.strerror or error})"
        hint = "give it to the user that the service runs as, or restore it from a backup"
        raise ConfigurationError(what, where=where, hint=hint) from error
    if not written.isdigit() or len(written) > _MAX_DIGITS:
        hint = "restore it from a backup, or write the version there that the newest service has used it with"
        raise ConfigurationError(f"{FILE} holds no version", where=where, hint=hint)
    version = int(written)
    if version > STATE_VERSION:
        raise ConfigurationError(
            f"its state is of version {version}, written by a newer service, and this one reads up to "
            f"{STATE_VERSION}: nothing was touched",
            where=where,
            hint="start the newer service again, or restore a backup that was made before it",
        )
    return version


def mark_state(state_dir: Path) -> None:
    """Write the version where the state has none, or an older one; blocking.

    Raises StorageError where that cannot be written, and ConfigurationError as above.
    """
    if require_readable_state(state_dir) < STATE_VERSION:
        write_atomically(state_dir / FILE, f"{STATE_VERSION}\n".encode())
