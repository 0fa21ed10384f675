"""Who takes part in the year: models of known quality, and what happens to them."""

from __future__ import annotations

from typing import Final

from evalcore.library.models import Price
from evalcore.runs.plan import Server
from evalcore.structs import Frozen

WEEKS: Final = 52
FP8_WEEK: Final = 41
"""When a model's server was changed to one that rounds its weights."""


class SimModel(Frozen, frozen=True, kw_only=True):
    """A model, and how good it is in truth."""

    id: str
    provider: str
    ability: float
    """The share of fields that it gets right, of a case and a field of middling difficulty."""
    steadiness: float
    """How often a reply is the model's usual answer; else it is drawn anew."""
    seconds: float
    """Of one reply, the median."""
    tokens: int
    """That one reply has."""
    price: Price | None = None
    from_week: int = 0
    until_week: int = WEEKS
    is_configured: bool = True
    """Whether models.yaml still has it."""
    fp8_loss: float = 0.0
    """What its ability loses when its server changes."""
    unanswered: float = 0.0
    """The chance that a run of it is partial."""
    unparsed: float = 0.0
    """The chance that a reply is not in the asked-for format."""

    def server(self, week: int) -> Server:
        """Return what the gateway says of it in a week; nothing of models of the cloud."""
        if self.provider != "mindrouter":
            return Server()
        is_moved = self.fp8_loss > 0.0 and week >= FP8_WEEK
        return Server(
            version="0.12.0" if is_moved else "0.11.2",
            quantization="fp8" if is_moved else "bf16",
            context_length=131_072,
            backends=("gpu-1", "gpu-2"),
        )

    def ability_in(self, week: int) -> float:
        """Return how good it is in a week."""
        return self.ability - (self.fp8_loss if week >= FP8_WEEK else 0.0)


MODELS: Final = (
    SimModel(
        id="openai/gpt-oss-120b",
        provider="mindrouter",
        ability=0.90,
        steadiness=0.93,
        seconds=21.0,
        tokens=1900,
        price=Price(input=0.0, output=0.0),
    ),
    SimModel(
        id="qwen/qwen3.5-122b",
        provider="mindrouter",
        ability=0.91,
        steadiness=0.88,
        seconds=34.0,
        tokens=2600,
        price=Price(input=0.0, output=0.0),
        fp8_loss=0.07,
    ),
    SimModel(
        id="mistral/mistral-small-4",
        provider="mindrouter",
        ability=0.82,
        steadiness=0.90,
        seconds=9.0,
        tokens=1100,
        price=Price(input=0.0, output=0.0),
        unanswered=0.12,
    ),
    SimModel(
        id="ibm/granite-4-tiny",
        provider="mindrouter",
        ability=0.66,
        steadiness=0.80,
        seconds=4.0,
        tokens=900,
        unparsed=0.03,
        price=Price(input=0.0, output=0.0),
    ),
    SimModel(
        id="meta/llama-3.3-70b",
        provider="mindrouter",
        ability=0.78,
        steadiness=0.85,
        seconds=18.0,
        tokens=1200,
        until_week=26,
        is_configured=False,
    ),
    SimModel(
        id="claude-sonnet-5",
        provider="anthropic",
        ability=0.94,
        steadiness=0.96,
        seconds=12.0,
        tokens=1500,
        price=Price(input=3.0, output=15.0),
    ),
    # In truth as good as the one above: a tie that no number of replies resolves.
    SimModel(
        id="gpt-5.2",
        provider="openai",
        ability=0.94,
        steadiness=0.95,
        seconds=15.0,
        tokens=2100,
        price=Price(input=1.25, output=10.0),
    ),
    SimModel(
        id="gemini-3-flash",
        provider="google",
        ability=0.87,
        steadiness=0.91,
        seconds=5.0,
        tokens=1300,
        price=Price(input=0.3, output=2.5),
        from_week=30,
    ),
    SimModel(
        id="google/gemma-4-27b",
        provider="mindrouter",
        ability=0.80,
        steadiness=0.9,
        seconds=8.0,
        tokens=1000,
        from_week=WEEKS,
    ),
)
"""Local and cloud models; one that was given up, one that came late, one that was never run."""


class Release(Frozen, frozen=True):
    """A version of a component."""

    week: int
    version: str
    effect: float
    """What it adds to every model's ability."""


class SimComponent(Frozen, frozen=True, kw_only=True):
    """A component's year."""

    slug: str
    category: str | None
    prompt: str
    fields: tuple[str, ...]
    own_cases: tuple[str, ...]
    """The names of the library's own; others are of the data sets, and hashed."""
    releases: tuple[Release, ...]
    present: str
    """The version that the library has at the end, evaluated or not."""
    replicates: int = 5
    cases: int = 8
    cases_later: int = 3
    """That are added at half the year."""
    absent: tuple[str, ...] = ()
    """Models that were never run here."""
