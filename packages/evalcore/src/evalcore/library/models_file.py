"""models.yaml as it is written: parsed strictly, every mistake named with its line."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from evalcore.decoding import convert_mostly
from evalcore.errors import ComponentError, ConfigurationError, Problems
from evalcore.formats.type_words import in_type_words
from evalcore.formats.yaml_tree import YamlNode, read_yaml
from evalcore.library.models import (
    BUILT_IN,
    FROM_VARIABLE,
    SERVER_URL,
    DialectName,
    Model,
    ModelsFile,
    Price,
    Provider,
    StructuredOutput,
    concurrency_by_default,
    may_hold_a_key,
    server_root,
    streams_by_default,
)
from evalcore.library.reading import ReadingEntry, ReadingSettings
from evalcore.near_names import did_you_mean
from evalcore.structs import JsonValue, Strict

# Given in `params` they would overwrite what was planned: the record would name another model or prompt, a
# stream would not be read as one, and of `n` answers only the first would be scored.
RESERVED_PARAMS = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "response_format", "n"),
        *("system", "tools", "tool_choice"),  # Anthropic
        *("contents", "system_instruction", "systemInstruction", "generationConfig", "generation_config"),
        *("responseMimeType", "response_mime_type", "responseSchema", "response_schema"),
        *("responseJsonSchema", "response_json_schema", "candidateCount", "candidate_count"),
    }
)
"""What the evaluator itself puts into a request, in whatever dialect."""


MAX_SECONDS = 86_400.0
"""A day: the longest time limit of a call."""
MAX_CONCURRENCY = 1_000
"""Calls of one model in flight, at most."""


_KEYS = ("providers", "models", "documents")
_NUMBERS = frozenset(
    {
        *(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "max_tokens",
            "max_completion_tokens",
            "max_output_tokens",
        ),
        *("frequency_penalty", "presence_penalty", "repetition_penalty"),
    }
)
"""Parameters that are a number in every dialect that has them."""


class _ProviderEntry(Strict, frozen=True):
    api: DialectName | UnsetType = UNSET
    base_url: Annotated[str, Meta(min_length=1, max_length=2000)] | UnsetType = UNSET
    api_key_env: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] | UnsetType | None = UNSET


_Usd = Annotated[float, Meta(ge=0, le=1e6)]


class _PriceEntry(Strict, frozen=True):
    input: _Usd
    output: _Usd
    cache_read: _Usd | None = None
    cache_write: _Usd | None = None
    thinking: _Usd | None = None


class _ModelEntry(Strict, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    provider: str
    structured_output: StructuredOutput = "none"
    params: dict[str, JsonValue] = msgspec.field(default_factory=dict)
    # Not the defaults of `Model`: what is sensible depends on the provider.
    concurrency: Annotated[int, Meta(ge=1, le=MAX_CONCURRENCY)] | UnsetType = UNSET
    stream: bool | None = None
    timeout: Annotated[float, Meta(gt=0, le=MAX_SECONDS)] = 720.0
    idle_timeout: Annotated[float, Meta(gt=0, le=MAX_SECONDS)] = 120.0
    price: _PriceEntry | None = None


_Entry = TypeVar("_Entry", bound=Strict)
_UNKNOWN_FIELD = re.compile(r"unknown field `(.*)`")


def parse_models(data: bytes, where: str) -> ModelsFile:
    """Parse models.yaml; raises ConfigurationError naming `where` and the line."""
    try:
        # A byte order mark, which editors on Windows write, is no text.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("is not UTF-8", where=f"{where}:{line}", hint="save it as UTF-8") from None
    return _Parser(where).parse(read_yaml(text, where, ConfigurationError))


def parse_inputs(text: str, where: str) -> ReadingEntry:
    """Parse a component's inputs.yaml; raises ComponentError naming `where` and the line."""
    try:
        parser = _Parser(where)
        with parser.problems:
            entry = parser.reading(read_yaml(text, where, ConfigurationError), "the file")
        parser.problems.end()
    except ConfigurationError as error:
        raise ComponentError(error.what, where=error.where, hint=error.hint, others=error.others) from None
    return entry


class _Parser:
    """Turns the tree of one file into Structs, and every mistake into an error with its line."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems = Problems(ConfigurationError)
        self.unusable: set[str] = set()
        """Providers that are defined, and wrong."""

    def parse(self, root: YamlNode | None) -> ModelsFile:
        if root is None:
            raise ConfigurationError("is empty", where=self.where, hint="list `models:`")
        if not isinstance(root.value, dict):
            raise self.problem(root, "is not a mapping", "write `models:` and a list")
        for key, node in root.value.items():
            if key not in _KEYS:
                hint = did_you_mean(key, _KEYS) or "use `providers`, `models` and `documents`"
                self.problems.add([self.problem(node, f"the key `{key[:60]}` is unknown", hint)])
        # Providers that are wrong themselves are named still: what uses them is not wrong for that.
        providers, documents = dict(BUILT_IN), ReadingSettings()
        with self.problems:
            providers = self.providers(root.value.get("providers"))
        with self.problems:
            documents = self.reading(root.value.get("documents"), "documents").over(documents)
        models: tuple[Model, ...] = ()
        with self.problems:
            models = self.models(root, providers)
        self.problems.end()
        return ModelsFile(providers=providers, models=models, documents=documents)

    def reading(self, node: YamlNode | None, name: str) -> ReadingEntry:
        if node is None or node.value is None:
            return ReadingEntry()
        if not isinstance(node.value, dict):
            raise self.problem(node, f"{name} is not a mapping", "write e.g. `reader: text`")
        entry = self.convert(node, ReadingEntry)
        if isinstance(entry.model, str) and not _is_model_id(entry.model):
            what = "`model` has unusual characters"
            raise self.problem(node.items()["model"], what, "write MindRouter's name for it")
        return entry

    def providers(self, node: YamlNode | None) -> dict[str, Provider]:
        if node is None or node.value is None:
            return dict(BUILT_IN)
        if not isinstance(node.value, dict):
            raise self.problem(node, "`providers` is not a mapping", "write a name and its settings")
        found = dict(BUILT_IN)
        for name, entry in node.value.items():
            self.unusable.add(name)
            with self.problems:
                found[name] = self.provider(name, entry)
                self.unusable.discard(name)
        return found

    def provider(self, name: str, node: YamlNode) -> Provider:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", name):
            raise self.problem(node, "a provider's name is wrong", "use a-z, 0-9, `.`, `_` and `-`")
        entry = self.convert(node, _ProviderEntry, is_whole=True)
        known = BUILT_IN.get(name)
        api = entry.api or (known.api if known else UNSET)
        base_url = entry.base_url or (known.base_url if known else UNSET)
        key = entry.api_key_env
        # Null is an answer, of a server that wants no key; only what is not written is the built-in
        # provider's.
        if key is UNSET:
            key = known.api_key_env if known else None
        if api is UNSET or base_url is UNSET:
            raise self.problem(node, f"the provider `{name}` needs `api` and `base_url`", "write both")
        if not SERVER_URL.fullmatch(base_url) and not FROM_VARIABLE.fullmatch(base_url.strip()):
            what = "`base_url` is not an http(s) URL, with a variable at its beginning or none"
            raise self.problem(
                node.items()["base_url"], what, "write e.g. https://host:8000, ${SERVER_URL}/v1"
            )
        # Whoever edits the library could otherwise have the workflow's own token sent to a server of theirs.
        if key is not None and not may_hold_a_key(key):
            what = "`api_key_env` names a variable that holds no model's key"
            raise self.problem(node.items()["api_key_env"], what, "name the one with this provider's key")
        return Provider(name=name, api=api, base_url=server_root(base_url), api_key_env=key)

    def models(self, root: YamlNode, providers: dict[str, Provider]) -> tuple[Model, ...]:
        node = root.items().get("models")
        if node is None and not root.items().keys() <= set(_KEYS):
            return ()  # it may stand there under another name
        if node is None or not node.value:
            raise self.problem(node or root, "lists no models", "add one below `models:`")
        if not isinstance(node.value, list):
            raise self.problem(node, "`models` is not a list", "begin each with `- id:`")
        lines: dict[str, int] = {}
        models = []
        for item in node.value:
            with self.problems:
                model = self.model(item, providers)
                if model.id in lines:
                    what = f"the model `{model.id}` stands on line {lines[model.id]} already"
                    raise self.problem(item, what, "keep one")
                lines[model.id] = item.line
                models.append(model)
        return tuple(models)

    def model(self, node: YamlNode, providers: dict[str, Provider]) -> Model:
        with self.problems:
            self.check_params(node.items().get("params"))
        entry = self.convert(node, _ModelEntry)
        if not _is_model_id(entry.id):
            what = "`id` has unusual characters"
            self.problems.add([self.problem(node.items()["id"], what, "write the provider's name for it")])
        if entry.provider not in providers and entry.provider not in self.unusable:
            what = f"the provider `{entry.provider[:60]}` is unknown"
            known = f"use {', '.join(sorted(providers))}, or define it under `providers:`"
            hint = did_you_mean(entry.provider, providers) or known
            self.problems.add([self.problem(node.items()["provider"], what, hint)])
        return Model(
            id=entry.id,
            provider=entry.provider,
            structured_output=entry.structured_output,
            params=entry.params,
            concurrency=entry.concurrency or concurrency_by_default(entry.provider),
            stream=entry.stream if entry.stream is not None else streams_by_default(entry.provider),
            timeout=entry.timeout,
            idle_timeout=entry.idle_timeout,
            price=Price(**msgspec.structs.asdict(entry.price)) if entry.price else None,
        )

    def check_params(self, node: YamlNode | None) -> None:
        for name, value in (node.items() if node is not None else {}).items():
            with self.problems:
                self.check_param(name, value)

    def check_param(self, name: str, value: YamlNode) -> None:
        if name in RESERVED_PARAMS:
            raise self.problem(value, f"`{name}` is not for `params`", "the evaluator sets it itself")
        # True is a whole number to Python: it would be sent as 1, plus the replicate's index.
        if name == "seed" and (isinstance(value.value, bool) or not isinstance(value.value, int)):
            raise self.problem(
                value, "`seed` is not a whole number", "write one: the replicate's index is added"
            )
        # Sent as written, `0.1` in quotes too, which servers read as the number; a word none does.
        if name in _NUMBERS and not _may_be_a_number(value.value):
            raise self.problem(value, f"`{name}` is not a number", "write one, as in `0.1`")
        self.check_numbers(value)

    def check_numbers(self, node: YamlNode) -> None:
        # YAML has `.inf` and `.nan`, which no JSON body can hold: the first call would fail.
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise self.problem(node, "is not a number that JSON can hold", "write a finite one")
        if isinstance(node.value, dict | list):
            for child in node.value.values() if isinstance(node.value, dict) else node.value:
                self.check_numbers(child)

    def convert(self, node: YamlNode, kind: type[_Entry], *, is_whole: bool = False) -> _Entry:
        """Return an entry, without what is wrong in it, which is noted; raises where it lacks too much.

        With `is_whole` it raises for anything that is wrong: what would follow of it is no other mistake.
        """
        found, entry = convert_mostly(node.plain(), kind)
        problems = [self.mistake(node, kind, text) for text in found]
        self.problems.add(problems)
        if entry is None or (is_whole and problems):
            raise problems[-1]
        return entry

    def mistake(self, node: YamlNode, kind: type[_Entry], text: str) -> ConfigurationError:
        """Say in words what msgspec says of an entry."""
        # msgspec says where only within its message.
        what, _, path = text.partition(" - at `$")
        path = path.rstrip("`")
        known = _choices(kind, path)
        hint = f"use {' or '.join(known)}" if known and "enum" in what else _near_key(kind, what, path)
        return self.problem(_blamed(node, what, path), _in_words(what, path), hint)

    def problem(self, node: YamlNode, what: str, hint: str = "mend it") -> ConfigurationError:
        return ConfigurationError(what, where=f"{self.where}:{node.line}", hint=hint)


def _is_model_id(text: str) -> bool:
    return text.isprintable() and not any(character.isspace() for character in text)


def _blamed(node: YamlNode, what: str, path: str) -> YamlNode:
    """Find the node that a message of msgspec is about."""
    for key in path.split(".")[1:]:
        node = node.items().get(key, node)
    unknown = _UNKNOWN_FIELD.search(what)
    return node.items().get(unknown.group(1), node) if unknown else node


def _near_key(kind: type[Strict], what: str, path: str) -> str:
    """Say which key was probably meant by one that is unknown, or which there are."""
    unknown = _UNKNOWN_FIELD.search(what)
    if unknown is None:
        return "mend it"
    inner = get_type_hints(kind).get(path.strip("`."))
    found = [one for one in get_args(inner) if isinstance(one, type) and issubclass(one, Strict)]
    keys = [field.encode_name for field in msgspec.structs.fields(found[0] if found else kind)]
    return did_you_mean(unknown[1], keys) or f"known: {', '.join(keys)}"


def _may_be_a_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if not isinstance(value, str):
        return value is None or isinstance(value, int | float)
    try:
        float(value)
    except ValueError:
        return False
    return True


def _choices(kind: type[Strict], path: str) -> list[str]:
    """Return the words that a key may have, none where it may have others too."""
    field = path.removeprefix(".")
    hint = get_type_hints(kind, include_extras=True).get(field)
    parts = (hint, *get_args(hint))
    return [str(word) for part in parts if get_origin(part) is Literal for word in get_args(part)]


def _in_words(what: str, path: str) -> str:
    what = what.replace("Object contains unknown field", "the key is unknown:")
    what = what.replace("Object missing required field", "a key is missing:")
    what = in_type_words(what)
    return f"`{path[1:]}`: {what}" if len(path) > 1 else what
