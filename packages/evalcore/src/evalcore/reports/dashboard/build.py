"""The parts of all components, put together: the whole site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalcore.library.models import LOCAL_PROVIDER
from evalcore.reports.dashboard.component import ComponentDigest
from evalcore.reports.dashboard.facts import LibraryFacts
from evalcore.reports.dashboard.gaps import in_order
from evalcore.reports.dashboard.paths import model_page
from evalcore.reports.dashboard.site import LibraryView, ModelInComponent, ModelView, Site, Totals
from evalcore.version import __version__


def build_site(library: LibraryFacts, components: Iterable[ComponentDigest]) -> Site:
    """Put the site together; components in the order of their slugs."""
    digests = sorted(components, key=lambda digest: digest.view.slug)
    models = _models(library, digests)
    return Site(
        evaluator_version=__version__,
        library=LibraryView(
            name=library.name,
            repository=library.repository,
            url=library.url,
            commit=library.commit,
            models_problem=library.models_problem,
        ),
        newest_run_at=max((one.newest_run_at for one in digests if one.newest_run_at), default=None),
        totals=Totals(
            components=len(digests),
            evaluated_components=sum(
                version.is_current and version.complete_models > 0
                for digest in digests
                for version in digest.view.versions
            ),
            models=len(models),
            runs=sum(digest.view.runs for digest in digests),
            replies=sum(digest.replies for digest in digests),
        ),
        components=tuple(digest.view for digest in digests),
        models=models,
        never_evaluated=in_order(gap for digest in digests for gap in digest.view.gaps),
    )


def _models(library: LibraryFacts, digests: Sequence[ComponentDigest]) -> tuple[ModelView, ...]:
    configured = {model.id: model.provider for model in library.models}
    # Where models.yaml does not have a model any more, what its runs say; of the last component, any will do.
    providers = {model: one.provider for digest in digests for model, one in digest.models.items()}
    found: dict[str, list[ModelInComponent]] = {model: [] for model in configured}
    for digest in digests:
        for model, one in digest.models.items():
            found.setdefault(model, []).append(one.figures)
    return tuple(
        _model(model, (providers | configured)[model], components, is_configured=model in configured)
        for model, components in sorted(found.items())
    )


def _model(
    model: str, provider: str, components: Sequence[ModelInComponent], *, is_configured: bool
) -> ModelView:
    # A first place at a version that is gone says nothing of the component as it is.
    first = sum(
        one.rank is not None and one.rank[0] == 1 and one.freshness in {"current", "patch"}
        for one in components
    )
    return ModelView(
        id=model,
        page=model_page(model),
        provider=provider,
        is_configured=is_configured,
        is_local=provider == LOCAL_PROVIDER,
        first_places=first,
        sentence=_sentence(components, first),
        components=tuple(components),
    )


def _sentence(components: Sequence[ModelInComponent], first: int) -> str:
    """Say in one sentence how a model does over the library."""
    validated = sum(one.validated_at is not None for one in components)
    again = sum(one.freshness in {"outdated", "changed", "partial"} for one in components)
    if not validated:
        return f"No complete run at any of {_counted(len(components), 'component')}."
    said = f"Best or level with the best at {first} of {_counted(validated, 'component')} with a complete run"
    return f"{said}; {again} to run again." if again else f"{said}; all are fresh."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
