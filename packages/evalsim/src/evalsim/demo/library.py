"""The library that the demo evaluates, the sample or a copy of the user's, and the component to evaluate."""

from __future__ import annotations

import shutil
from pathlib import Path

from ruamel.yaml import YAML

from evalcore.errors import InputError
from evalcore.evaluation.material import load_material
from evalcore.library.checkout import FolderCheckout
from evalcore.library.component import Case, Component, SkippedCase
from evalcore.library.loader import list_components, load_models
from evalcore.library.models import BUILT_IN, LOCAL_PROVIDER, Model, is_local
from evalcore.structs import Frozen
from evalsim.demo.failure import DemoInputError
from evalsim.library import SAMPLE_MODELS_FILE, write_sample_data_sets, write_sample_library

MODELS_FILE = Path(".evaluator") / "models.yaml"
LEFT_OUT = (".git", ".venv", "node_modules", "__pycache__")
"""What a library's checkout may hold that is none of the library."""


class Workspace(Frozen, frozen=True):
    """The folders that are pushed to the simulated GitHub."""

    library: Path
    data_sets: Path | None
    has_added_models: bool = False
    """Whether the library had no models.yaml, and the sample's was added to the copy."""
    has_other_mindrouter: bool = False
    """Whether models.yaml named a MindRouter of its own, which the copy does not."""


class Subject(Frozen, frozen=True):
    """A component with all that is used of it."""

    component: Component
    cases: tuple[Case, ...]
    skipped: tuple[SkippedCase, ...]
    models: tuple[Model, ...]
    """The local ones, which the service evaluates."""


def make_sample(folder: Path) -> Workspace:
    """Write the sample library and its data sets into a folder."""
    library, data_sets = folder / "prompt-library", folder / "evaluation-data-sets"
    write_sample_library(library)
    write_sample_data_sets(data_sets)
    return Workspace(library=library, data_sets=data_sets)


def copy_library(source: Path, data_sets: Path | None, folder: Path) -> Workspace:
    """Copy the user's library and data sets into a folder; raises DemoInputError for what is no library."""
    if not (source / "components").is_dir():
        raise DemoInputError(
            "there is no folder `components`", where=str(source), hint="name a prompt library's root"
        )
    library = _copy(source, folder / "prompt-library")
    copied = _copy(data_sets, folder / "evaluation-data-sets") if data_sets is not None else None
    models = library / MODELS_FILE
    is_missing = not models.is_file()
    if is_missing:
        models.parent.mkdir(exist_ok=True)
        shutil.copyfile(SAMPLE_MODELS_FILE, models)
    return Workspace(
        library=library,
        data_sets=copied,
        has_added_models=is_missing,
        has_other_mindrouter=_remove_own_mindrouter(library),
    )


def read_subject(workspace: Workspace, skill: str | None) -> Subject:
    """Read the component named, or the first that can be used.

    Raises InputError, or DemoInputError where no component or no local model is usable.
    """
    models = tuple(
        model for model in load_models(FolderCheckout(workspace.library)).models if is_local(model)
    )
    if not models:
        raise DemoInputError(
            "lists no local model, which the service could evaluate",
            where=".evaluator/models.yaml",
            hint="list one with `provider: mindrouter`",
        )
    component, cases, skipped = _read(workspace, skill) if skill is not None else _first_usable(workspace)
    return Subject(component=component, cases=cases, skipped=skipped, models=models)


def _remove_own_mindrouter(library: Path) -> bool:
    """Take a MindRouter's own address out of the copy's models.yaml: the demo calls the simulated one alone.

    Raises ConfigurationError where the file is not valid.
    """
    providers = load_models(FolderCheckout(library)).providers
    if providers[LOCAL_PROVIDER] == BUILT_IN[LOCAL_PROVIDER]:
        return False
    path = library / MODELS_FILE
    yaml = YAML()
    content = yaml.load(path.read_text("utf-8"))
    del content["providers"][LOCAL_PROVIDER]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    return True


def _copy(source: Path, target: Path) -> Path:
    try:
        # Links stay links: following one could copy what is not the library's. And without permissions:
        # models.yaml is written into the copy, of a source that may be read-only.
        shutil.copytree(
            source,
            target,
            symlinks=True,
            ignore=shutil.ignore_patterns(*LEFT_OUT),
            copy_function=shutil.copyfile,
        )
    except OSError as error:  # shutil.Error is one
        raise DemoInputError(
            f"cannot be copied: {error}", where=str(source), hint="check the folder"
        ) from error
    return target


def _first_usable(workspace: Workspace) -> tuple[Component, tuple[Case, ...], tuple[SkippedCase, ...]]:
    reasons = []
    for slug in list_components(FolderCheckout(workspace.library)):
        try:
            return _read(workspace, slug)
        except InputError as error:
            reasons.append(error.line)
    listed = "; ".join(reasons) or "there is none"
    raise DemoInputError(f"no component can be evaluated: {listed}", where="components")


def _read(workspace: Workspace, slug: str) -> tuple[Component, tuple[Case, ...], tuple[SkippedCase, ...]]:
    library = FolderCheckout(workspace.library)
    data_sets = FolderCheckout(workspace.data_sets) if workspace.data_sets is not None else None
    material = load_material(library, data_sets, slug)
    return material.component, material.cases, material.skipped_cases
