"""What has never been evaluated, how fresh the rest is, and how an evaluation is started."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from evalcore.formats.versions import parse_version
from evalcore.reports.dashboard.facts import (
    CLOUD_WORKFLOW,
    LOCAL_WORKFLOW,
    ComponentFacts,
    LibraryFacts,
    ModelFacts,
)
from evalcore.reports.dashboard.paths import component_page
from evalcore.reports.dashboard.site import Freshness, Gap, GapKind, Start
from evalcore.runs.record import RunRecord

_ORDER: Final = ("component", "version", "model")


def starts(slug: str, library: LibraryFacts, model: ModelFacts | None = None) -> tuple[Start, ...]:
    """Return how a component is evaluated: by the service for local models, by `evaluate` for others.

    Of one model, or of all that models.yaml has.
    """
    # The command is copied into a shell, and names of models are whatever models.yaml says.
    models = library.models if model is None else (model,)
    named = "" if model is None else f" --model {shlex.quote(model.id)}"
    found = []
    if any(one.is_local for one in models):
        link = library.workflow_link(LOCAL_WORKFLOW)
        found.append(Start(command=f"evalcli trigger {shlex.quote(slug)}{named}", link=link))
    if not found or not all(one.is_local for one in models):
        link = library.workflow_link(CLOUD_WORKFLOW)
        found.append(Start(command=f"evalcli evaluate {shlex.quote(slug)}{named}", link=link))
    return tuple(found)


def gaps_of(
    component: ComponentFacts, records: Sequence[RunRecord], library: LibraryFacts
) -> tuple[Gap, ...]:
    """Return what of a component has no complete run: all of it, its present version, or models there.

    A version counts by its MAJOR and MINOR, as for the sweep: a patch is not evaluated by itself.
    """
    complete = [record for record in records if record.status == "complete"]
    if not complete:
        partial = " (partial runs alone)" if records else ""
        return (_gap("component", component, f"{component.slug} has no complete run{partial}", library),)
    line = version_line(component.version)
    if line is None:
        return ()
    present = {record.model for record in complete if version_line(record.component_version) == line}
    if not present:
        said = f"{component.slug} {component.version} has no complete run; earlier versions have"
        return (_gap("version", component, said, library),)
    return tuple(
        _gap("model", component, f"{model.id} has no complete run of {component.slug}", library, model)
        for model in library.models
        if model.id not in present
    )


def in_order(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Sort gaps: what is missing altogether first."""
    return tuple(sorted(gaps, key=lambda gap: (_ORDER.index(gap.kind), gap.component, gap.model or "")))


def freshness(
    component: ComponentFacts, validated: RunRecord | None, *, has_partial: bool
) -> tuple[Freshness, str]:
    """Say whether a model's newest complete run of a component is of what the library has now."""
    if validated is None:
        if has_partial:
            return "partial", "partial runs alone: run again"
        return "never", "never evaluated"
    was, now = validated.component_version, component.version
    if was == now:
        if validated.prompt_sha256 != component.prompt_sha256:
            return "changed", f"validated at {was}, but the prompt has changed since: run again"
        return "current", f"validated at {was}, the present version"
    if version_line(was) is not None and version_line(was) == version_line(now):
        return "patch", f"validated at {was}, now {now}: a patch, which is evaluated on request only"
    return "outdated", f"validated at {was}, now {now or 'unreadable'}: run again"


def version_line(version: str | None) -> tuple[int, int] | None:
    """Return MAJOR and MINOR; None of what is no version."""
    found = parse_version(version) if version is not None else None
    return None if found is None else (found.major, found.minor)


def _gap(
    kind: GapKind,
    component: ComponentFacts,
    sentence: str,
    library: LibraryFacts,
    model: ModelFacts | None = None,
) -> Gap:
    return Gap(
        kind=kind,
        component=component.slug,
        component_page=component_page(component.slug),
        component_version=component.version,
        model=None if model is None else model.id,
        sentence=sentence,
        starts=starts(component.slug, library, model),
    )
