"""Where things lie beside and inside a prompt library, unless other places are named."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evalcore.errors import ConfigurationError
from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import COMPONENTS, misnamed_folders
from evalcore.structs import Frozen

# Apart from evaluation/plan.py, which loads what calls models: `score`, `show` and `rescore` look in the same
# places and call nothing, and `score --help` took twice its time.
DATA_SETS_BESIDE: Final = "evaluation-data-sets"
"""The folder of the data sets, where they are checked out beside the prompt library."""
RUNS_IN_LIBRARY: Final = Path(".evaluator") / "runs"
"""Where runs are stored, from the prompt library's root, unless another folder is named."""
SCRATCH: Final = "scratch"
"""The folder, in that of the runs, of those that are a look and count nowhere."""


class Sources(Frozen, frozen=True):
    """Where an evaluation or a check reads; None where the default is meant."""

    prompt_library: Path
    data_sets: Path | None
    models: Path | None


def data_sets_beside(prompt_library: Path) -> Path | None:
    """Return the data sets checked out beside the prompt library, where they are."""
    beside = prompt_library.resolve().parent / DATA_SETS_BESIDE
    return beside if beside.is_dir() else None


def data_sets_of(prompt_library: Path, named: Path | None) -> FolderCheckout | None:
    """Return the data sets that are named, or else those beside the library; None where there are none."""
    folder = named or data_sets_beside(prompt_library)
    return FolderCheckout(folder) if folder is not None else None


def no_library(folder: Path) -> ConfigurationError:
    """Return why a folder cannot be read as a prompt library."""
    # Where `evalcli init` has been, and where components/ is empty, only the first component is missing.
    if (folder / ".evaluator").is_dir() or (folder / COMPONENTS).is_dir():
        what, hint = f"has no component in {COMPONENTS}/ yet", f"begin with {COMPONENTS}/NAME/prompt.md"
        if misnamed := misnamed_folders(FolderCheckout(folder)):
            what = f"has no component: {COMPONENTS}/{misnamed[0]} is not a component's name"
            hint = "use a-z, 0-9, `.`, `_` and `-`"
    else:
        what, hint = f"is not a prompt library: it has no {COMPONENTS}/", "name one with --prompt-library"
    return ConfigurationError(what, where=str(folder), hint=hint)


def why_no_library_yet(folder: Path) -> str | None:
    """Return a warning for what is written into a folder that holds no component; None where it does."""
    if (folder / COMPONENTS).is_dir():
        return None
    return f"{folder} has no {COMPONENTS}/, so it is no prompt library yet; is it the right folder?"


def require_library(folder: Path) -> None:
    """Raise ConfigurationError where a folder is no prompt library."""
    if not (folder / COMPONENTS).is_dir():
        raise no_library(folder)
