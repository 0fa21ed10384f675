"""MindRouter, as this service uses it: where it is and with which key comes from the settings alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from evalcore.clients.interface import Client, Served
from evalcore.errors import ConfigurationError
from evalcore.library import MODELS_PATH
from evalcore.models import BUILT_IN, LOCAL_PROVIDER, ModelsFile, NotConfigured, Provider, resolve_provider
from evalcore.plan import JobPlan
from evalhook.secret import Secret


class MindRouter:
    """Opens clients for MindRouter."""

    def __init__(self, base_url: str, api_key: Secret) -> None:
        self._base_url = base_url
        self._api_key = api_key

    async def probe(self, models: ModelsFile) -> None:
        """Find out whether it answers and takes the key; raises ModelError or ConfigurationError."""
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
            # Otherwise whoever may change models.yaml could have the key sent anywhere.
            raise ConfigurationError(
                "its base_url is another server than MINDROUTER_BASE_URL, which alone is sent the key",
                where=where,
                hint="write base_url: ${MINDROUTER_BASE_URL}",
            )
        # Loaded with the first request: the HTTP libraries take 0.2 s that the start need not wait for.
        from evalcore.clients.registry import open_client  # noqa: PLC0415

        return open_client(provider, endpoint.base_url, endpoint.api_key)
