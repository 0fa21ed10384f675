"""Which models are evaluated: those named, or all, less those that cannot be called from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalcore.clients.registry import SPOKEN_DIALECTS
from evalcore.errors import ConfigurationError
from evalcore.models import Endpoint, Model, ModelsFile, NotConfigured, Provider, resolve_provider
from evalcore.structs import Frozen


class SkippedModel(Frozen, frozen=True):
    """A model that is left out, and why."""

    model: str
    reason: str


class Selection(Frozen, frozen=True):
    """The models to evaluate, and where each of their providers is reached."""

    models: tuple[Model, ...]
    skipped: tuple[SkippedModel, ...]
    endpoints: Mapping[str, Endpoint]
    """By provider name."""


def select_models(
    models_file: ModelsFile,
    named: Sequence[str],
    environ: Mapping[str, str],
    *,
    where: str,
) -> Selection:
    """Choose the models to evaluate.

    A model whose provider cannot be reached from here (its key variable is unset, say) is skipped.
    Raises ConfigurationError for a name that `models.yaml` (`where`) lacks.
    """
    wanted = _named(models_file, named, where) if named else models_file.models
    used = {model.provider: models_file.providers[model.provider] for model in wanted}
    resolved = {name: resolve(provider, environ) for name, provider in used.items()}
    endpoints = {name: found for name, found in resolved.items() if isinstance(found, Endpoint)}
    reasons = {name: found.reason for name, found in resolved.items() if isinstance(found, NotConfigured)}
    return Selection(
        models=tuple(model for model in wanted if model.provider in endpoints),
        skipped=tuple(
            SkippedModel(model.id, reasons[model.provider]) for model in wanted if model.provider in reasons
        ),
        endpoints=endpoints,
    )


def _named(models_file: ModelsFile, named: Sequence[str], where: str) -> tuple[Model, ...]:
    known = {model.id: model for model in models_file.models}
    for name in named:
        if name not in known:
            raise ConfigurationError(
                f"there is no model {name!r:.110}", where=where, hint=f"known: {', '.join(known)}"
            )
    return tuple(known[name] for name in dict.fromkeys(named))


def resolve(provider: Provider, environ: Mapping[str, str]) -> Endpoint | NotConfigured:
    """Say where a provider is reached, or why its models cannot be called from here."""
    if provider.api not in SPOKEN_DIALECTS:
        return NotConfigured(
            reason=f"{provider.name} speaks the {provider.api} dialect, which this version cannot call yet"
        )
    return resolve_provider(provider, environ)
