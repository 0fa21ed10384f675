"""From a component and a case to a call."""

from __future__ import annotations

import pytest

from evalcore.clients.interface import Call
from evalcore.library.component import Case, OutputFormat
from evalcore.library.models import Model, StructuredOutput
from evalcore.runs.plan import call_for, fit_to_output
from evalcore.structs import JsonObject

CASE = Case(name="a", input="The document.", expected="{}", sha256="0" * 64)
SCHEMA = {"type": "object"}


def model(structured_output: StructuredOutput) -> Model:
    return Model(id="m", provider="mindrouter", structured_output=structured_output, params={"seed": 1})


def test_prompt_is_the_system_message_and_input_the_users() -> None:
    assert call_for(model("json_schema"), "Do this.", SCHEMA, CASE, 3) == Call(
        case="a",
        replicate=3,
        model=model("json_schema"),
        system="Do this.",
        user="The document.",
        schema=SCHEMA,
    )


@pytest.mark.parametrize("structured_output", ["none", "json_object"])
def test_schema_goes_only_to_models_that_take_one(structured_output: StructuredOutput) -> None:
    assert call_for(model(structured_output), "Do this.", SCHEMA, CASE, 0).schema is None


def test_a_schema_that_refers_to_itself_without_end_says_nothing_soon() -> None:
    pairs = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)}
    for schema in ({"$ref": "#"}, {"$ref": "#/$defs/d0", "$defs": pairs}):
        assert fit_to_output(model("json_object"), "json", schema).structured_output == "none"


@pytest.mark.parametrize(
    ("wanted", "output", "schema", "asked"),
    [
        ("none", "json_object", SCHEMA, "none"),
        ("json_object", "json_object", None, "json_object"),
        ("json_object", "json_array", None, "none"),
        ("json_object", "json", None, "none"),
        ("json_object", "json", {"type": "object"}, "json_object"),
        ("json_object", "json", {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, "json_object"),
        ("json_object", "json", {"anyOf": [{"type": "object"}, {"type": "array"}]}, "none"),
        ("json_object", "json", {"type": "array"}, "none"),
        ("json_object", "json_object", {"type": "array"}, "none"),
        ("json_object", "json", {"title": "whatever"}, "none"),
        ("json_object", "json_object", {"title": "whatever"}, "json_object"),
        ("json_object", "markdown", None, "none"),
        ("json_schema", "json_object", SCHEMA, "json_schema"),
        ("json_schema", "json_array", SCHEMA, "json_schema"),
        ("json_schema", "json_object", None, "json_object"),
        ("json_schema", "json_array", None, "none"),
        ("json_schema", "markdown", None, "none"),
    ],
)
def test_model_is_asked_for_no_more_structure_than_answers_have(
    wanted: StructuredOutput,
    output: OutputFormat,
    schema: JsonObject | None,
    asked: StructuredOutput,
) -> None:
    fitted = fit_to_output(model(wanted), output, schema)
    assert fitted == model(asked)
