"""Where the evaluation data sets are, where nobody says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA_SETS_BESIDE: Final = "evaluation-data-sets"


def data_sets_beside(prompt_library: Path) -> Path | None:
    """Return the data sets checked out beside the prompt library, where they are."""
    beside = prompt_library.resolve().parent / DATA_SETS_BESIDE
    return beside if beside.is_dir() else None
