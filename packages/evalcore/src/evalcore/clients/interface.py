"""What the evaluation asks of a client, whatever the provider's dialect."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from evalcore.clients.reply import Reply
from evalcore.library.models import Model
from evalcore.structs import Frozen, JsonObject

YieldSlot = Callable[[], AbstractAsyncContextManager[None]]
"""What a client holds around a wait: meanwhile the call's slot among the calls in flight is others'."""
OnWait = Callable[[str, str, float], None]
"""Called before each wait: the model's id, the failure's code, seconds."""


class Attachment(Frozen, frozen=True):
    """A document that is sent as it is."""

    name: str
    """As `input.pdf`: never the case's."""
    media_type: str
    data: bytes

    @property
    def is_picture(self) -> bool:
        """Whether it is one of the pictures that models see; others are files of pages."""
        return self.media_type.startswith("image/")

    @property
    def base64(self) -> str:
        """The document in base64 (RFC 4648)."""
        return b64encode(self.data).decode("ascii")

    @property
    def data_uri(self) -> str:
        """The document as a data URI (RFC 2397)."""
        return f"data:{self.media_type};base64,{self.base64}"


class Call(Frozen, frozen=True):
    """One planned call: everything that decides the request's bytes."""

    case: str
    replicate: int
    model: Model
    system: str
    user: str
    schema: JsonObject | None
    """The schema as the provider takes it, for `structured_output: json_schema`."""
    as_tool: bool = False
    """Whether the schema is asked for as the input of a tool that has to be called."""
    attachment: Attachment | None = None
    """A document that is sent in the place of the text."""

    @property
    def seed(self) -> int | None:
        """The model's `seed` + the replicate's index; None where no seed is configured."""
        seed = self.model.params.get("seed")
        # One seed for all replicates would measure nothing: the same seed gave the same text, 7 times of 7 on
        # one backend.
        return seed + self.replicate if isinstance(seed, int) and not isinstance(seed, bool) else None


class ServedModel(Frozen, frozen=True):
    """What a gateway says of a model it can serve now; None where it does not say."""

    id: str
    quantization: str | None = None
    context_length: int | None = None
    backends: tuple[str, ...] | None = None
    most_tokens: int | None = None
    """The longest answer that may be asked for."""


class Served(Frozen, frozen=True):
    """A provider's answer to "what can you serve now?"."""

    version: str | None
    """The gateway's own version."""
    models: Mapping[str, ServedModel]


class SubmittedBatch(Frozen, frozen=True):
    """A batch that the provider has."""

    id: str
    submitted_at: str
    """RFC 3339, UTC."""
    names: tuple[str, ...]
    """Of its requests."""


class BatchStore(Protocol):
    """Where it is written down what was submitted, for each provider."""

    def batches(self, provider: str) -> tuple[SubmittedBatch, ...]:
        """Return the batches that were submitted before; raises StorageError."""
        ...

    def add(self, provider: str, batch: SubmittedBatch) -> None:
        """Write a batch down; raises StorageError."""
        ...


class Client(Protocol):
    """A connection to one provider. It is opened and closed by whoever makes it."""

    async def served(self) -> Served:
        """Say which models can be served now.

        Raises ProviderUnreachable or ProviderRefused.
        """
        ...

    async def call(self, call: Call, yield_slot: YieldSlot) -> Reply:
        """Make one call, retries included; what it waits for between its tries is inside `yield_slot`.

        Never raises for a failed call: the failure is in the reply. Raises only
        asyncio.CancelledError.
        """
        ...
