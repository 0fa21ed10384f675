"""MindRouter as the service uses it: which models it serves, and the clients that call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from evalcore.clients.interface import Client, Served
from evalcore.clients.registry import open_client
from evalcore.errors import ConfigurationError
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import (
    BUILT_IN,
    LOCAL_PROVIDER,
    ModelsFile,
    NotConfigured,
    Provider,
    resolve_provider,
)
from evalcore.runs.plan import JobPlan
from evalcore.secret import Secret


class MindRouterGateway:
    """Opens clients for the configured MindRouter, and for no other server."""

    def __init__(self, base_url: str, api_key: Secret) -> None:
        self._base_url = base_url
        self._api_key = api_key

    async def probe(self, models: ModelsFile) -> None:
        """Check that it answers and accepts the key; raises ModelError or ConfigurationError."""
        await self.served(models)

    async def served(self, models: ModelsFile | None) -> Served:
        """Ask which models it serves; without a models.yaml, as its built-in provider says."""
        providers = BUILT_IN if models is None else models.providers
        async with self._client(providers[LOCAL_PROVIDER]) as client:
            return await client.served()

    @asynccontextmanager
    async def open(self, plan: JobPlan) -> AsyncIterator[Mapping[str, Client]]:
        """Open the clients of a job, by provider; raises ConfigurationError."""
        async with self._client(plan.providers[LOCAL_PROVIDER]) as client:
            yield {LOCAL_PROVIDER: client}

    def _client(self, provider: Provider) -> AbstractAsyncContextManager[Client]:
        # models.yaml sees these two variables and no other of ours.
        known = {"MINDROUTER_BASE_URL": self._base_url, "MINDROUTER_API_KEY": self._api_key.reveal()}
        endpoint = resolve_provider(provider, known)
        where = f"{MODELS_PATH}, provider {provider.name}"
        if isinstance(endpoint, NotConfigured):
            hint = "use ${MINDROUTER_BASE_URL} and MINDROUTER_API_KEY; the service knows no other variable"
            raise ConfigurationError(endpoint.reason, where=where, hint=hint)
        if endpoint.base_url != self._base_url:
            # Otherwise anybody who may change models.yaml could have the key sent to a server of theirs.
            raise ConfigurationError(
                "its base_url is another server than MINDROUTER_BASE_URL, which alone is sent the key",
                where=where,
                hint="write base_url: ${MINDROUTER_BASE_URL}",
            )
        return open_client(provider, endpoint.base_url, endpoint.api_key)
