"""What the three providers are to the simulated cloud: how requests are read, and answers written."""

from __future__ import annotations

from abc import abstractmethod
from base64 import b64decode
from collections.abc import Mapping
from typing import Protocol

import msgspec

from evalcore.structs import Frozen, JsonObject, JsonValue
from evalsim.cloud.config import CloudModel, FaultKind

Headers = tuple[tuple[str, str], ...]


class Refused(Exception):
    """The provider does not answer with a model's words, but with this."""

    def __init__(self, status: int, body: JsonValue, headers: Headers = ()) -> None:
        self.status = status
        self.body = msgspec.json.encode(body)
        self.headers = headers
        super().__init__(str(body))


class CloudRequest(Frozen, frozen=True):
    """What decides an answer."""

    model: str
    system: str
    user: str
    stream: bool
    most_tokens: int | None
    seed: int | None
    schema: JsonObject | None
    as_tool: bool = False
    documents: tuple[bytes, ...] = ()
    """Pictures and PDFs that are shown."""


class Spoken(Frozen, frozen=True):
    """A model's whole answer, before a provider puts it into its own form."""

    text: str
    thought: str | None
    prompt_tokens: int
    completion_tokens: int
    """Without the thought's."""
    thinking_tokens: int
    cached_tokens: int
    fault: FaultKind | None
    """What of the answer is not as usual."""
    is_cut: bool
    """Whether the token limit ended it."""
    as_tool: bool


class Vendor(Protocol):
    """One provider."""

    @abstractmethod
    def key(self, headers: Mapping[str, str]) -> str:
        """Return the key of a request; empty where there is none."""

    @abstractmethod
    def is_call(self, path: str) -> bool:
        """Whether a POST to this path is a call of a model."""

    @abstractmethod
    def models_path(self) -> str:
        """Where the models are listed."""

    @abstractmethod
    def models(self, models: tuple[CloudModel, ...]) -> JsonValue:
        """Return the list of models."""

    @abstractmethod
    def read(self, path: str, query: str, headers: Mapping[str, str], body: JsonValue) -> CloudRequest:
        """Read a request as strictly as the provider; raises Refused."""

    @abstractmethod
    def check(self, body: JsonObject, request: CloudRequest, model: CloudModel) -> None:
        """Raise Refused for what this model does not take."""

    @abstractmethod
    def whole(self, spoken: Spoken, model: CloudModel) -> JsonValue:
        """Return the body of an answer that is not streamed."""

    @abstractmethod
    def events(self, spoken: Spoken, model: CloudModel) -> list[bytes]:
        """Return the events of a streamed one."""

    @abstractmethod
    def error_event(self) -> bytes:
        """Return what an overload in the middle of a stream looks like."""

    @abstractmethod
    def fault(self, kind: FaultKind, seconds: float | None) -> Refused | None:
        """Return the refusal that a fault is; None where it is none."""

    @abstractmethod
    def unknown_model(self, model_id: str) -> Refused:
        """Return how a model that is not there is refused."""

    def limit_headers(self, limit: int, remaining: int, reset: float) -> Headers:  # noqa: ARG002
        """Return the headers that state a rate limit; none where the provider states none."""
        return ()


def event(data: JsonValue, name: str | None = None) -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


def pieces(text: str, size: int = 24) -> list[str]:
    """Cut a text as a stream does; an empty one is one empty piece."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def decoded(text: str) -> bytes | None:
    """Return what a text in base64 stands for, None where it is none."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def as_object(value: JsonValue) -> JsonObject:
    """Return an object, empty where it is none."""
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list, empty where it is none."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """Return a text, empty where it is none."""
    return value if isinstance(value, str) else ""


def as_number(value: JsonValue) -> int | None:
    """Return a whole number, None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
