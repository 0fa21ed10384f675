"""`.evaluator/models.yaml`: the providers and the models to evaluate."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from evalcore.library.adaptation import SchemaDialect
from evalcore.library.reading import ReadingSettings
from evalcore.structs import Frozen, JsonValue

DialectName = Literal["openai", "anthropic", "google"]
"""What `api` may be: the names of the wire dialects, those included that no version can call yet.

The one list of them: each is the folder of its name in evalcore.clients, where the registry finds it. It is
here because the library imports no client; a file that names a known dialect is valid for every version.
"""
StructuredOutput = Literal["none", "json_object", "json_schema"]


BATCH_DISCOUNT = 0.5
"""What Anthropic and OpenAI take off the price of a call that is made in a batch."""


class Price(Frozen, frozen=True, omit_defaults=True):
    """USD per million tokens."""

    input: float
    output: float
    cache_read: float | None = None
    """Of the prompt, what came out of the provider's cache; None: as `input`."""
    cache_write: float | None = None
    """Of the prompt, what was put into the cache; None: as `input`."""
    thinking: float | None = None
    """Of the output, what the model thought; None: as `output`."""

    def of(
        self, prompt: int, completion: int, *, cache_read: int = 0, cache_write: int = 0, thinking: int = 0
    ) -> float:
        """Return what so many tokens cost, in USD; `prompt` and `completion` hold all the other kinds."""
        read = self.input if self.cache_read is None else self.cache_read
        written = self.input if self.cache_write is None else self.cache_write
        thought = self.output if self.thinking is None else self.thinking
        parts = (
            # Providers count tokens of the cache within the prompt, and those of thinking within the output.
            (prompt - cache_read - cache_write) * self.input,
            cache_read * read,
            cache_write * written,
            (completion - thinking) * self.output,
            thinking * thought,
        )
        return math.fsum(parts) / 1e6


class Provider(Frozen, frozen=True):
    """Where models are served, in which wire dialect, and which variable holds the key."""

    name: str
    api: DialectName
    base_url: str
    """The server's root, without a trailing `/` or `/v1`; may still begin with a `${VARIABLE}`."""
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
    idle_timeout: float = 120.0
    """Seconds without a byte once a streamed answer has begun."""
    price: Price | None = None


class ModelsFile(Frozen, frozen=True):
    """A parsed models.yaml; `providers` holds the built-in ones and the overrides."""

    providers: dict[str, Provider]
    models: tuple[Model, ...]
    documents: ReadingSettings = ReadingSettings()
    """How inputs that are no text are read, where a component's inputs.yaml says nothing else."""


LOCAL_PROVIDER = "mindrouter"
OPENAI_PROVIDER = "openai"
"""OpenAI's own service by its name: servers that speak its dialect are many, and take other requests."""

BUILT_IN = {
    provider.name: provider
    for provider in (
        Provider(
            name="anthropic",
            api="anthropic",
            base_url="https://api.anthropic.com",
            api_key_env="ANTHROPIC_API_KEY",
        ),
        Provider(
            name="google",
            api="google",
            base_url="https://generativelanguage.googleapis.com",
            api_key_env="GOOGLE_API_KEY",
        ),
        Provider(
            name=LOCAL_PROVIDER,
            api="openai",
            base_url="${MINDROUTER_BASE_URL}",
            api_key_env="MINDROUTER_API_KEY",
        ),
        Provider(
            name="openai", api="openai", base_url="https://api.openai.com", api_key_env="OPENAI_API_KEY"
        ),
    )
}

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# At the beginning alone: anywhere else it would be sent to a server that the file names.
FROM_VARIABLE = re.compile(_VARIABLE.pattern + r"(?:/[^\s?#@$]*)?")
SERVER_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[^\s?#@$]*)?")

# A pull request may change models.yaml, and the workflow that evaluates it has these in its environment.
_NO_MODELS_KEY = re.compile(r"(?:GITHUB|GH|ACTIONS|RUNNER|EVALHOOK|MINDROUTER_EVAL)_", re.IGNORECASE)
"""Variables of the platform and of our own service: no file may have their values sent anywhere."""


def may_hold_a_key(variable: str) -> bool:
    """Whether a file may name this variable as the one with a provider's key."""
    return _NO_MODELS_KEY.match(variable) is None


def is_local(model: Model) -> bool:
    """Whether the service on the VM evaluates this model (the CLI in Actions evaluates the others)."""
    return model.provider == LOCAL_PROVIDER


def by_provider(models: Sequence[Model]) -> Mapping[str, list[Model]]:
    """Group models by provider, in the order of their first appearance."""
    groups: dict[str, list[Model]] = {}
    for model in models:
        groups.setdefault(model.provider, []).append(model)
    return groups


def schema_dialect(provider: Provider) -> SchemaDialect | None:
    """Whose rules a schema has to follow; None for servers that take it as it is (MindRouter, vLLM)."""
    if provider.api == "openai":
        return "openai" if provider.name == OPENAI_PROVIDER else None
    return provider.api


def takes_document(provider: Provider, kind: str) -> bool:
    """Whether a provider's models can be sent a document of a kind, as `pdf`, as it is.

    MindRouter, and most servers that speak OpenAI's dialect, pass over a file's part without a word: the
    model would answer without having seen its input.
    """
    pictures = kind in {"png", "jpg", "jpeg"}
    # By name, without an else: of a further dialect it has to be said, and mypy asks for it.
    match provider.api:
        case "openai":
            return pictures or (kind == "pdf" and provider.name == OPENAI_PROVIDER)
        case "anthropic" | "google":
            return pictures or kind == "pdf"


def streams_by_default(provider: str) -> bool:
    """Whether a provider's replies are streamed where models.yaml does not say."""
    # MindRouter kills and begins again an answer that is not streamed and takes over 180 s.
    return provider == LOCAL_PROVIDER


def concurrency_by_default(provider: str) -> int:
    """How many calls of one model are in flight where models.yaml does not say."""
    # A backend behind MindRouter has four slots: more calls wait there, and keep others waiting.
    return 4 if provider == LOCAL_PROVIDER else 8


class Endpoint(Frozen, frozen=True):
    """A provider that can be used: where, and with which key."""

    base_url: str
    """The server's root, without a trailing `/` or `/v1`."""
    api_key: str | None
    proxy: str | None = None
    """The HTTP proxy that it is reached through; None where it is reached directly."""

    def __repr__(self) -> str:
        return f"Endpoint(base_url={self.base_url!r}, api_key={'***' if self.api_key else None})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Keep the key off rich's tracebacks too."""
        return [("base_url", self.base_url)]


class NotConfigured(Frozen, frozen=True):
    """Why a provider's models are skipped."""

    reason: str


def resolve_provider(provider: Provider, environment: Mapping[str, str]) -> Endpoint | NotConfigured:
    """Fill in a provider's variables; says which are unset when it cannot be used."""
    base_url, variable = provider.base_url, _VARIABLE.match(provider.base_url)
    unset = _unset(provider, environment)
    if unset is not None:
        return unset
    if variable is not None:
        base_url = server_root(server_root(environment[variable[1]]) + base_url[variable.end() :])
    # Once more, after the variable is filled in: what the environment holds was not checked with the file.
    if not SERVER_URL.fullmatch(base_url):
        what = f"the base_url of {provider.name}" if variable is None else variable[1]
        return NotConfigured(
            reason=f"{what} is not an http(s) URL such as https://host:8000: it says where {provider.name} is"
        )
    if provider.api_key_env is None:
        return Endpoint(base_url=base_url, api_key=None)
    key = _key(provider.api_key_env, environment)
    if isinstance(key, NotConfigured):
        return key
    return Endpoint(base_url=base_url, api_key=key)


def _unset(provider: Provider, environment: Mapping[str, str]) -> NotConfigured | None:
    """Name all variables that are not set at once: whoever sets one is not to be told of the next."""

    def is_unset(variable: str) -> bool:
        # An empty one is as good as unset: that is what Actions makes of a secret that is not there.
        return not environment.get(variable, "").strip()

    name, address, key = provider.name, _VARIABLE.match(provider.base_url), provider.api_key_env
    unset_address = address is not None and is_unset(address[1])
    # One that may hold no model's key is refused, not asked for.
    unset_key = key is not None and may_hold_a_key(key) and is_unset(key)
    if unset_address and unset_key:
        both = f"{address and address[1]} and {key} are not set"
        return NotConfigured(reason=f"{both}: they say where {name} is, and hold its key")
    if unset_address:
        return NotConfigured(reason=f"{address and address[1]} is not set: it says where {name} is")
    return NotConfigured(reason=f"{key} is not set: it holds the key of {name}") if unset_key else None


def _key(variable: str, environment: Mapping[str, str]) -> str | NotConfigured:
    # models.yaml is checked when it is read; the plan of a run that is resumed may be somebody else's.
    if not may_hold_a_key(variable):
        return NotConfigured(reason=f"{variable} holds no model's key: it is sent to no server")
    key = environment[variable].strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        return NotConfigured(reason=f"{variable} holds no key: it has unusual characters")
    return key


def server_root(url: str) -> str:
    """Return a base URL without trailing `/` and `/v1`, which mean the same."""
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
