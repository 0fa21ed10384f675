"""What the demo evaluates: one component of a library, its usable cases, its local models."""

from __future__ import annotations

from evalcore.cases import load_cases
from evalcore.checkout import FolderCheckout
from evalcore.component import Case, Component, SkippedCase
from evalcore.errors import InputError
from evalcore.library import list_components, load_component, load_models
from evalcore.models import Model, is_local
from evalcore.structs import Frozen
from evalsim.demo.failure import DemoInputError
from evalsim.demo.workspace import Workspace


class Subject(Frozen, frozen=True):
    """A component with all that is used of it."""

    component: Component
    cases: tuple[Case, ...]
    skipped: tuple[SkippedCase, ...]
    models: tuple[Model, ...]
    """The local ones, which the service evaluates."""


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
    component = load_component(library, data_sets, slug)
    return component, *load_cases(library, data_sets, component)
