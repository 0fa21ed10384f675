"""The OpenAI dialect, without I/O: a call to a request's bytes, an answer's bytes to an answer.

What a streamed answer is made of is read by `stream`, what a failure says by `failures`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.error_bodies import read_error
from evalcore.clients.events import BYTE_ORDER_MARK
from evalcore.clients.failures import Failure, empty_answer, no_choices, unreadable_answer
from evalcore.clients.interface import Attachment, Call, Served, ServedModel
from evalcore.clients.openai.failures import stated_failure
from evalcore.clients.reply import Answer, TokenCount, Usage
from evalcore.decoding import json_decoder
from evalcore.structs import Frozen, JsonObject, JsonValue

CHAT_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"
STATUS_PATH = "/status"

SCHEMA_NAME = "answer"
"""The name that `response_format` asks for; it is not shown to anybody."""

TEXT_PARTS: Final = frozenset({"text", "output_text"})
"""Kinds of content parts that are the answer."""


class _PromptDetails(Frozen, frozen=True):
    cached_tokens: TokenCount | None = None


class _CompletionDetails(Frozen, frozen=True):
    reasoning_tokens: TokenCount | None = None


class _WireUsage(Frozen, frozen=True):
    """Token counts; MindRouter sends zeros where its backend reported none."""

    prompt_tokens: TokenCount | None = None
    completion_tokens: TokenCount | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class ContentPart(Frozen, frozen=True):
    """A part of a content that is a list; other kinds than text are thoughts, images and the like."""

    type: str = "text"
    text: str | None = None


Content: TypeAlias = str | list[ContentPart | str] | None
"""What a message or a delta holds as its content."""


class _Message(Frozen, frozen=True):
    content: Content = None
    refusal: str | None = None


class _Choice(Frozen, frozen=True):
    message: _Message | None = None
    finish_reason: str | None = None


class _Completion(Frozen, frozen=True):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = NULL


class _ListedModel(Frozen, frozen=True):
    id: str
    quantization: str | None = None
    context_length: int | None = None
    max_model_len: int | None = None
    backends: list[str] | None = None


class _ModelList(Frozen, frozen=True):
    data: list[_ListedModel]


class _Status(Frozen, frozen=True):
    version: str | None = None


class _Queue(Frozen, frozen=True):
    by_model: dict[str, float]


class _Load(Frozen, frozen=True):
    queue: _Queue


_completion = json_decoder(_Completion)
_usage = json_decoder(_WireUsage | None)
_model_list = json_decoder(_ModelList)
_status = json_decoder(_Status)
_load = json_decoder(_Load)
_encoder = msgspec.json.Encoder()


def chat_body(call: Call) -> bytes:
    """Build the body of a chat completion.

    `params` go as given; what this program must decide (model, messages, streaming) wins over them.
    """
    model = call.model
    body: dict[str, object] = dict(model.params)
    if call.seed is not None:
        body["seed"] = call.seed
    body["model"] = model.id
    body["messages"] = [
        {"role": "system", "content": call.system},
        {"role": "user", "content": call.user if call.attachment is None else [_part(call.attachment)]},
    ]
    body.update(_response_format(call))
    body.update(_streaming(stream=model.stream))
    if not model.stream:
        # OpenAI refuses it in a request that is not streamed
        body.pop("stream_options", None)
    return _encoder.encode(body)


def _part(attachment: Attachment) -> JsonObject:
    if attachment.is_picture:
        return {"type": "image_url", "image_url": {"url": attachment.data_uri}}
    return {"type": "file", "file": {"filename": attachment.name, "file_data": attachment.data_uri}}


def _response_format(call: Call) -> dict[str, JsonValue]:
    wanted = call.model.structured_output
    if wanted == "json_object":
        return {"response_format": {"type": "json_object"}}
    if wanted == "json_schema" and call.schema is not None:
        schema: JsonValue = {"name": SCHEMA_NAME, "strict": True, "schema": call.schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {}


def _streaming(*, stream: bool) -> dict[str, JsonValue]:
    return {"stream": True, "stream_options": {"include_usage": True}} if stream else {"stream": False}


def probe_body(model_id: str) -> bytes:
    """Build the smallest request that makes the server say in words why it refused a streamed one."""
    messages = [{"role": "user", "content": "Say OK."}]
    return _encoder.encode({"model": model_id, "messages": messages, "max_tokens": 1, "stream": False})


def parse_completion(body: bytes) -> Answer | Failure:
    """Read the body of a non-streamed 200."""
    if not body.strip():
        return empty_answer()
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        completion = _completion.decode(body)
    except UNREADABLE:
        return unreadable_answer()
    if completion.choices is None and read_error(body) is not None:
        return stated_failure(body)
    if not completion.choices:
        return no_choices()
    choice = completion.choices[0]
    if choice.message is not None and choice.message.refusal:
        return Answer(text=None, finish_reason="refusal", usage=read_usage(completion.usage))
    text = text_of(choice.message.content) if choice.message else None
    # some servers write an empty reason for none
    return Answer(text=text, finish_reason=choice.finish_reason or None, usage=read_usage(completion.usage))


def text_of(content: Content) -> str | None:
    """Return the text of a content: all of it, or its text parts joined; None where it is null."""
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else _part_text(part) for part in content)
    return content


def _part_text(part: ContentPart) -> str:
    return part.text or "" if part.type in TEXT_PARTS else ""


def read_usage(stated: msgspec.Raw) -> Usage | None:
    """Token counts, or None where the server did not count: it says nothing, only zeros, or no numbers."""
    try:
        usage = _usage.decode(stated)
    except UNREADABLE:
        # the answer beside it is none the worse for it
        return None
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    if not usage.prompt_tokens and not usage.completion_tokens:
        return None
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    details = usage.completion_tokens_details
    thinking = details.reasoning_tokens if details else None
    return Usage(
        prompt=usage.prompt_tokens,
        completion=usage.completion_tokens,
        # a part is never more than the whole, whatever a server makes of it
        cache_read=min(cached or 0, usage.prompt_tokens),
        thinking=min(thinking or 0, usage.completion_tokens),
    )


def parse_models(body: bytes) -> dict[str, ServedModel]:
    """Read `GET /v1/models`; raises one of UNREADABLE when it is no list of models."""
    listing = _model_list.decode(body.removeprefix(BYTE_ORDER_MARK))
    return {listed.id: _served_model(listed) for listed in listing.data}


def _served_model(listed: _ListedModel) -> ServedModel:
    return ServedModel(
        id=listed.id,
        quantization=listed.quantization,
        # vLLM itself says max_model_len
        context_length=listed.context_length if listed.context_length is not None else listed.max_model_len,
        backends=tuple(listed.backends) if listed.backends is not None else None,
    )


def parse_version(body: bytes) -> str | None:
    """Read the gateway's version from `GET /status`; None where that is something else."""
    try:
        return _status.decode(body).version
    except UNREADABLE:
        return None


def parse_queue(body: bytes) -> dict[str, int]:
    """Read from `GET /status` how many calls wait, by model; raises one of UNREADABLE where it tells none."""
    return {model: int(count) for model, count in _load.decode(body).queue.by_model.items()}


def served(models_body: bytes, status_body: bytes | None) -> Served:
    """Put together what a server says of itself; raises as parse_models does."""
    return Served(
        version=parse_version(status_body) if status_body is not None else None,
        models=parse_models(models_body),
    )
