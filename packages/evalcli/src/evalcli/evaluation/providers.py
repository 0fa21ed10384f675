"""Where providers are reached from here, or why they are not."""

from __future__ import annotations

from collections.abc import Mapping

from evalcore.clients.registry import SPOKEN_DIALECTS
from evalcore.library.models import Endpoint, NotConfigured, Provider, resolve_provider


def resolve(provider: Provider, environ: Mapping[str, str]) -> Endpoint | NotConfigured:
    """Say where a provider is reached, or why its models cannot be called from here."""
    if provider.api not in SPOKEN_DIALECTS:
        return NotConfigured(
            reason=f"{provider.name} speaks the {provider.api} dialect, which this version cannot call yet"
        )
    return resolve_provider(provider, environ)
