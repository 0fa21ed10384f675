"""Which models can be called now: asked of MindRouter, and asked again for those it does not list.

A tripped circuit breaker takes a model off the list for 20-30 s, so one that is not listed is looked
for again, together with the others, until 45 s from the start of the job; only then is it skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from evalcore.clients.interface import Client, Served
from evalcore.effects import Effects
from evalcore.errors import ModelError, ProviderUnreachable
from evalcore.library.models import Model, is_local
from evalcore.near_names import did_you_mean
from evalcore.runs.plan import Server

LOOK_AGAIN_FOR_S = 45.0
LOOK_EVERY_S = 5.0


class ModelObserver(Protocol):
    """Notified of what became of each model, once."""

    def found(self, model: Model, server: Server) -> None:
        """A model can be called."""

    def awaited(self, model: Model, seconds: float, hint: str) -> None:
        """A model is not listed; it is looked for again for so many seconds. `hint`: what may be meant."""

    def missing(self, model: Model, reason: str, error: ModelError | None) -> None:
        """A model cannot be called, and why."""


async def find_models(
    provider: str,
    client: Client,
    models: Sequence[Model],
    observer: ModelObserver,
    effects: Effects,
    *,
    patience: float = 0.0,
    is_awaited: bool = True,
) -> None:
    """Notify the observer of every model of one provider, as soon as its state is known.

    A local provider that cannot be reached is asked again for `patience` seconds. With the default of 0,
    one that cannot be reached the first time it is asked ends the search, and its models are missing.
    Unless `is_awaited`, one look decides.
    """
    remote = [model for model in models if not is_local(model)]
    for model in remote:
        observer.found(model, Server())
    wanted = [model for model in models if is_local(model)]
    if not wanted:
        return
    began = effects.monotonic()
    deadline = began + LOOK_AGAIN_FOR_S
    try:
        # Without patience the first look may raise: a wrong address is an error at once, not after 45 s. A
        # later one may not: a server that was there is restarted, and lists its models again within 30 s.
        first = await (_served_if_there(client) if patience else client.served())
        wanted = _notify_found(first, wanted, observer)
        hints = {model.id: _hint(model, models, first) for model in wanted}
        if not is_awaited:
            deadline = began
        for model in wanted if is_awaited else ():
            observer.awaited(model, LOOK_AGAIN_FOR_S, hints[model.id])
        while wanted and (left := deadline - effects.monotonic()) > 0:
            await effects.sleep(min(LOOK_EVERY_S, left))
            served = await _served_if_there(client)
            wanted = _notify_found(served, wanted, observer)
            if served is None and (now := effects.monotonic()) < began + patience:
                # while it is away nothing is known of its models: their 45 s begin once it is back
                deadline = now + LOOK_AGAIN_FOR_S
    # A key that is refused ends the looking: no later look would be answered otherwise.
    except ModelError as error:
        for model in wanted:
            observer.missing(model, error.line, error)
        return
    for model in wanted:
        hint = f"; {hints[model.id]}" if hints[model.id] else ""
        observer.missing(model, f"{provider} lists no backend for it now{hint}", None)


def _hint(model: Model, models: Sequence[Model], served: Served | None) -> str:
    """Say which served model may be meant; none that is configured itself, which its own name means."""
    configured = {one.id for one in models}
    return did_you_mean(model.id, [one for one in served.models if one not in configured] if served else [])


async def _served_if_there(client: Client) -> Served | None:
    try:
        return await client.served()
    except ProviderUnreachable:
        # It was there a moment ago: the next look, or the deadline, decides.
        return None


def _notify_found(served: Served | None, wanted: Sequence[Model], observer: ModelObserver) -> list[Model]:
    if served is None:
        return list(wanted)
    for model in wanted:
        entry = served.models.get(model.id)
        if entry is not None:
            server = Server(
                version=served.version,
                quantization=entry.quantization,
                context_length=entry.context_length,
                backends=entry.backends,
            )
            observer.found(model, server)
    return [model for model in wanted if model.id not in served.models]
