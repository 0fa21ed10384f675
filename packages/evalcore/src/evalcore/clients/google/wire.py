"""The Google dialect, without I/O: a call to a request's bytes, an answer's bytes to an answer.

Facts: https://ai.google.dev/api/generate-content, and the discovery document of v1beta (revision 20260529).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import msgspec

from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.failures import Failure, empty_answer, no_choices, unreadable_answer
from evalcore.clients.google.failures import stated_failure
from evalcore.clients.interface import Attachment, Call, Served, ServedModel
from evalcore.clients.reply import Answer, TokenCount, Usage
from evalcore.decoding import json_decoder
from evalcore.structs import Frozen, JsonObject, JsonValue

MODELS_PATH: Final = "/v1beta/models?pageSize=1000"
_OF_THE_REQUEST: Final = frozenset({"safetySettings", "serviceTier", "cachedContent", "store", "toolConfig"})
"""Parameters that stand beside the generation's settings, not among them."""
_NAMES: Final = {"maxTokens": "maxOutputTokens"}
"""What models.yaml calls alike for all providers, by Google's names."""

_FILTERED: Final = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
_OTHERS: Final = frozenset(
    {
        *("OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "IMAGE_OTHER"),
        *("NO_IMAGE", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "ESCALATION"),
    }
)


class GooglePart(Frozen, frozen=True):
    """A part of an answer; a thought is none."""

    text: str | None = None
    thought: bool = False


class GoogleContent(Frozen, frozen=True):
    """What a candidate says; without parts where it says nothing."""

    parts: tuple[GooglePart, ...] = ()


class Candidate(Frozen, frozen=True):
    """One of the answers; one is asked for."""

    content: GoogleContent | None = None
    finishReason: str | None = None  # noqa: N815 - Google's name


class PromptFeedback(Frozen, frozen=True):
    """Says why a prompt was not answered at all."""

    blockReason: str | None = None  # noqa: N815 - Google's name


class GoogleUsage(Frozen, frozen=True, rename="camel"):
    """Token counts; thoughts are beside the candidates' tokens, cached ones within the prompt's."""

    prompt_token_count: TokenCount | None = None
    candidates_token_count: TokenCount | None = None
    thoughts_token_count: TokenCount | None = None
    cached_content_token_count: TokenCount | None = None
    tool_use_prompt_token_count: TokenCount | None = None


class Generated(Frozen, frozen=True):
    """A whole answer, or one event of a stream."""

    candidates: tuple[Candidate, ...] = ()
    promptFeedback: PromptFeedback | None = None  # noqa: N815 - Google's name
    usageMetadata: msgspec.Raw = NULL  # noqa: N815 - Google's name
    error: msgspec.Raw = NULL


class _ListedModel(Frozen, frozen=True, rename="camel"):
    name: str
    version: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None


class _ModelList(Frozen, frozen=True):
    models: list[_ListedModel]


generated = json_decoder(Generated)
_usage = json_decoder(GoogleUsage | None)
_model_list = json_decoder(_ModelList)
_encoder = msgspec.json.Encoder()


def path_of(call: Call) -> str:
    """Return the address of a call's model, its method and form of the answer."""
    name = call.model.id
    # Tuned models have a collection of their own: `tunedModels/...`.
    name = name if "/" in name else f"models/{name}"
    place = "/".join(quote(part, safe="") for part in name.split("/"))
    method = "streamGenerateContent?alt=sse" if call.model.stream else "generateContent"
    return f"/v1beta/{place}:{method}"


def _inline(attachment: Attachment) -> JsonObject:
    return {"inlineData": {"mimeType": attachment.media_type, "data": attachment.base64}}


def content_body(call: Call) -> bytes:
    """Build the body of a request; `params` go as given, by Google's names for them."""
    config: JsonObject = {}
    part: JsonObject = {"text": call.user} if call.attachment is None else _inline(call.attachment)
    body: JsonObject = {"contents": [{"role": "user", "parts": [part]}]}
    if call.system:
        body["systemInstruction"] = {"parts": [{"text": call.system}]}
    for name, value in call.model.params.items():
        camel = _camel(name)
        known = _NAMES.get(camel, camel)
        target = body if known in _OF_THE_REQUEST else config
        target[known] = _with_camel(value)
    if call.seed is not None:
        config["seed"] = call.seed
    config.update(_structure(call))
    if config:
        body["generationConfig"] = config
    return _encoder.encode(body)


def _structure(call: Call) -> JsonObject:
    wanted = call.model.structured_output
    if wanted == "json_schema" and call.schema is not None:
        return {"responseMimeType": "application/json", "responseJsonSchema": call.schema}
    return {"responseMimeType": "application/json"} if wanted == "json_object" else {}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _with_camel(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {_camel(name): _with_camel(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_camel(inner) for inner in value]
    return value


def parse_generated(body: bytes) -> Answer | Failure:
    """Read the body of a 200 that is not a stream."""
    if not body.strip():
        return empty_answer()
    try:
        read = generated.decode(body)
    except UNREADABLE:
        return unreadable_answer()
    if read.error != NULL:
        return stated_failure(body)
    usage = read_usage(read.usageMetadata)
    if not read.candidates:
        return blocked(read.promptFeedback, usage)
    candidate = read.candidates[0]
    return answer(texts_of(candidate), candidate.finishReason, usage)


def blocked(feedback: PromptFeedback | None, usage: Usage | None) -> Answer | Failure:
    """Say what an answer without candidates is: refused by a filter, or no answer at all."""
    if feedback is not None and feedback.blockReason is not None:
        return Answer(text=None, finish_reason="content_filter", usage=usage)
    return no_choices()


def texts_of(candidate: Candidate) -> list[str]:
    """Return the texts of a candidate that are no thoughts."""
    parts = candidate.content.parts if candidate.content is not None else ()
    return [part.text for part in parts if part.text is not None and not part.thought]


def answer(texts: list[str], finish_reason: str | None, usage: Usage | None) -> Answer:
    """Put an answer together. Empty content with STOP is the model's own: it said nothing."""
    reason = None if finish_reason is None else _reason(finish_reason)
    # A filter may stop an answer that had begun: the part that came is not what the model would have said.
    text = "".join(texts) if texts and reason != "content_filter" else None
    return Answer(text=text, finish_reason=reason, usage=usage)


def _reason(given: str) -> str:
    if given in _FILTERED:
        return "content_filter"
    return {"STOP": "stop", "MAX_TOKENS": "length"}.get(given, given.lower() if given in _OTHERS else "other")


def read_usage(counts: msgspec.Raw) -> Usage | None:
    """Token counts, thoughts included; None where it does not count, or states what can be none."""
    try:
        stated = _usage.decode(counts)
    except UNREADABLE:
        # the answer beside it is none the worse for it
        return None
    if stated is None or stated.prompt_token_count is None:
        return None
    thinking = stated.thoughts_token_count or 0
    # Google leaves counts of 0 out: a prompt that was blocked has no candidates' tokens
    prompt = stated.prompt_token_count + (stated.tool_use_prompt_token_count or 0)
    return Usage(
        prompt=prompt,
        completion=(stated.candidates_token_count or 0) + thinking,
        cache_read=min(stated.cached_content_token_count or 0, prompt),
        thinking=thinking,
    )


def served(models_body: bytes) -> Served:
    """Read `GET /v1beta/models`; raises one of UNREADABLE when it is no list of models."""
    listing = _model_list.decode(models_body)
    models = {}
    for listed in listing.models:
        model_id = listed.name.removeprefix("models/")
        models[model_id] = ServedModel(
            id=model_id, context_length=listed.input_token_limit, most_tokens=listed.output_token_limit
        )
    return Served(version=None, models=models)
