"""Which client speaks a provider's dialect."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from evalcore.clients.http import OnWait, open_openai_client
from evalcore.clients.interface import Client
from evalcore.clients.retry import RetryPolicy
from evalcore.errors import ConfigurationError
from evalcore.library.models import Provider

_OPENERS: Final = {"openai": open_openai_client}
SPOKEN_DIALECTS: Final = frozenset(_OPENERS)
"""What this version can call."""


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
    opener = _OPENERS.get(provider.api)
    if opener is None:
        raise ConfigurationError(
            f"the wire dialect {provider.api} is not spoken yet",
            where=f"models.yaml, provider {provider.name}",
            hint="leave its models out, or use a gateway with api: openai",
        )
    return opener(provider, base_url, api_key, retry=retry, on_wait=on_wait)
