"""OpenAI's own service, simulated: POST /v1/chat/completions and GET /v1/models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evalcore.structs import JsonObject, JsonValue
from evalsim.cloud.config import CloudModel, FaultKind
from evalsim.cloud.schemas import openai_problem
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
        *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop"),
        *(
            "stream",
            "stream_options",
            "response_format",
            "reasoning_effort",
            "verbosity",
            "store",
            "metadata",
        ),
        *("frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "service_tier"),
        *("tools", "tool_choice", "parallel_tool_calls", "prediction", "n", "user", "prompt_cache_key"),
        *("safety_identifier", "modalities"),
    }
)


def _refused(
    status: int, message: str, code: str | None = None, param: str | None = None, headers: Headers = ()
) -> Refused:
    kind = {429: "requests", 500: "server_error", 503: "service_unavailable"}.get(
        status, "invalid_request_error"
    )
    # Money that has run out is a 429 as well: its code tells it from a rate limit, and no waiting mends it.
    if code == "insufficient_quota":
        kind = code
    error: JsonObject = {"message": message, "type": kind, "param": param, "code": code}
    return Refused(status, {"error": error}, headers)


def _shown(part: JsonObject) -> bytes:
    """Return the document of a part of a message; raises Refused for what is none that is taken."""
    address = as_text(as_object(part.get("image_url")).get("url"))
    media = "image/"
    if part.get("type") == "file":
        address, media = as_text(as_object(part.get("file")).get("file_data")), "application/pdf"
    document = decoded(address.partition(";base64,")[2]) if address.startswith(f"data:{media}") else None
    if document is None:
        raise _refused(400, f"Invalid '{part.get('type')}': expected a data URL of a supported format.")
    return document


class _OpenAI(Vendor):
    """Chat Completions."""

    def key(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def is_call(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def models_path(self) -> str:
        return "/v1/models"

    def models(self, models: tuple[CloudModel, ...]) -> JsonValue:
        listed: list[JsonValue] = [
            {"id": model.id, "object": "model", "created": 1, "owned_by": "openai"} for model in models
        ]
        return {"object": "list", "data": listed}

    def read(self, path: str, query: str, headers: Mapping[str, str], body: JsonValue) -> CloudRequest:  # noqa: ARG002
        fields = as_object(body)
        for name in fields:
            if name not in _FIELDS:
                raise _refused(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)
        if "max_tokens" in fields and "max_completion_tokens" in fields:
            raise _refused(
                400, "max_tokens and max_completion_tokens cannot both be set.", param="max_tokens"
            )
        if fields.get("stream") is not True and "stream_options" in fields:
            words = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise _refused(400, words, param="stream_options")
        messages = [as_object(message) for message in as_list(fields.get("messages"))]
        if not messages:
            words = (
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty"
            )
            raise _refused(400, f"{words} array instead.", "empty_array", "messages")
        texts = {as_text(message.get("role")): as_text(message.get("content")) for message in messages}
        parts = [as_object(part) for message in messages for part in as_list(message.get("content"))]
        wanted = as_object(fields.get("response_format"))
        if wanted.get("type") == "json_object" and "json" not in " ".join(texts.values()).lower():
            words = "'messages' must contain the word 'json' in some form, to use 'response_format' of type"
            raise _refused(400, f"{words} 'json_object'.", param="messages")
        schema = as_object(wanted.get("json_schema")).get("schema")
        limit = as_number(fields.get("max_completion_tokens"))
        return CloudRequest(
            model=as_text(fields.get("model")),
            system=texts.get("system", ""),
            user=texts.get("user", ""),
            stream=fields.get("stream") is True,
            most_tokens=limit if limit is not None else as_number(fields.get("max_tokens")),
            seed=as_number(fields.get("seed")),
            schema=as_object(schema) if schema is not None else None,
            documents=tuple(_shown(part) for part in parts if part.get("type") != "text"),
        )

    def check(self, body: JsonObject, request: CloudRequest, model: CloudModel) -> None:
        if model.is_reasoning:
            # Reasoning models refuse the older name, which other servers know alone.
            if "max_tokens" in body:
                words = "Unsupported parameter: 'max_tokens' is not supported with this model."
                raise _refused(
                    400,
                    f"{words} Use 'max_completion_tokens' instead.",
                    "unsupported_parameter",
                    "max_tokens",
                )
            if body.get("temperature", 1) != 1:
                words = f"Unsupported value: 'temperature' does not support {body['temperature']} here."
                raise _refused(
                    400,
                    f"{words} Only the default (1) value is supported.",
                    "unsupported_value",
                    "temperature",
                )
            if "seed" in body:
                words = "Unsupported parameter: 'seed' is not supported with this model."
                raise _refused(400, words, "unsupported_parameter", "seed")
        if request.most_tokens is not None and request.most_tokens > model.most_tokens:
            words = f"max_tokens is too large: {request.most_tokens}. This model supports at most"
            raise _refused(
                400,
                f"{words} {model.most_tokens} completion tokens.",
                "invalid_value",
                "max_completion_tokens",
            )
        if request.schema is not None:
            problem = openai_problem(request.schema)
            if problem is not None:
                words = f"Invalid schema for response_format 'answer': {problem}."
                raise _refused(400, words, None, "response_format")

    def whole(self, spoken: Spoken, model: CloudModel) -> JsonValue:
        is_refused = spoken.fault == "refusal"
        text: str | None = spoken.text
        if is_refused or spoken.fault in {"empty", "blocked"}:
            text = "" if spoken.fault == "empty" else None
        message: JsonObject = {
            "role": "assistant",
            "content": text,
            "refusal": "I'm sorry, I can't help with that." if is_refused else None,
        }
        choice: JsonObject = {"index": 0, "message": message, "finish_reason": _finish(spoken)}
        return {
            "id": "chatcmpl-simulated",
            "object": "chat.completion",
            "created": 1,
            "model": model.id,
            "choices": [choice],
            **({} if spoken.fault == "no_usage" else {"usage": _usage(spoken)}),
        }

    def events(self, spoken: Spoken, model: CloudModel) -> list[bytes]:
        message = as_object(as_object(as_list(as_object(self.whole(spoken, model))["choices"])[0])["message"])
        deltas: list[JsonObject] = [{"role": "assistant", "content": ""}]
        if isinstance(refusal := message["refusal"], str):
            deltas += [{"refusal": part} for part in pieces(refusal)]
        else:
            deltas += [{"content": part} for part in pieces(as_text(message["content"]))]
        events = [event(_chunk(model, delta, None)) for delta in deltas]
        events.append(event(_chunk(model, {}, _finish(spoken))))
        if spoken.fault != "no_usage":
            # Usage comes in a last event without choices.
            events.append(event({**_chunk(model, {}, None), "choices": [], "usage": _usage(spoken)}))
        return [*events, b"data: [DONE]\n\n"]

    def error_event(self) -> bytes:
        return event({"error": {"message": "The server is overloaded", "type": "server_error", "code": None}})

    def fault(self, kind: FaultKind, seconds: float | None) -> Refused | None:
        wait = (("retry-after", f"{seconds:g}"),) if seconds is not None else ()
        too_long = "This model's maximum context length is 128000 tokens."
        refusals: dict[FaultKind, Refused] = {
            "rate_limited": _refused(429, "Rate limit reached", "rate_limit_exceeded", headers=wait),
            "overloaded": _refused(503, "The server is currently overloaded"),
            "unauthorized": _refused(401, "Incorrect API key provided", "invalid_api_key"),
            "quota": _refused(429, "You exceeded your current quota", "insufficient_quota"),
            "context": _refused(400, too_long, "context_length_exceeded", "messages"),
            "server_error": _refused(500, "The server had an error while processing your request"),
        }
        return refusals.get(kind)

    def unknown_model(self, model_id: str) -> Refused:
        words = f"The model `{model_id}` does not exist or you do not have access to it."
        return _refused(404, words, "model_not_found")

    def limit_headers(self, limit: int, remaining: int, reset: float) -> Headers:
        return (
            ("x-ratelimit-limit-requests", str(limit)),
            ("x-ratelimit-remaining-requests", str(remaining)),
            ("x-ratelimit-reset-requests", f"{reset:.3f}s"),
        )


def _finish(spoken: Spoken) -> str:
    odd: dict[FaultKind | None, str] = {"blocked": "content_filter", "odd_finish": "moon_phase"}
    return odd.get(spoken.fault, "length" if spoken.is_cut else "stop")


def _chunk(model: CloudModel, delta: JsonObject, finish: str | None) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model.id,
        "choices": [choice],
    }


def _usage(spoken: Spoken) -> JsonObject:
    completion = spoken.completion_tokens + spoken.thinking_tokens
    return {
        "prompt_tokens": spoken.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": spoken.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": spoken.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": spoken.thinking_tokens},
    }


OPENAI: Final = _OpenAI()
