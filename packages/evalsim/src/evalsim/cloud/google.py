"""Google, simulated: generateContent and streamGenerateContent of v1beta, and its list of models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from evalcore.structs import JsonObject, JsonValue
from evalsim.cloud.config import CloudModel, FaultKind
from evalsim.cloud.schemas import google_problem
from evalsim.cloud.vendor import (
    CloudRequest,
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

_PATH: Final = re.compile(r"/v1beta/models/([^/:]+):(generateContent|streamGenerateContent)")
_FIELDS: Final = frozenset(
    {
        *("contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"),
        *("cachedContent", "serviceTier", "store", "model"),
    }
)
_CONFIG: Final = frozenset(
    {
        *("temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "candidateCount"),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig", "presencePenalty"),
        *("frequencyPenalty", "responseLogprobs", "logprobs", "mediaResolution", "responseModalities"),
    }
)
_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_RPC: Final = "type.googleapis.com/google.rpc"


def _refused(status: int, message: str, details: list[JsonValue] | None = None) -> Refused:
    error: JsonObject = {"code": status, "message": message, "status": _STATUS[status]}
    return Refused(status, {"error": {**error, **({"details": details} if details else {})}})


def _unknown(name: str, place: str) -> Refused:
    where = f" at '{place}'" if place else ""
    words = f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
    violation: JsonObject = {"field": place, "description": words}
    return _refused(400, words, [{"@type": f"{_RPC}.BadRequest", "fieldViolations": [violation]}])


class _Google(Vendor):
    """The Gemini API."""

    def key(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-goog-api-key", "")

    def is_call(self, path: str) -> bool:
        return _PATH.fullmatch(path) is not None

    def models_path(self) -> str:
        return "/v1beta/models"

    def models(self, models: tuple[CloudModel, ...]) -> JsonValue:
        listed: list[JsonValue] = [
            {
                "name": f"models/{model.id}",
                "version": "001",
                "inputTokenLimit": 1_048_576,
                "outputTokenLimit": model.most_tokens,
            }
            for model in models
        ]
        return {"models": listed}

    def read(self, path: str, query: str, headers: Mapping[str, str], body: JsonValue) -> CloudRequest:  # noqa: ARG002
        found = _PATH.fullmatch(path)
        fields = as_object(body)
        for name in fields:
            if name not in _FIELDS:
                raise _unknown(name, "")
        config = as_object(fields.get("generationConfig"))
        for name in config:
            if name not in _CONFIG:
                raise _unknown(name, "generation_config")
        if "responseJsonSchema" in config and config.get("responseMimeType") != "application/json":
            raise _refused(400, "response_json_schema needs response_mime_type application/json")
        contents = as_list(fields.get("contents"))
        if not contents:
            raise _refused(400, "* GenerateContentRequest.contents: contents is not specified")
        schema = config.get("responseJsonSchema")
        is_stream = found is not None and found[2].startswith("stream")
        # Without it Google streams one long JSON array, which no client of ours asks for.
        if is_stream and "alt=sse" not in query:
            raise _refused(400, "this simulation streams server-sent events alone")
        return CloudRequest(
            model=unquote(found[1]) if found is not None else "",
            system=_text(fields.get("systemInstruction")),
            user=_text(contents[-1]),
            stream=is_stream,
            most_tokens=as_number(config.get("maxOutputTokens")),
            seed=as_number(config.get("seed")),
            schema=as_object(schema) if schema is not None else None,
            documents=tuple(_shown(contents[-1])),
        )

    def check(self, body: JsonObject, request: CloudRequest, model: CloudModel) -> None:
        config = as_object(body.get("generationConfig"))
        if model.is_reasoning and config.get("temperature", 1) != 1:
            raise _refused(400, "Invalid value at 'generation_config.temperature': only 1 is supported.")
        if request.most_tokens is not None and request.most_tokens > model.most_tokens:
            words = f"max_output_tokens must be in the range from 1 to {model.most_tokens}"
            raise _refused(400, f"Unable to submit request because {words}.")
        if request.schema is not None:
            problem = google_problem(request.schema)
            if problem is not None:
                raise _refused(400, f"GenerateContentRequest.generation_config.{problem}")

    def whole(self, spoken: Spoken, model: CloudModel) -> JsonValue:
        answer: JsonObject = {"modelVersion": model.id, "responseId": "simulated"}
        if spoken.fault != "no_usage":
            answer["usageMetadata"] = _usage(spoken)
        # A prompt that is blocked has no candidate at all, and says so beside them.
        if spoken.fault == "blocked":
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **answer}
        return {"candidates": [_candidate(_parts(spoken), _finish(spoken))], **answer}

    def events(self, spoken: Spoken, model: CloudModel) -> list[bytes]:
        whole = as_object(self.whole(spoken, model))
        if "candidates" not in whole:
            return [event(whole)]
        events: list[bytes] = []
        for part in _parts(spoken):
            events += [
                event({"candidates": [_candidate([{**as_object(part), "text": text}], None)]})
                for text in pieces(as_text(as_object(part).get("text")))
            ]
        last = _candidate([], _finish(spoken))
        return [*events, event({**whole, "candidates": [last]})]

    def error_event(self) -> bytes:
        error: JsonObject = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
        return event({"error": error})

    def fault(self, kind: FaultKind, seconds: float | None) -> Refused | None:
        retry: list[JsonValue] = []
        if seconds is not None:
            retry = [{"@type": f"{_RPC}.RetryInfo", "retryDelay": f"{seconds:g}s"}]
        quota: JsonObject = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel", "quotaMetric": "requests"}
        invalid: JsonObject = {
            "@type": f"{_RPC}.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
        }
        refusals: dict[FaultKind, Refused] = {
            "rate_limited": _refused(429, "You exceeded your current quota: requests per minute.", retry),
            "overloaded": _refused(503, "The model is overloaded. Please try again later."),
            # Google's status for a wrong key is 400: only the reason in the details tells it from a bad
            # request.
            "unauthorized": _refused(400, "API key not valid. Please pass a valid API key.", [invalid]),
            # The same status and words as a rate limit: the quota's id says that it is a day's.
            "quota": _refused(
                429,
                "You exceeded your current quota.",
                [{"@type": f"{_RPC}.QuotaFailure", "violations": [quota]}],
            ),
            "context": _refused(
                400, "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."
            ),
            "server_error": _refused(500, "An internal error has occurred."),
        }
        return refusals.get(kind)

    def unknown_model(self, model_id: str) -> Refused:
        return _refused(404, f"models/{model_id} is not found for API version v1beta")


def _text(content: JsonValue) -> str:
    return "".join(as_text(as_object(part).get("text")) for part in as_list(as_object(content).get("parts")))


def _shown(content: JsonValue) -> Iterator[bytes]:
    """Yield the documents of a content; raises Refused for what is none that is taken."""
    for part in as_list(as_object(content).get("parts")):
        inline = as_object(as_object(part).get("inlineData"))
        if not inline:
            continue
        media = as_text(inline.get("mimeType"))
        document = decoded(as_text(inline.get("data")))
        if document is None or not (media == "application/pdf" or media.startswith("image/")):
            raise _refused(400, f"Unsupported MIME type: {media}")
        yield document


def _parts(spoken: Spoken) -> list[JsonValue]:
    if spoken.fault in {"empty", "refusal"}:
        return []
    parts: list[JsonValue] = []
    if spoken.thought is not None:
        parts.append({"text": spoken.thought, "thought": True})
    return [*parts, {"text": spoken.text}]


def _candidate(parts: list[JsonValue], finish: str | None) -> JsonObject:
    content: JsonObject = {"role": "model", **({"parts": parts} if parts else {})}
    return {"index": 0, "content": content, **({"finishReason": finish} if finish else {})}


def _finish(spoken: Spoken) -> str:
    odd: dict[FaultKind | None, str] = {"refusal": "SAFETY", "odd_finish": "MOON_PHASE"}
    return odd.get(spoken.fault, "MAX_TOKENS" if spoken.is_cut else "STOP")


def _usage(spoken: Spoken) -> JsonObject:
    counts: JsonObject = {
        "promptTokenCount": spoken.prompt_tokens,
        "candidatesTokenCount": spoken.completion_tokens,
        "totalTokenCount": spoken.prompt_tokens + spoken.completion_tokens + spoken.thinking_tokens,
    }
    if spoken.thinking_tokens:
        counts["thoughtsTokenCount"] = spoken.thinking_tokens
    if spoken.cached_tokens:
        counts["cachedContentTokenCount"] = spoken.cached_tokens
    return counts


GOOGLE: Final = _Google()
