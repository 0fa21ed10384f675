"""What the providers answered to "what can you serve now?", model by model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from evalcli.terminal.text import Table
from evalcore.clients.interface import Served
from evalcore.errors import ModelError, ProviderRefused
from evalcore.library.models import Model, NotConfigured

Answer: TypeAlias = Served | NotConfigured | ModelError
"""One provider's answer, or why there is none."""

_HEADINGS = ("model", "provider", "reachable", "key", "served", "context", "quantization", "note")


def is_all_served(models: Sequence[Model], answers: Mapping[str, Answer]) -> bool:
    """Whether every model whose provider is configured here can be served now."""
    return all(
        isinstance(answer, NotConfigured) or (isinstance(answer, Served) and model.id in answer.models)
        for model in models
        for answer in (answers[model.provider],)
    )


def availability_table(models: Sequence[Model], answers: Mapping[str, Answer]) -> Table:
    """Lay out, for each model, whether it could be evaluated now."""
    rows = tuple((model.id, model.provider, *_cells(model.id, answers[model.provider])) for model in models)
    return Table(headings=_HEADINGS, rows=rows, numeric=frozenset({"context"}))


def _cells(model: str, answer: Answer) -> tuple[str, str, str, str, str, str]:
    match answer:
        case NotConfigured():
            return "-", "-", "-", "-", "-", answer.reason
        case ProviderRefused():
            return "yes", "refused", "-", "-", "-", answer.line
        case ModelError():
            return "no", "-", "-", "-", "-", answer.line
        case Served():
            entry = answer.models.get(model)
            if entry is None:
                return "yes", "ok", "no", "-", "-", "it has no backend for it now, or does not know it"
            context = "-" if entry.context_length is None else str(entry.context_length)
            return "yes", "ok", "yes", context, entry.quantization or "-", ""
