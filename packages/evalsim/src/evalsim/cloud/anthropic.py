"""Anthropic, simulated: POST /v1/messages and GET /v1/models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from evalcore.decoding import decode_json
from evalcore.structs import JsonObject, JsonValue
from evalsim.cloud.config import CloudModel, FaultKind
from evalsim.cloud.schemas import anthropic_problem
from evalsim.cloud.vendor import (
    CloudRequest,
    Headers,
    Refused,
    Spoken,
    Vendor,
    as_list,
    as_number,
    as_object,
    as_text,
    decoded,
    event,
    pieces,
)

_FIELDS: Final = frozenset(
    {
        *("model", "messages", "max_tokens", "system", "stream", "temperature", "top_p", "top_k", "metadata"),
        *("stop_sequences", "thinking", "tools", "tool_choice", "output_config", "service_tier", "container"),
        *("inference_geo", "cache_control"),
    }
)
_KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def _refused(status: int, message: str, headers: Headers = ()) -> Refused:
    error: JsonObject = {"type": _KINDS[status], "message": message}
    return Refused(status, {"type": "error", "error": error, "request_id": "req_simulated"}, headers)


class _Anthropic(Vendor):
    """The Messages API."""

    def key(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key", "")

    def is_call(self, path: str) -> bool:
        return path == "/v1/messages"

    def models_path(self) -> str:
        return "/v1/models"

    def models(self, models: tuple[CloudModel, ...]) -> JsonValue:
        listed: list[JsonValue] = [
            {
                "type": "model",
                "id": model.id,
                "display_name": model.id,
                "created_at": "2026-01-01T00:00:00Z",
                "max_tokens": model.most_tokens,
            }
            for model in models
        ]
        return {"data": listed, "has_more": False, "first_id": None, "last_id": None}

    def read(self, path: str, query: str, headers: Mapping[str, str], body: JsonValue) -> CloudRequest:  # noqa: ARG002
        if "anthropic-version" not in headers:
            raise _refused(400, "anthropic-version: header is required")
        fields = as_object(body)
        for name in fields:
            if name not in _FIELDS:
                raise _refused(400, f"{name}: Extra inputs are not permitted")
        for name in ("model", "messages", "max_tokens"):
            if name not in fields:
                raise _refused(400, f"{name}: Field required")
        messages = as_list(fields["messages"])
        if not messages:
            raise _refused(400, "messages: at least one message is required")
        schema = as_object(as_object(fields.get("output_config")).get("format")).get("schema")
        tools = as_list(fields.get("tools"))
        as_tool = as_object(fields.get("tool_choice")).get("type") == "tool"
        if as_tool and not tools:
            raise _refused(400, "tool_choice: Tool choice may only be specified while providing `tools`.")
        # A forced tool stands in for a schema that is not compiled: its input is the answer.
        if as_tool:
            schema = as_object(tools[0]).get("input_schema")
        message = as_object(messages[-1])
        blocks = [as_object(block) for block in as_list(message.get("content"))]
        return CloudRequest(
            model=as_text(fields["model"]),
            system=as_text(fields.get("system")),
            user=as_text(message.get("content")),
            stream=fields.get("stream") is True,
            most_tokens=as_number(fields["max_tokens"]),
            seed=None,
            schema=as_object(schema) if schema is not None else None,
            as_tool=as_tool,
            documents=tuple(_shown(block) for block in blocks if block.get("type") != "text"),
        )

    def check(self, body: JsonObject, request: CloudRequest, model: CloudModel) -> None:
        if request.most_tokens is None or request.most_tokens > model.most_tokens:
            words = f"max_tokens: {request.most_tokens} > {model.most_tokens}, which is the maximum allowed"
            raise _refused(400, f"{words} number of output tokens for {model.id}")
        if model.is_reasoning and body.get("temperature", 1) != 1:
            raise _refused(400, "temperature: only 1 is supported by this model")
        # Only a compiled schema is held to the rules; a tool's is taken as it stands.
        if request.schema is not None and not request.as_tool:
            problem = anthropic_problem(request.schema)
            if problem is not None:
                raise _refused(400, f"output_config.format.schema: {problem}")

    def whole(self, spoken: Spoken, model: CloudModel) -> JsonValue:
        return {
            "id": "msg_simulated",
            "type": "message",
            "role": "assistant",
            "model": model.id,
            "content": _content(spoken),
            "stop_reason": _stop_reason(spoken),
            "stop_sequence": None,
            **({} if spoken.fault == "no_usage" else {"usage": _usage(spoken)}),
        }

    def events(self, spoken: Spoken, model: CloudModel) -> list[bytes]:
        message = as_object(self.whole(spoken, model))
        begun = {
            **message,
            "content": [],
            "stop_reason": None,
            # What message_start counts is a beginning: the final counts come with message_delta.
            "usage": {**_usage(spoken), "output_tokens": 1},
        }
        events = [event({"type": "message_start", "message": begun}, "message_start")]
        # A client must pass over events that it has no use for; pings come at any place.
        events.append(event({"type": "ping"}, "ping"))
        for index, block in enumerate(_content(spoken)):
            events += _block_events(index, as_object(block))
        ended: JsonObject = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        events.append(
            event({"type": "message_delta", "delta": ended, "usage": _usage(spoken)}, "message_delta")
        )
        events.append(event({"type": "message_stop"}, "message_stop"))
        return events

    def error_event(self) -> bytes:
        return event(
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error"
        )

    def fault(self, kind: FaultKind, seconds: float | None) -> Refused | None:
        wait = (("retry-after", f"{seconds:g}"),) if seconds is not None else ()
        refusals: dict[FaultKind, tuple[int, str]] = {
            "rate_limited": (429, "This request would exceed your organization's rate limit"),
            "overloaded": (529, "Overloaded"),
            "unauthorized": (401, "invalid x-api-key"),
            "quota": (402, "There is an issue with your billing"),
            "context": (400, "prompt is too long: 250000 tokens > 200000 maximum"),
            "server_error": (500, "Internal server error"),
            "grammar_too_large": (400, "The compiled grammar is too large, which would slow it down."),
        }
        found = refusals.get(kind)
        return None if found is None else _refused(*found, wait if kind == "rate_limited" else ())

    def unknown_model(self, model_id: str) -> Refused:
        return _refused(404, f"model: {model_id}")

    def limit_headers(self, limit: int, remaining: int, reset: float) -> Headers:
        moment = datetime.now(UTC) + timedelta(seconds=reset)
        name = "anthropic-ratelimit-requests"
        return (
            (f"{name}-limit", str(limit)),
            (f"{name}-remaining", str(remaining)),
            (f"{name}-reset", moment.isoformat().replace("+00:00", "Z")),
        )


def _shown(block: JsonObject) -> bytes:
    """Return the document of a block of a message; raises Refused for what is none that is taken."""
    source = as_object(block.get("source"))
    kinds = {
        "document": ("application/pdf",),
        "image": ("image/png", "image/jpeg", "image/gif", "image/webp"),
    }
    taken = kinds.get(as_text(block.get("type")), ())
    document = decoded(as_text(source.get("data"))) if source.get("media_type") in taken else None
    if document is None:
        raise _refused(
            400, "messages.0.content.0: Input should be a document or an image of a supported type"
        )
    return document


def _content(spoken: Spoken) -> list[JsonValue]:
    if spoken.fault == "empty":
        return []
    blocks: list[JsonValue] = []
    if spoken.thought is not None:
        blocks.append({"type": "thinking", "thinking": spoken.thought, "signature": "c2ln"})
    if spoken.fault in {"refusal", "blocked"}:
        return blocks
    if spoken.as_tool:
        value = decode_json(spoken.text, JsonValue)
        return [*blocks, {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": value}]
    return [*blocks, {"type": "text", "text": spoken.text, "citations": None}]


def _block_events(index: int, block: JsonObject) -> list[bytes]:
    kind = block["type"]
    if kind == "tool_use":
        begun: JsonObject = {**block, "input": {}}
        parts = pieces(msgspec.json.encode(block["input"]).decode())
        # A tool's input comes as pieces of JSON text, to be parsed once they are joined.
        deltas: list[JsonValue] = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    elif kind == "thinking":
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": part} for part in pieces(as_text(block["thinking"]))]
    else:
        begun = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": part} for part in pieces(as_text(block["text"]))]
    started: JsonObject = {"type": "content_block_start", "index": index, "content_block": begun}
    return [
        event(started, "content_block_start"),
        *(
            event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")
            for delta in deltas
        ),
        event({"type": "content_block_stop", "index": index}, "content_block_stop"),
    ]


def _stop_reason(spoken: Spoken) -> str:
    odd: dict[FaultKind | None, str] = {
        "refusal": "refusal",
        "blocked": "refusal",
        "context_window": "model_context_window_exceeded",
        "odd_finish": "moon_phase",
    }
    regular = "max_tokens" if spoken.is_cut else "tool_use" if spoken.as_tool else "end_turn"
    return odd.get(spoken.fault, regular)


def _usage(spoken: Spoken) -> JsonObject:
    return {
        # Anthropic counts what came out of the cache apart; the others count it among the prompt's tokens.
        "input_tokens": spoken.prompt_tokens - spoken.cached_tokens,
        "cache_read_input_tokens": spoken.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": spoken.completion_tokens + spoken.thinking_tokens,
        "output_tokens_details": {"thinking_tokens": spoken.thinking_tokens},
    }


ANTHROPIC: Final = _Anthropic()
