"""The settings of a simulated provider: its keys, its limits, its models, and the faults it shows."""

from __future__ import annotations

from typing import Literal

from evalcore.structs import Strict

ProviderKind = Literal["anthropic", "openai", "google"]
FaultKind = Literal[
    # refusals
    "rate_limited",  # 429 that says when to come back (a header; Google: RetryInfo)
    "overloaded",  # 529 of Anthropic's, 503 of the others'
    "unauthorized",  # 401; Google: 400 with API_KEY_INVALID
    "quota",  # no money: insufficient_quota, billing_error, a day's quota
    "context",  # the input is too long
    "grammar_too_large",  # Anthropic: the schema is not compiled
    "server_error",  # 500
    # answers
    "refusal",  # the model declines; Google: finishReason SAFETY
    "blocked",  # Google: promptFeedback.blockReason; OpenAI: content_filter; Anthropic: a refusal
    "max_tokens",  # half the answer
    "context_window",  # Anthropic: model_context_window_exceeded, half the answer
    "thinking",  # a thought before the answer
    "empty",  # nothing at all, and a regular end
    "odd_finish",  # a finish reason that no description has
    "no_usage",
    "cached",  # most of the prompt came out of the cache
    # connections
    "cut",  # in the middle of the body
    "error_event",  # streamed: an error in the middle of the answer
    "garbage",  # 200 whose body is no JSON
]


class CloudFault(Strict, frozen=True):
    """Something that goes wrong, for which calls and how often."""

    kind: FaultKind
    model: str | None = None
    """Of this model alone; None: of every model."""
    every: int = 1
    """Each k-th matching call."""
    times: int | None = None
    """How often at most; None: for ever."""
    seconds: float | None = None
    """What a 429 asks to wait; None: it does not say."""


class CloudModel(Strict, frozen=True):
    """A model whose answers are the expected ones, more or less."""

    id: str
    quality: float = 1.0
    noise: float = 0.0
    latency: float = 0.0
    """Seconds."""
    is_reasoning: bool = False
    """Whether it refuses `temperature` (other than 1) and, of OpenAI's, `seed` and `max_tokens`."""
    most_tokens: int = 64_000
    """The highest `max_tokens` that is taken."""


class CloudConfig(Strict, frozen=True):
    """One simulated provider."""

    models: tuple[CloudModel, ...]
    keys: tuple[str, ...] = ()
    """The keys that are accepted; with none, every key is."""
    seed: int = 0
    requests_per_minute: int | None = None
    """A token bucket of that size; its state is in the headers of every answer."""
    batch_looks: int = 1
    """How many looks at a batch's state find it under way."""
    faults: tuple[CloudFault, ...] = ()


def default_config() -> CloudConfig:
    """Two models of visibly different quality."""
    large = CloudModel(id="large-1", quality=0.95, noise=0.1, latency=0.05)
    small = CloudModel(id="small-1", quality=0.7, noise=0.4, latency=0.02)
    return CloudConfig(models=(large, small))
