"""From the options of `evaluate` to what will be called: everything is read here, nothing is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from evalcli.leaderboards.places import RUNS_IN_LIBRARY, SCRATCH, Sources, data_sets_of, require_library
from evalcli.leaderboards.published_cases import origin
from evalcore.documents.interface import Originals
from evalcore.errors import CaseError, ConfigurationError, StorageError
from evalcore.evaluation.check import contradictions, misplaced_policies
from evalcore.evaluation.finding import Finding
from evalcore.evaluation.material import load_material
from evalcore.formats.counts import counted, first_few
from evalcore.library.cases import document_bytes
from evalcore.library.checkout import CommitState, FolderCheckout, commit_state
from evalcore.library.loader import (
    MODELS_PATH,
    component_state,
    load_models,
    load_models_file,
)
from evalcore.library.models import Endpoint, Model, ModelsFile, NotConfigured, is_local, resolve_provider
from evalcore.near_names import did_you_mean
from evalcore.runs.files import write_atomically
from evalcore.runs.plan import JobPlan, cases_for
from evalcore.scoring.rules.field_rules import plan_fields
from evalcore.structs import Frozen
from evalcore.version import SCORING_VERSION, __version__

MOST_NAMED: Final = 5
"""Models that one warning names."""


class SkippedModel(Frozen, frozen=True):
    """A model that is left out, and why."""

    model: str
    provider: str
    reason: str


class SelectedModels(Frozen, frozen=True):
    """The models to evaluate, and where each of their providers is reached."""

    models: tuple[Model, ...]
    skipped: tuple[SkippedModel, ...]
    endpoints: Mapping[str, Endpoint]
    """By provider name."""


class Prepared(Frozen, frozen=True):
    """A job that can be begun, with what its user should know first."""

    job: JobPlan
    selection: SelectedModels
    warnings: tuple[str, ...]
    commit_warnings: tuple[str, ...]
    """Why its runs name no commit, which matters only where they are recorded."""
    details: tuple[str, ...]
    """What was read from where, for -v."""
    findings: tuple[Finding, ...]
    """What of its files is not as its author can mean it, and is evaluated all the same."""
    originals: Originals
    """Gives the bytes of its documents."""


def prepare(
    slug: str,
    sources: Sources,
    named: tuple[str, ...],
    replicates: int,
    *,
    job_id: str,
    environ: Mapping[str, str] | None,
) -> Prepared:
    """Read component, cases and models, and plan the job.

    `environ` None plans it for other machines, which have the keys. Raises InputError for whatever cannot
    be used.
    """
    require_library(sources.prompt_library)
    library = FolderCheckout(sources.prompt_library)
    data_sets = data_sets_of(sources.prompt_library, sources.data_sets)
    material = load_material(library, data_sets, slug)
    models_file = load_models_file(sources.models) if sources.models is not None else load_models(library)
    where = str(sources.models or MODELS_PATH)
    selection = select_models(models_file, named, environ, where=where)
    # Asked of the files that decide about the component: a change elsewhere in the checkout alters nothing
    # that is evaluated.
    prompt_state = component_state(sources.prompt_library, slug)
    prompt_commit, prompt_warning = _commit(prompt_state, "prompt_commit", sources.prompt_library)
    dataset_commit, dataset_warning = None, ""
    if data_sets is not None:
        dataset_state = commit_state(data_sets.root, (slug,))
        dataset_commit, dataset_warning = _commit(dataset_state, "dataset_commit", data_sets.root)
    job = JobPlan(
        job_id=job_id,
        origin=origin(environ or {}),
        component=material.component,
        cases=material.cases,
        skipped_cases=material.skipped_cases,
        models=selection.models,
        providers=models_file.providers,
        replicates=replicates,
        prompt_commit=prompt_commit,
        dataset_commit=dataset_commit,
        reading=material.inputs.over(models_file.documents),
    )
    warnings = (
        *skip_warnings(selection.skipped),
        *_kept_here(job),
    )
    findings = (
        *misplaced_policies(library, data_sets, slug),
        *contradictions(library, data_sets, material.component, material.cases),
    )
    details = (
        f"prompt library {library.root.resolve()}, {_at(prompt_commit)}",
        f"data sets {data_sets.root.resolve()}, {_at(dataset_commit)}" if data_sets else "no data sets",
        f"models {where}; scoring policy {material.component.policy_where or 'none'}",
        f"evaluator {__version__}, scoring version {SCORING_VERSION}, job {job_id}",
    )
    return Prepared(
        job=job,
        selection=selection,
        warnings=warnings,
        commit_warnings=tuple(text for text in (prompt_warning, dataset_warning) if text),
        details=details,
        findings=findings,
        originals=partial(document_bytes, library, data_sets),
    )


def skip_warnings(skipped: Sequence[SkippedModel]) -> Iterator[str]:
    """Yield each reason once, with the models that are left out for it."""
    by_reason: dict[str, list[str]] = {}
    for one in skipped:
        by_reason.setdefault(one.reason, []).append(one.model)
    for reason, models in by_reason.items():
        if len(models) == 1:
            yield f"model {models[0]} is skipped: {reason}"
        else:
            yield f"{len(models)} models are skipped ({first_few(models, MOST_NAMED)}): {reason}"


def _kept_here(job: JobPlan) -> Iterator[str]:
    """Yield that cases are not sent to some of the models."""
    count = sum(case.local_only for case in job.cases)
    cloud = [model.id for model in job.models if not is_local(model)]
    if count and cloud:
        yield f"{counted(count, 'case is', 'cases are')} local_only and not sent to {', '.join(cloud)}"
    for model in job.models:
        used = {case.name for case in cases_for(job, model)[0]}
        kinds = [
            case.document.kind.upper()
            for case in job.cases
            if case.document is not None
            and case.name not in used
            and (is_local(model) or not case.local_only)
        ]
        if kinds:
            named = " and ".join(sorted(set(kinds)))
            many = counted(len(kinds), "document is", "documents are")
            yield f"{many} not sent to {model.id}, which takes no {named} as it is"


def _at(commit: str | None) -> str:
    return "at no commit" if commit is None else f"at commit {commit[:12]}"


def make_runs_dir(named: Path | None, prompt_library: Path, *, is_scratch: bool = False) -> Path:
    """Make the folder that was named, or the library's, before anything is called, and return it.

    The library's gets a `.gitignore` of its own: replies are large, and not for everybody. A run that
    `is_scratch` has a folder in it.

    Raises StorageError.
    """
    runs_dir = named or prompt_library / RUNS_IN_LIBRARY
    used = runs_dir / SCRATCH if is_scratch else runs_dir
    try:
        used.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror or error})",
            where=str(runs_dir),
            hint="mend its permissions, or name another with --runs-dir",
        ) from error
    ignore = runs_dir / ".gitignore"
    if named is None and not ignore.exists():
        # Inside the folder, so that no file of the library's own is changed for it.
        write_atomically(ignore, b"*\n")
    return used


def only_cases(prepared: Prepared, names: Sequence[str]) -> Prepared:
    """Return the job with these cases alone; raises CaseError for one that is not there or cannot be used."""
    job = prepared.job
    used = {case.name: case for case in job.cases}
    skipped = {case.case: case.reason for case in job.skipped_cases}
    for name in names:
        if name in skipped:
            raise CaseError(f"case {name} cannot be used: {skipped[name]}", hint="mend it")
        if name not in used:
            hint = did_you_mean(name, used) or f"known: {', '.join(list(used)[:20])}"
            raise CaseError(f"there is no case {name!r:.110}", where=job.component.slug, hint=hint)
    cases = tuple(used[name] for name in sorted(set(names)))
    # Scoring plans by these cases alone: what it would refuse then is refused before the calls.
    plan_fields(job.component, cases)
    # Of the other cases nothing is said: whoever names some looks at these.
    job = msgspec.structs.replace(job, cases=cases, skipped_cases=())
    return msgspec.structs.replace(prepared, job=job, findings=())


def select_models(
    models_file: ModelsFile,
    named: Sequence[str],
    environ: Mapping[str, str] | None,
    *,
    where: str,
) -> SelectedModels:
    """Choose the models to evaluate.

    A model whose provider cannot be reached from here (its key variable is unset, say) is skipped; none is
    where `environ` is None, since other machines call them. Raises ConfigurationError for a name that
    `models.yaml` (`where`) lacks.
    """
    wanted = _named(models_file, named, where) if named else models_file.models
    if environ is None:
        return SelectedModels(models=wanted, skipped=(), endpoints={})
    used = {model.provider: models_file.providers[model.provider] for model in wanted}
    resolved = {name: resolve_provider(provider, environ) for name, provider in used.items()}
    endpoints = {name: found for name, found in resolved.items() if isinstance(found, Endpoint)}
    reasons = {name: found.reason for name, found in resolved.items() if isinstance(found, NotConfigured)}
    return SelectedModels(
        models=tuple(model for model in wanted if model.provider in endpoints),
        skipped=tuple(
            SkippedModel(model.id, model.provider, reasons[model.provider])
            for model in wanted
            if model.provider in reasons
        ),
        endpoints=endpoints,
    )


def _commit(state: CommitState, field: str, where: Path) -> tuple[str | None, str]:
    # Said now, not when all calls are made: what cannot be found again in the library is not published.
    lost = f"{field} is null" + (" and the runs cannot be published" if field == "prompt_commit" else "")
    if state.commit is None:
        return None, f"{where} is at no commit of a git repository, so {lost}"
    # A commit that does not hold what was evaluated would be a wrong record: better none.
    if not state.changed:
        return state.commit, ""
    verb = "differs" if len(state.changed) == 1 else "differ"
    changed = f"{first_few(state.changed, 1)} {verb} from the commit"
    return None, f"{changed}, so {lost}; commit first to have it"


def _named(models_file: ModelsFile, named: Sequence[str], where: str) -> tuple[Model, ...]:
    known = {model.id: model for model in models_file.models}
    for name in named:
        if name not in known:
            raise ConfigurationError(
                f"there is no model {name!r:.110}",
                where=where,
                hint=did_you_mean(name, known) or f"known: {', '.join(known)}",
            )
    # A model that is named twice is one run, not two that overwrite each other's place.
    return tuple(known[name] for name in dict.fromkeys(named))
