"""From the options of `evaluate` to what will be called: everything is read here, nothing is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evalcli.data_sets import data_sets_beside
from evalcli.selection import Selection, select_models
from evalcore.cases import load_cases
from evalcore.checkout import CommitState, FolderCheckout, commit_state
from evalcore.library import MODELS_PATH, component_state, load_component, load_models, load_models_file
from evalcore.plan import JobPlan, Origin
from evalcore.structs import Frozen


class Sources(Frozen, frozen=True):
    """Where an evaluation reads; None where the default is meant."""

    prompt_library: Path
    data_sets: Path | None
    models: Path | None


class Prepared(Frozen, frozen=True):
    """A job that can be begun, with what its user should know first."""

    job: JobPlan
    selection: Selection
    warnings: tuple[str, ...]


def prepare(
    slug: str,
    sources: Sources,
    named: tuple[str, ...],
    replicates: int,
    *,
    job_id: str,
    environ: Mapping[str, str],
) -> Prepared:
    """Read component, cases and models, and plan the job.

    Raises InputError for whatever cannot be used.
    """
    library = FolderCheckout(sources.prompt_library)
    data_sets_path = sources.data_sets or data_sets_beside(sources.prompt_library)
    data_sets = FolderCheckout(data_sets_path) if data_sets_path is not None else None
    component = load_component(library, data_sets, slug)
    cases, skipped_cases = load_cases(library, data_sets, component)
    models_file = load_models_file(sources.models) if sources.models is not None else load_models(library)
    where = str(sources.models or MODELS_PATH)
    selection = select_models(models_file, named, environ, where=where)
    prompt_commit, prompt_warning = _commit(component_state(sources.prompt_library, slug), "prompt_commit")
    dataset_commit, dataset_warning = None, ""
    if data_sets_path is not None:
        dataset_commit, dataset_warning = _commit(commit_state(data_sets_path, (slug,)), "dataset_commit")
    job = JobPlan(
        job_id=job_id,
        origin=origin(environ),
        component=component,
        cases=cases,
        skipped_cases=skipped_cases,
        models=selection.models,
        providers=models_file.providers,
        replicates=replicates,
        prompt_commit=prompt_commit,
        dataset_commit=dataset_commit,
    )
    warnings = (
        *(f"model {skipped.model} is skipped: {skipped.reason}" for skipped in selection.skipped),
        *(text for text in (prompt_warning, dataset_warning) if text),
    )
    return Prepared(job=job, selection=selection, warnings=warnings)


def origin(environ: Mapping[str, str]) -> Origin:
    """Say where this runs: in GitHub Actions, or on somebody's machine."""
    return "actions" if environ.get("GITHUB_ACTIONS") == "true" else "local"


def _commit(state: CommitState, field: str) -> tuple[str | None, str]:
    if not state.changed:
        return state.commit, ""
    more = f" and {len(state.changed) - 1} more" if len(state.changed) > 1 else ""
    return (
        None,
        f"{state.changed[0]}{more} differ from the commit, so {field} is null; commit first to have it",
    )
