"""What a provider refuses of a whole run, however often it is asked, and what to do about it."""

from __future__ import annotations

from typing import Final

from evalcore.clients.reply import CallError

SCHEMA_TOO_LARGE: Final = "schema_too_large"
"""The run begins again, its schema asked for as a forced tool."""
_CURES: Final = {
    "parameter_refused": "take it out of the model's `params` in models.yaml, or change it",
    "schema_refused": "change the schema, or set the model's structured_output to json_object or none",
    SCHEMA_TOO_LARGE: "make the schema smaller, or set the model's structured_output to none",
    "unknown_model": "name one that `evalcli models check` shows as served",
}


def refused_run(model: str, error: CallError | None) -> str | None:
    """Return why no call of a run can succeed, with what to do; None where the next one may."""
    if error is None or error.code not in _CURES:
        return None
    return f"{model}: {error.message}; {_CURES[error.code]}"
