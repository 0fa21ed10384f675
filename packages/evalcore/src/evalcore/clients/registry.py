"""Which dialect a provider speaks: DialectName lists them, and each is the folder here of that name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from importlib import import_module

from evalcore.clients.dialect import Dialect
from evalcore.clients.interface import BatchStore, Client, OnWait
from evalcore.clients.retry import RetryPolicy
from evalcore.errors import ConfigurationError
from evalcore.library.models import Provider, schema_dialect


def dialect_of(provider: Provider) -> Dialect:
    """Return how a provider is spoken to.

    Of servers that speak OpenAI's dialect, the provider named `openai` is OpenAI's own service.
    """
    own = provider.api == "openai" and schema_dialect(provider) == "openai"
    # By name: a further dialect is its folder and its name, and the service never loads those of the cloud.
    module = import_module(f"evalcore.clients.{'openai_cloud' if own else provider.api}.dialect")
    dialect: Dialect = module.DIALECT
    return dialect


def takes_batches(provider: Provider) -> bool:
    """Whether a provider answers calls in batches."""
    return dialect_of(provider).batches is not None


def open_batches(
    provider: Provider, base_url: str, api_key: str | None, store: BatchStore
) -> AbstractAsyncContextManager[Client]:
    """Open a client that makes its calls in batches; raises ConfigurationError where there are none."""
    from evalcore.clients.batch import open_batch_client  # noqa: PLC0415 - as in open_client

    dialect = dialect_of(provider)
    if dialect.batches is None:
        raise ConfigurationError(
            "takes no batches", where=f"provider {provider.name}", hint="leave out --batch for its models"
        )
    return open_batch_client(dialect, dialect.batches, provider, base_url, api_key, store)


def open_client(
    provider: Provider,
    base_url: str,
    api_key: str | None,
    *,
    proxy: str | None = None,
    retry: RetryPolicy | None = None,
    on_wait: OnWait | None = None,
) -> AbstractAsyncContextManager[Client]:
    """Open a client for a provider; `base_url` has its variables filled in, `proxy` is the URL of one."""
    # Most who ask which dialects there are open no connection, for which a third of a second is loaded.
    from evalcore.clients.http import open_http_client  # noqa: PLC0415

    return open_http_client(
        dialect_of(provider), provider, base_url, api_key, proxy=proxy, retry=retry, on_wait=on_wait
    )
