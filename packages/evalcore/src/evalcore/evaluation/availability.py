"""Which models can be called now: asked of MindRouter, and asked again for those it does not list.

A tripped circuit breaker takes a model off the list for 20-30 s, so one that is not listed is looked
for again, together with the others, until 45 s from the start of the job; only then is it skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from evalcore.clients.interface import Client, Served
from evalcore.effects import Effects
from evalcore.errors import ModelError, ProviderUnreachable
from evalcore.library.models import Model, is_local
from evalcore.runs.plan import Server

LOOK_AGAIN_FOR_S = 45.0
LOOK_EVERY_S = 5.0


class Listener(Protocol):
    """Is told what became of each model, once."""

    def found(self, model: Model, server: Server) -> None:
        """Tell that a model can be called."""

    def awaited(self, model: Model, seconds: float) -> None:
        """Tell that a model is not listed, and for how much longer it is looked for."""

    def missing(self, model: Model, reason: str, error: ModelError | None) -> None:
        """Tell that a model cannot be called, and why."""


async def find_models(
    provider: str,
    client: Client,
    models: Sequence[Model],
    listener: Listener,
    effects: Effects,
    *,
    is_patient: bool = False,
) -> None:
    """Tell the listener of every model of one provider, as soon as it is known.

    A provider that cannot be reached at the first look is not waited for, unless `is_patient`.
    """
    remote = [model for model in models if not is_local(model)]
    for model in remote:
        listener.found(model, Server())
    wanted = [model for model in models if is_local(model)]
    if not wanted:
        return
    deadline = effects.monotonic() + LOOK_AGAIN_FOR_S
    try:
        first = await (_served_or_nothing(client) if is_patient else client.served())
        wanted = _tell_found(first, wanted, listener)
        for model in wanted:
            listener.awaited(model, LOOK_AGAIN_FOR_S)
        while wanted and (left := deadline - effects.monotonic()) > 0:
            await effects.sleep(min(LOOK_EVERY_S, left))
            wanted = _tell_found(await _served_or_nothing(client), wanted, listener)
    except ModelError as error:
        for model in wanted:
            listener.missing(model, error.line, error)
        return
    for model in wanted:
        listener.missing(model, f"{provider} lists no backend for it now", None)


async def _served_or_nothing(client: Client) -> Served:
    try:
        return await client.served()
    except ProviderUnreachable:
        # It was there a moment ago: the next look, or the deadline, decides.
        return Served(version=None, models={})


def _tell_found(served: Served, wanted: Sequence[Model], listener: Listener) -> list[Model]:
    for model in wanted:
        entry = served.models.get(model.id)
        if entry is not None:
            server = Server(
                version=served.version,
                quantization=entry.quantization,
                context_length=entry.context_length,
                backends=entry.backends,
            )
            listener.found(model, server)
    return [model for model in wanted if model.id not in served.models]


def by_provider(models: Sequence[Model]) -> Mapping[str, list[Model]]:
    """Group models by provider, in the order of their first appearance."""
    groups: dict[str, list[Model]] = {}
    for model in models:
        groups.setdefault(model.provider, []).append(model)
    return groups
