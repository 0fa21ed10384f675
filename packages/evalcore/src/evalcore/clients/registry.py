"""Which dialect a provider speaks: the one list of those that this version can call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from evalcore.clients.anthropic.dialect import ANTHROPIC
from evalcore.clients.dialect import Dialect
from evalcore.clients.google.dialect import GOOGLE
from evalcore.clients.interface import BatchStore, Client, OnWait
from evalcore.clients.openai.dialect import OPENAI
from evalcore.clients.openai_cloud.dialect import OPENAI_CLOUD
from evalcore.clients.retry import RetryPolicy
from evalcore.errors import ConfigurationError
from evalcore.library.models import DialectName, Provider, schema_dialect

# Keyed by DialectName, so that mypy refuses a dialect whose name models.yaml does not know.
_DIALECTS: Final[Mapping[DialectName, Dialect]] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
}
SPOKEN_DIALECTS: Final[frozenset[str]] = frozenset(_DIALECTS)
"""The dialects that this version can call, by their names in models.yaml (`api`)."""


def dialect_of(provider: Provider) -> Dialect | None:
    """Return how a provider is spoken to; None for a dialect that this version does not speak.

    Of servers that speak OpenAI's dialect, the provider named `openai` is OpenAI's own service.
    """
    if schema_dialect(provider) == "openai":
        return OPENAI_CLOUD
    return _DIALECTS.get(provider.api)


def takes_batches(provider: Provider) -> bool:
    """Whether a provider answers calls in batches."""
    dialect = dialect_of(provider)
    return dialect is not None and dialect.batches is not None


def open_batches(
    provider: Provider, base_url: str, api_key: str | None, store: BatchStore
) -> AbstractAsyncContextManager[Client]:
    """Open a client that makes its calls in batches; raises ConfigurationError where there are none."""
    from evalcore.clients.batch import open_batch_client  # noqa: PLC0415 - as in open_client

    dialect = dialect_of(provider)
    if dialect is None or dialect.batches is None:
        raise ConfigurationError(
            "takes no batches", where=f"provider {provider.name}", hint="leave out --batch for its models"
        )
    return open_batch_client(dialect, dialect.batches, provider, base_url, api_key, store)


def open_client(
    provider: Provider,
    base_url: str,
    api_key: str | None,
    *,
    retry: RetryPolicy | None = None,
    on_wait: OnWait | None = None,
) -> AbstractAsyncContextManager[Client]:
    """Open a client for a provider; `base_url` has its variables filled in.

    Raises ConfigurationError for a dialect that this version does not speak.
    """
    # Most who ask which dialects there are open no connection, for which a third of a second is loaded.
    from evalcore.clients.http import open_http_client  # noqa: PLC0415

    dialect = dialect_of(provider)
    if dialect is None:
        raise ConfigurationError(
            f"the wire dialect {provider.api} is not spoken yet",
            where=f"models.yaml, provider {provider.name}",
            hint="leave its models out, or use a gateway with api: openai",
        )
    return open_http_client(dialect, provider, base_url, api_key, retry=retry, on_wait=on_wait)
