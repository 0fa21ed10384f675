"""What providers serve, as `evalcli models served` shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from evalcli.reports.availability import Answer
from evalcli.terminal.text import Table
from evalcore.clients.interface import Served
from evalcore.library.models import Model
from evalcore.structs import Frozen, JsonValue


class ListedModel(Frozen, frozen=True):
    """A model that a provider serves now."""

    model: str
    provider: str
    is_listed: bool = msgspec.field(name="in_models_yaml")
    """Whether models.yaml has it, of this provider."""
    context: int | None
    """Tokens; None where the provider does not say."""
    quantization: str | None


def served_models(answers: Mapping[str, Answer], models: Iterable[Model]) -> list[ListedModel]:
    """Return what each provider serves, in the order of the answers, then by id."""
    listed = {(model.provider, model.id) for model in models}
    return [
        ListedModel(
            model=name,
            provider=provider,
            is_listed=(provider, name) in listed,
            context=entry.context_length,
            quantization=entry.quantization,
        )
        for provider, answer in answers.items()
        if isinstance(answer, Served)
        for name, entry in sorted(answer.models.items())
    ]


def served_table(served: Sequence[ListedModel]) -> Table:
    """Lay out what is served."""
    rows = tuple(
        (
            one.model,
            one.provider,
            "yes" if one.is_listed else "no",
            "-" if one.context is None else str(one.context),
            one.quantization or "-",
        )
        for one in served
    )
    headings = ("model", "provider", "in models.yaml", "context", "quantization")
    return Table(
        headings=headings, rows=rows, numeric=frozenset({"context"}), spare=("quantization", "context")
    )


def served_object(served: Sequence[ListedModel]) -> JsonValue:
    """Write what is served for `--json`."""
    written: JsonValue = msgspec.to_builtins(list(served))
    return written
