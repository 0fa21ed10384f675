"""What the providers answered to "what can you serve now?", model by model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from evalcli.terminal.text import Table
from evalcore.clients.interface import Served
from evalcore.errors import ModelError, ProviderRefused
from evalcore.formats.counts import first_few
from evalcore.library.models import Model, NotConfigured
from evalcore.near_names import did_you_mean
from evalcore.structs import JsonValue

Answer: TypeAlias = Served | NotConfigured | ModelError
"""One provider's answer, or why there is none."""

MOST_NAMED: Final = 10
"""Models that are named of those that a provider serves."""
_HEADINGS = ("model", "provider", "reachable", "key", "served", "context", "quantization", "note")


def is_all_served(models: Sequence[Model], answers: Mapping[str, Answer]) -> bool:
    """Whether every model whose provider is configured here can be served now."""
    return all(
        # A provider without a key is one that is not used from here, no failure.
        isinstance(answer, NotConfigured) or (isinstance(answer, Served) and model.id in answer.models)
        for model in models
        for answer in (answers[model.provider],)
    )


class ModelNotes(msgspec.Struct):
    """What is known of single models beside whether they are served; by their ids."""

    changes: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """What is changed in the schema."""
    refused: dict[str, str] = msgspec.field(default_factory=dict)
    """Why a model's runs would be skipped."""

    def of(self, model: str) -> str:
        """Return what is to be shown of a model."""
        return self.refused.get(model) or "; ".join(self.changes.get(model, ()))


def availability_table(
    models: Sequence[Model], answers: Mapping[str, Answer], notes: ModelNotes | None = None
) -> Table:
    """Lay out, for each model, whether it could be evaluated now."""
    known = notes or ModelNotes()
    rows = tuple(
        (model.id, model.provider, *_cells(model.id, _once(model, models, answers), known.of(model.id)))
        for model in models
    )
    return Table(headings=_HEADINGS, rows=rows, numeric=frozenset({"context"}))


def availability_object(
    models: Sequence[Model], answers: Mapping[str, Answer], notes: ModelNotes | None = None
) -> JsonValue:
    """Write for `--json` what the table shows: an object for each model, null where nothing is known."""
    read: Mapping[str, JsonValue] = {"-": None, "yes": True, "no": False}
    known = notes or ModelNotes()
    found: list[JsonValue] = []
    for model in models:
        *cells, note = _cells(model.id, answers[model.provider], known.of(model.id))
        values = dict(zip(_HEADINGS[2:-1], (read.get(cell, cell) for cell in cells), strict=True))
        if isinstance(context := values["context"], str):
            values["context"] = int(context)
        found.append({"model": model.id, "provider": model.provider, **values, "note": note or None})
    return found


def _once(model: Model, models: Sequence[Model], answers: Mapping[str, Answer]) -> Answer:
    """Return a provider's answer; why there is none, at its first model alone, and there by its words."""
    answer = answers[model.provider]
    first = next(one for one in models if one.provider == model.provider)
    if isinstance(answer, ModelError) and first.id != model.id:
        return type(answer)(f"as {first.id}")
    return answer


def _cells(model: str, answer: Answer, note: str) -> tuple[str, str, str, str, str, str]:
    match answer:
        case NotConfigured():
            return "-", "-", "-", "-", "-", answer.reason
        # Before its base class: a refused key shows that the server was reached.
        case ProviderRefused():
            return "yes", "refused", "-", "-", "-", answer.line
        case ModelError():
            return "no", "-", "-", "-", "-", answer.line
        case Served():
            entry = answer.models.get(model)
            if entry is None:
                return "yes", "ok", "no", "-", "-", _not_served(model, answer)
            context = "-" if entry.context_length is None else str(entry.context_length)
            return "yes", "ok", "yes", context, entry.quantization or "-", note


def _not_served(model: str, answer: Served) -> str:
    """Say that a model is not served, and which may have been meant, or which are."""
    what = "it does not serve it now, or does not know it"
    names = sorted(answer.models)
    hint = did_you_mean(model, names) or f"it serves {first_few(names, MOST_NAMED) or 'none'}"
    return f"{what}; {hint}"
