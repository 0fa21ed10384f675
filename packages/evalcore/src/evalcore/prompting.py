"""From a component's prompt and a case to the messages of a call."""

from __future__ import annotations

import msgspec

from evalcore.clients.interface import Call
from evalcore.component import Case, OutputFormat
from evalcore.models import Model, StructuredOutput
from evalcore.structs import JsonObject


def call_for(model: Model, prompt: str, schema: JsonObject | None, case: Case, replicate: int) -> Call:
    """Return the call of one case's replicate: the prompt as the system message, the input as the user's."""
    return Call(
        case=case.name,
        replicate=replicate,
        model=model,
        system=prompt,
        user=case.input,
        schema=schema if model.structured_output == "json_schema" else None,
    )


def fit_to_output(model: Model, output: OutputFormat, schema: JsonObject | None) -> Model:
    """Return the model asked for as much structure as the component's answers allow.

    A Markdown answer has none; `json_object` would forbid an array; `json_schema` needs a schema.
    """
    wanted: StructuredOutput = model.structured_output
    if wanted == "json_schema" and schema is None:
        wanted = "json_object"
    if output == "markdown" or (wanted == "json_object" and output != "json_object"):
        wanted = "none"
    return msgspec.structs.replace(model, structured_output=wanted)
