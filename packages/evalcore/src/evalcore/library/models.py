"""`.evaluator/models.yaml`: the providers and the models to evaluate."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from evalcore.errors import ConfigurationError
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.near_names import did_you_mean
from evalcore.structs import Frozen, JsonValue, Strict

DialectName = Literal["openai", "anthropic", "google"]
"""What `api` may be: the names of the wire dialects, those included that no version can call yet.

The one list of them. It is here and not in evalcore.clients.registry, which says how each is spoken,
because the library imports no client; a file that names a known dialect is valid for every version.
"""
StructuredOutput = Literal["none", "json_object", "json_schema"]


class Price(Frozen, frozen=True):
    """USD per million tokens."""

    input: float
    output: float


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


LOCAL_PROVIDER = "mindrouter"

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

RESERVED_PARAMS = frozenset({"model", "messages", "stream", "stream_options", "response_format", "n"})
"""What the evaluator itself puts into a request."""

MAX_SECONDS = 86_400.0
MAX_CONCURRENCY = 1_000
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# At the beginning alone: anywhere else it would be sent to a server that the file names.
_FROM_VARIABLE = re.compile(_VARIABLE.pattern + r"(?:/[^\s?#@$]*)?")
_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[^\s?#@$]*)?")


def is_local(model: Model) -> bool:
    """Whether the service on the VM evaluates this model (the CLI in Actions evaluates the others)."""
    return model.provider == LOCAL_PROVIDER


def streams_by_default(provider: str) -> bool:
    """Whether a provider's replies are streamed where models.yaml does not say."""
    # MindRouter kills and begins again an answer that is not streamed and takes over 180 s.
    return provider == LOCAL_PROVIDER


def concurrency_by_default(provider: str) -> int:
    """How many calls of one model are in flight where models.yaml does not say."""
    # A backend behind MindRouter has four slots: more calls wait there, and keep others waiting.
    return 4 if provider == LOCAL_PROVIDER else 8


class _ProviderEntry(Strict, frozen=True):
    api: DialectName | UnsetType = UNSET
    base_url: Annotated[str, Meta(min_length=1, max_length=2000)] | UnsetType = UNSET
    api_key_env: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | UnsetType | None = UNSET


class _PriceEntry(Strict, frozen=True):
    input: Annotated[float, Meta(ge=0, le=1e6)]
    output: Annotated[float, Meta(ge=0, le=1e6)]


class _ModelEntry(Strict, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    provider: str
    structured_output: StructuredOutput = "none"
    params: dict[str, JsonValue] = msgspec.field(default_factory=dict)
    concurrency: Annotated[int, Meta(ge=1, le=MAX_CONCURRENCY)] | UnsetType = UNSET
    stream: bool | None = None
    timeout: Annotated[float, Meta(gt=0, le=MAX_SECONDS)] = 720.0
    idle_timeout: Annotated[float, Meta(gt=0, le=MAX_SECONDS)] = 120.0
    price: _PriceEntry | None = None


_NO_MODELS_KEY = re.compile(r"(?:GITHUB|GH|ACTIONS|RUNNER|EVALHOOK|MINDROUTER_EVAL)_", re.IGNORECASE)
"""Variables of the platform and of our own service: no models.yaml may have their values sent anywhere."""
_Entry = TypeVar("_Entry", bound=Strict)


def parse_models(data: bytes, where: str) -> ModelsFile:
    """Parse models.yaml; raises ConfigurationError naming `where` and the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("is not UTF-8", where=f"{where}:{line}", hint="save it as UTF-8") from None
    return _Parser(where).parse(read_yaml(text, where, ConfigurationError))


class _Parser:
    """Turns the tree of one file into Structs, and every mistake into an error with its line."""

    def __init__(self, where: str) -> None:
        self.where = where

    def parse(self, root: YamlNode | None) -> ModelsFile:
        if root is None:
            raise ConfigurationError("is empty", where=self.where, hint="list `models:`")
        if not isinstance(root.value, dict):
            raise self.problem(root, "is not a mapping", "write `models:` and a list")
        for key, node in root.value.items():
            if key not in {"providers", "models"}:
                raise self.problem(node, f"the key `{key[:60]}` is unknown", "use `providers` and `models`")
        providers = self.providers(root.value.get("providers"))
        return ModelsFile(providers=providers, models=self.models(root, providers))

    def providers(self, node: YamlNode | None) -> dict[str, Provider]:
        if node is None or node.value is None:
            return dict(BUILT_IN)
        if not isinstance(node.value, dict):
            raise self.problem(node, "`providers` is not a mapping", "write a name and its settings")
        return BUILT_IN | {name: self.provider(name, entry) for name, entry in node.value.items()}

    def provider(self, name: str, node: YamlNode) -> Provider:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", name):
            raise self.problem(node, "a provider's name is wrong", "use a-z, 0-9, `.`, `_` and `-`")
        entry = self.convert(node, _ProviderEntry)
        known = BUILT_IN.get(name)
        api = entry.api or (known.api if known else UNSET)
        base_url = entry.base_url or (known.base_url if known else UNSET)
        key = entry.api_key_env
        if key is UNSET:
            key = known.api_key_env if known else None
        if api is UNSET or base_url is UNSET:
            raise self.problem(node, f"the provider `{name}` needs `api` and `base_url`", "write both")
        if not _URL.fullmatch(base_url) and not _FROM_VARIABLE.fullmatch(base_url.strip()):
            what = "`base_url` is not an http(s) URL, with a variable at its beginning or none"
            raise self.problem(
                node.items()["base_url"], what, "write e.g. https://host:8000, ${SERVER_URL}/v1"
            )
        if _NO_MODELS_KEY.match(key or ""):
            what = "`api_key_env` names a variable that holds no model's key"
            raise self.problem(node.items()["api_key_env"], what, "name the one with this provider's key")
        return Provider(name=name, api=api, base_url=server_root(base_url), api_key_env=key)

    def models(self, root: YamlNode, providers: dict[str, Provider]) -> tuple[Model, ...]:
        node = root.items().get("models")
        if node is None or not node.value:
            raise self.problem(node or root, "lists no models", "add one below `models:`")
        if not isinstance(node.value, list):
            raise self.problem(node, "`models` is not a list", "begin each with `- id:`")
        lines: dict[str, int] = {}
        models = []
        for item in node.value:
            model = self.model(item, providers)
            if model.id in lines:
                what = f"the model `{model.id}` stands on line {lines[model.id]} already"
                raise self.problem(item, what, "keep one")
            lines[model.id] = item.line
            models.append(model)
        return tuple(models)

    def model(self, node: YamlNode, providers: dict[str, Provider]) -> Model:
        entry = self.convert(node, _ModelEntry)
        if not entry.id.isprintable() or any(character.isspace() for character in entry.id):
            raise self.problem(
                node.items()["id"], "`id` has unusual characters", "write the provider's name for it"
            )
        if entry.provider not in providers:
            what = f"the provider `{entry.provider[:60]}` is unknown"
            known = f"use {', '.join(sorted(providers))}, or define it under `providers:`"
            hint = did_you_mean(entry.provider, providers) or known
            raise self.problem(node.items()["provider"], what, hint)
        self.check_params(node.items().get("params"))
        return Model(
            id=entry.id,
            provider=entry.provider,
            structured_output=entry.structured_output,
            params=entry.params,
            concurrency=entry.concurrency or concurrency_by_default(entry.provider),
            stream=entry.stream if entry.stream is not None else streams_by_default(entry.provider),
            timeout=entry.timeout,
            idle_timeout=entry.idle_timeout,
            price=Price(input=entry.price.input, output=entry.price.output) if entry.price else None,
        )

    def check_params(self, node: YamlNode | None) -> None:
        for name, value in (node.items() if node is not None else {}).items():
            if name in RESERVED_PARAMS:
                raise self.problem(value, f"`{name}` is not for `params`", "the evaluator sets it itself")
            if name == "seed" and (isinstance(value.value, bool) or not isinstance(value.value, int)):
                raise self.problem(
                    value, "`seed` is not a whole number", "write one: the replicate's index is added"
                )
            self.check_numbers(value)

    def check_numbers(self, node: YamlNode) -> None:
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise self.problem(node, "is not a number that JSON can hold", "write a finite one")
        if isinstance(node.value, dict | list):
            for child in node.value.values() if isinstance(node.value, dict) else node.value:
                self.check_numbers(child)

    def convert(self, node: YamlNode, kind: type[_Entry]) -> _Entry:
        try:
            return msgspec.convert(node.plain(), kind)
        except msgspec.ValidationError as error:
            what, _, path = str(error).partition(" - at `$")
            known = _choices(kind, path.rstrip("`"))
            raise self.problem(
                _blamed(node, what, path.rstrip("`")),
                _in_words(what, path.rstrip("`")),
                f"use {' or '.join(known)}" if known and "enum" in what else "mend it",
            ) from None

    def problem(self, node: YamlNode, what: str, hint: str = "mend it") -> ConfigurationError:
        return ConfigurationError(what, where=f"{self.where}:{node.line}", hint=hint)


def _blamed(node: YamlNode, what: str, path: str) -> YamlNode:
    """Find the node that a message of msgspec is about."""
    for key in path.split(".")[1:]:
        node = node.items().get(key, node)
    unknown = re.search(r"unknown field `(.*)`", what)
    return node.items().get(unknown.group(1), node) if unknown else node


def _choices(kind: type[Strict], path: str) -> list[str]:
    """Return the words that a key may have, none where it may have others too."""
    field = path.removeprefix(".")
    hint = get_type_hints(kind, include_extras=True).get(field)
    parts = (hint, *get_args(hint))
    return [str(word) for part in parts if get_origin(part) is Literal for word in get_args(part)]


def _in_words(what: str, path: str) -> str:
    what = what.replace("Object contains unknown field", "the key is unknown:")
    what = what.replace("Object missing required field", "a key is missing:")
    return f"`{path[1:]}`: {what}" if len(path) > 1 else what


class Endpoint(Frozen, frozen=True):
    """A provider that can be used: where, and with which key."""

    base_url: str
    """The server's root, without a trailing `/` or `/v1`."""
    api_key: str | None

    def __repr__(self) -> str:
        return f"Endpoint(base_url={self.base_url!r}, api_key={'***' if self.api_key else None})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Keep the key off rich's tracebacks too."""
        return [("base_url", self.base_url)]


class NotConfigured(Frozen, frozen=True):
    """Why a provider's models are skipped."""

    reason: str


def resolve_provider(provider: Provider, environment: Mapping[str, str]) -> Endpoint | NotConfigured:
    """Fill in a provider's variables; says which is unset when it cannot be used."""
    base_url, variable = provider.base_url, _VARIABLE.match(provider.base_url)
    if variable is not None:
        root = server_root(environment.get(variable[1], ""))
        if not root:
            return NotConfigured(reason=f"{variable[1]} is not set: it says where {provider.name} is")
        base_url = server_root(root + base_url[variable.end() :])
    if not _URL.fullmatch(base_url):
        what = f"the base_url of {provider.name}" if variable is None else variable[1]
        return NotConfigured(
            reason=f"{what} is not an http(s) URL such as https://host:8000: it says where {provider.name} is"
        )
    if provider.api_key_env is None:
        return Endpoint(base_url=base_url, api_key=None)
    key = environment.get(provider.api_key_env, "").strip()
    if not key:
        return NotConfigured(reason=f"{provider.api_key_env} is not set: it holds the key of {provider.name}")
    if not key.isascii() or not key.isprintable() or " " in key:
        return NotConfigured(reason=f"{provider.api_key_env} holds no key: it has unusual characters")
    return Endpoint(base_url=base_url, api_key=key)


def server_root(url: str) -> str:
    """Return a base URL without trailing `/` and `/v1`, which mean the same."""
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
