"""The settings of a simulated MindRouter: its keys, its limits, its models, and the faults it shows."""

from __future__ import annotations

from typing import Literal

from evalcore.structs import Strict

FaultKind = Literal[
    # refusals by the gateway
    "rate_limited",  # 429, requests per minute
    "quota",  # 429, token quota
    "no_capacity",  # 503, no slot became free
    "content_refused",  # 422, the data policy
    "unsuitable",  # 503, no suitable backend
    "unauthorized",  # 401 in passing, though the key is good (a flood of other keys)
    # failures behind the gateway
    "bad_gateway",  # 502 after three attempts; opens the circuit breaker
    "gone",  # opens the circuit breaker: 404, and no longer listed
    "server_error",  # 500
    "backend_400",  # 400, the backend's JSON under `detail`
    "backend_429",  # 429, the backend's JSON under `detail`
    "context_length",  # 400, the input is too long for the context
    "no_structured_content",  # 422, content null though structured output was asked for
    # time
    "slow",  # `seconds` late
    "silent",  # accepted, never answered
    "stalled",  # streamed: begins to answer, never ends
    "pause",  # streamed: silent for `seconds` in the middle of the answer
    # connections
    "hang_up",  # cut before any answer
    "empty",  # 200 and nothing more; a stream is cut there
    "no_events",  # streamed: 200 and the end, without an event, and the slot is never given back
    "cut",  # cut in the middle of the body
    "error_event",  # streamed: an error in the middle of the answer
    "no_done",  # streamed: everything but `[DONE]`
    "no_finish",  # streamed: everything but the finish reason
    "garbage",  # 200 whose body is not JSON
    # answers
    "truncated",  # half the answer, finish reason `length`
    "fenced",
    "prose",
    "thinking",  # reasoning apart from the content, as the gateway arranges it
    "think_tags",  # reasoning left inside the content
    "broken_json",
    "wrong_keys",
    "null_content",
    "no_choices",
    "no_usage",
    "zero_usage",
]


OF_OCR: frozenset[FaultKind] = frozenset(
    {
        *("rate_limited", "quota", "no_capacity", "content_refused", "unsuitable", "bad_gateway", "gone"),
        *("server_error", "backend_400", "backend_429", "context_length", "slow", "silent", "hang_up"),
        *("empty", "cut", "garbage"),
    }
)
"""The faults that calls which read a document's pages show, too; the others are for chat calls alone."""
# The gateway guesses what a vLLM model can do from its name.
SEEING = ("gemma-3", "qwen3.5", "-vl", "ocr")
"""What the names of models that take images contain."""


class Fault(Strict, frozen=True):
    """Something that goes wrong, for which calls and how often."""

    kind: FaultKind
    model: str | None = None
    """Of this model alone; None: of every model."""
    endpoint: Literal["chat", "ocr"] | None = None
    """Of chat calls, or of the calls that read a document's pages, alone; None: of both."""
    every: int = 1
    """Each k-th matching call."""
    times: int | None = None
    """How often at most; None: for ever."""
    seconds: float | None = None
    """How late (`slow`), how long silent (`pause`), or how long the model is away (`bad_gateway`, `gone`)."""
    text: str | None = None
    """A backend's words (`backend_400`, `backend_429`)."""


class SimModel(Strict, frozen=True):
    """A model whose answers are the expected ones, more or less."""

    id: str
    quality: float = 1.0
    """The probability that a leaf of the answer (a line, in Markdown) is right."""
    noise: float = 0.0
    """The probability that a leaf is decided anew for each call, and not once per case."""
    latency: float = 0.0
    """Seconds before the answer, or before a stream's first event."""
    pace: float = 0.0
    """Seconds between two reads of a stream."""
    events_per_read: int = 8
    """How many events the gateway puts together."""
    characters_per_event: int = 4
    style: Literal["bare", "fenced", "prose", "thinking", "think_tags"] = "bare"
    context_length: int = 131072
    quantization: str | None = None
    backends: tuple[str, ...] = ("node-a-gpu0",)
    slots: int | None = None
    """Calls that its backend works on at once; the others wait. None: any number."""
    alias_target: str | None = None
    """The id of the model that this one is another name of."""
    multimodal: bool | None = None
    """Whether it takes images; None: where its name says so, as in the gateway."""
    seconds_per_page: float = 0.0
    """How long reading one page of a document takes."""

    @property
    def sees(self) -> bool:
        """Whether it takes images."""
        if self.multimodal is not None:
            return self.multimodal
        return any(part in self.id.lower() for part in SEEING)


class SimConfig(Strict, frozen=True):
    """A simulated MindRouter."""

    models: tuple[SimModel, ...]
    keys: tuple[str, ...] = ()
    """The keys that are accepted; with none, every key is."""
    revoked_keys: tuple[str, ...] = ()
    seed: int = 0
    requests_per_minute: int | None = None
    """In a fixed window that begins with the first request."""
    token_quota: int | None = None
    breaker_seconds: float = 25.0
    """How long a model is away once its circuit breaker has opened."""
    slot_seconds: float = 150.0
    """How long a call waits for a slot."""
    attempt_seconds: float = 180.0
    """How long one attempt to read a chunk of pages may take; then it is cut and begun again, twice."""
    ocr_model: str = "qwen/qwen3.5-122b"
    """What reads a document whose request names no model."""
    largest_document: int = 100 * 2**20
    """Bytes."""
    has_office: bool = True
    """Whether Office documents can be turned into pages: LibreOffice is installed."""
    faults: tuple[Fault, ...] = ()
    version: str = "2.9.58"


def default_config() -> SimConfig:
    """Four models of visibly different quality."""
    return SimConfig(
        models=(
            SimModel(id="openai/gpt-oss-120b", quality=0.95, noise=0.1, latency=0.05, quantization="mxfp4"),
            SimModel(id="qwen/qwen3.5-122b", quality=0.9, noise=0.2, latency=0.05, style="fenced"),
            SimModel(id="google/gemma-3-27b-it", quality=0.75, noise=0.3, latency=0.03, style="prose"),
            SimModel(id="ibm/granite-4-tiny", quality=0.5, noise=0.6, latency=0.01, context_length=32768),
        )
    )
