"""MindRouter as the service uses it: which models it serves, and the clients that call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from msgspec import structs

from evalcore.clients.interface import Client, OnWait, Served
from evalcore.clients.outage import OutagePolicy
from evalcore.clients.registry import open_client
from evalcore.documents.interface import Reader
from evalcore.documents.readers import open_reader, reader_endpoint
from evalcore.errors import ConfigurationError
from evalcore.library.loader import MODELS_PATH
from evalcore.library.models import (
    BUILT_IN,
    LOCAL_PROVIDER,
    Endpoint,
    ModelsFile,
    NotConfigured,
    Provider,
    resolve_provider,
)
from evalcore.runs.plan import JobPlan
from evalcore.secret import Secret


class MindRouterGateway:
    """Opens clients for the configured MindRouter, and for no other server.

    `proxy` is the URL of the HTTP proxy that it is reached through, if any.
    """

    def __init__(self, base_url: str, api_key: Secret, proxy: str | None) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._proxy = proxy

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

    def require_reader(self, plan: JobPlan) -> None:
        """Raise ConfigurationError where the job's documents cannot be read here as the library wants."""
        self._reader_endpoint(plan)

    def open_reader(
        self, plan: JobPlan, on_wait: OnWait, outage: OutagePolicy
    ) -> AbstractAsyncContextManager[Reader]:
        """Open what reads a job's documents; raises ConfigurationError."""
        return open_reader(plan.reading, plan.providers, self._reader_endpoint(plan), on_wait, outage)

    def _reader_endpoint(self, plan: JobPlan) -> Endpoint | None:
        if plan.reading.reader == "mindrouter":
            self._endpoint(plan.providers[LOCAL_PROVIDER])
        endpoint = reader_endpoint(plan.reading, plan.providers, self._known, plan.component.slug)
        return None if endpoint is None else structs.replace(endpoint, proxy=self._proxy)

    @property
    def _known(self) -> dict[str, str]:
        # models.yaml sees these two variables and no other of ours.
        return {"MINDROUTER_BASE_URL": self._base_url, "MINDROUTER_API_KEY": self._api_key.reveal()}

    def _client(self, provider: Provider) -> AbstractAsyncContextManager[Client]:
        endpoint = self._endpoint(provider)
        return open_client(provider, endpoint.base_url, endpoint.api_key, proxy=self._proxy)

    def _endpoint(self, provider: Provider) -> Endpoint:
        endpoint = resolve_provider(provider, self._known)
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
        return endpoint
