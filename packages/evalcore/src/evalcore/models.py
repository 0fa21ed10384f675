"""`.evaluator/models.yaml`: the providers and the models to evaluate."""

from __future__ import annotations

from typing import Literal

import msgspec

from evalcore.structs import Frozen, JsonValue

Dialect = Literal["openai", "anthropic", "google"]
StructuredOutput = Literal["none", "json_object", "json_schema"]


class Price(Frozen, frozen=True):
    """USD per million tokens."""

    input: float
    output: float


class Provider(Frozen, frozen=True):
    """Where models are served, in which wire dialect, and which variable holds the key."""

    name: str
    api: Dialect
    base_url: str
    """The server's root, without a trailing `/` or `/v1`; may still name `${VARIABLES}`."""
    api_key_env: str | None


class Model(Frozen, frozen=True):
    """One model to evaluate, with the parameters it is called with."""

    id: str
    provider: str
    structured_output: StructuredOutput = "none"
    params: dict[str, JsonValue] = msgspec.field(default_factory=dict)
    """Sent as given; `seed` is sent as seed + replicate index."""
    concurrency: int = 8
    """Calls in flight for this model."""
    stream: bool = False
    timeout: float = 720.0
    """Seconds for one call, all of it."""
    price: Price | None = None


class ModelsFile(Frozen, frozen=True):
    """A parsed models.yaml; `providers` holds the built-in ones and the overrides."""

    providers: dict[str, Provider]
    models: tuple[Model, ...]


LOCAL_PROVIDER = "mindrouter"


def is_local(model: Model) -> bool:
    """Whether the service on the VM evaluates this model (the CLI in Actions evaluates the others)."""
    return model.provider == LOCAL_PROVIDER
