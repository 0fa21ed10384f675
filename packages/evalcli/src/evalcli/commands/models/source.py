"""The file of models that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from evalcore.library.checkout import FolderCheckout
from evalcore.library.loader import MODELS_PATH, load_models, load_models_file
from evalcore.library.models import ModelsFile

MODELS: Final = click.option(
    "--models",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default=f"{MODELS_PATH} in the library",
    help="The file of models.",
)


def load_named(prompt_library: Path, path: Path | None) -> ModelsFile:
    """Read the file that is named, or the library's; raises ConfigurationError."""
    return load_models(FolderCheckout(prompt_library)) if path is None else load_models_file(path)
