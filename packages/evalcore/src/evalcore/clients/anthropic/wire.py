"""The Anthropic dialect, without I/O: a call to a request's bytes, an answer's bytes to an answer.

Facts: https://platform.claude.com/docs/en/api/messages, and Anthropic's OpenAPI description of 2026-05.
"""

from __future__ import annotations

from typing import Final

import msgspec

from evalcore.clients.anthropic.failures import stated_failure
from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.failures import Failure, empty_answer, unreadable_answer
from evalcore.clients.interface import Attachment, Call, Served, ServedModel
from evalcore.clients.reply import Answer, TokenCount, Usage
from evalcore.decoding import json_decoder
from evalcore.structs import Frozen, JsonObject, JsonValue

MESSAGES_PATH: Final = "/v1/messages"
MODELS_PATH: Final = "/v1/models?limit=1000"
API_VERSION: Final = "2023-06-01"
DEFAULT_MAX_TOKENS: Final = 16_384
"""The API has no default and refuses a request without one."""
TOOL_NAME: Final = "answer"

_FINISH_REASONS: Final = {
    "max_tokens": "length",
    # cut all the same, by the context instead of the limit
    "model_context_window_exceeded": "length",
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "pause_turn": "pause_turn",
    "refusal": "refusal",
}


class AnthropicUsage(Frozen, frozen=True):
    """Token counts; `input_tokens` leaves the cached ones out."""

    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    cache_creation_input_tokens: TokenCount | None = None
    cache_read_input_tokens: TokenCount | None = None
    output_tokens_details: _OutputDetails | None = None


class _OutputDetails(Frozen, frozen=True):
    thinking_tokens: TokenCount | None = None


class _Block(Frozen, frozen=True):
    """A part of an answer; thinking and the like have no `text`."""

    type: str = ""
    text: str | None = None
    input: msgspec.Raw = NULL


class _Message(Frozen, frozen=True):
    type: str = ""
    content: tuple[_Block, ...] = ()
    stop_reason: str | None = None
    usage: msgspec.Raw = NULL


class _ListedModel(Frozen, frozen=True):
    id: str
    max_input_tokens: int | None = None
    max_tokens: int | None = None


class _ModelList(Frozen, frozen=True):
    data: list[_ListedModel]


_message = json_decoder(_Message)
_counts = json_decoder(AnthropicUsage | None)
_model_list = json_decoder(_ModelList)
_encoder = msgspec.json.Encoder()


def message_body(call: Call) -> bytes:
    """Build the body of a message; `params` go as given."""
    model = call.model
    body: dict[str, JsonValue] = {"max_tokens": DEFAULT_MAX_TOKENS, **model.params}
    if call.seed is not None:
        body["seed"] = call.seed
    body["model"] = model.id
    if call.system:
        body["system"] = call.system
    content: JsonValue = call.user if call.attachment is None else [_block(call.attachment)]
    body["messages"] = [{"role": "user", "content": content}]
    if model.structured_output == "json_schema" and call.schema is not None:
        _ask_for_schema(body, call.schema, as_tool=call.as_tool)
    if model.stream:
        body["stream"] = True
    return _encoder.encode(body)


def _block(attachment: Attachment) -> JsonObject:
    source: JsonObject = {
        "type": "base64",
        "media_type": attachment.media_type,
        "data": attachment.base64,
    }
    return {"type": "image" if attachment.is_picture else "document", "source": source}


def _ask_for_schema(body: dict[str, JsonValue], schema: JsonObject, *, as_tool: bool) -> None:
    if as_tool:
        tool: JsonValue = {
            "name": TOOL_NAME,
            "description": "Gives the answer.",
            "input_schema": schema,
        }
        body["tools"] = [tool]
        body["tool_choice"] = {"type": "tool", "name": TOOL_NAME, "disable_parallel_tool_use": True}
        return
    given = body.get("output_config")
    config: JsonObject = dict(given) if isinstance(given, dict) else {}
    body["output_config"] = {**config, "format": {"type": "json_schema", "schema": schema}}


def parse_message(body: bytes) -> Answer | Failure:
    """Read the body of a 200 that is not a stream."""
    if not body.strip():
        return empty_answer()
    try:
        message = _message.decode(body)
    except UNREADABLE:
        return unreadable_answer()
    if message.type == "error":
        return stated_failure(body)
    if message.type != "message":
        return unreadable_answer()
    tools = [bytes(block.input).decode() for block in message.content if block.type == "tool_use"]
    texts = [block.text for block in message.content if block.type == "text" and block.text is not None]
    return answer(texts, tools, message.stop_reason, _usage_of(message.usage))


def answer(texts: list[str], tools: list[str], stop_reason: str | None, usage: Usage | None) -> Answer:
    """Put an answer together: the input of the tool that was called, else the text; thinking is none."""
    reason = None if stop_reason is None else _FINISH_REASONS.get(stop_reason, "other")
    if reason == "refusal":
        # what had come by then is to be discarded
        return Answer(text=None, finish_reason=reason, usage=usage)
    text = tools[0] if tools else "".join(texts) if texts else None
    return Answer(text=text, finish_reason=reason, usage=usage)


def read_counts(stated: msgspec.Raw) -> AnthropicUsage | None:
    """Read what is counted; None where nothing is. Raises one of UNREADABLE where it is no counts."""
    counts: AnthropicUsage | None = _counts.decode(stated)
    return counts


def _usage_of(stated: msgspec.Raw) -> Usage | None:
    try:
        return read_usage(read_counts(stated))
    except UNREADABLE:
        # the answer beside it is none the worse for it
        return None


def read_usage(stated: AnthropicUsage | None) -> Usage | None:
    """Token counts, the cached ones included; None where it does not count."""
    if stated is None or stated.input_tokens is None or stated.output_tokens is None:
        return None
    written, read = stated.cache_creation_input_tokens or 0, stated.cache_read_input_tokens or 0
    details = stated.output_tokens_details
    thinking = details.thinking_tokens if details is not None else None
    return Usage(
        prompt=stated.input_tokens + written + read,
        completion=stated.output_tokens,
        cache_read=read,
        cache_write=written,
        thinking=min(thinking or 0, stated.output_tokens),
    )


def served(models_body: bytes) -> Served:
    """Read `GET /v1/models`; raises one of UNREADABLE when it is no list of models."""
    listing = _model_list.decode(models_body)
    return Served(
        version=None,
        models={
            listed.id: ServedModel(
                id=listed.id, context_length=listed.max_input_tokens, most_tokens=listed.max_tokens
            )
            for listed in listing.data
        },
    )
