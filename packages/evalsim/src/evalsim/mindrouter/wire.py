"""Bodies as MindRouter writes them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from evalcore.structs import JsonObject, JsonValue
from evalsim.mindrouter.config import SimModel
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.replies import ModelReply

DONE = b"data: [DONE]\n\n"
MODEL_CREATED = 1795388713


def encode(value: JsonValue) -> bytes:
    """JSON without spaces."""
    return msgspec.json.encode(value)


def detail(words: JsonValue) -> bytes:
    """The envelope of most errors."""
    return encode({"detail": words})


def model_not_found(model_id: str) -> bytes:
    """The 404 of a model that is unknown, or known and away."""
    message = f"The model '{model_id}' does not exist"
    return detail({"error": {"message": message, "type": "invalid_request_error", "code": "model_not_found"}})


def completion(reply: ModelReply, model_id: str) -> bytes:
    """A whole answer."""
    message: JsonObject = {"role": "assistant", "content": reply.text}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    body: JsonObject = {
        "id": str(uuid.uuid4()),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model_id,
        "choices": [choice] if reply.has_choices else [],
    }
    if reply.usage is not None:
        body["usage"] = _usage(reply.usage)
    return encode(body)


def _usage(usage: tuple[int, int]) -> JsonObject:
    prompt, answer = usage
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "is_estimated": False,
    }


class EventWriter:
    """Writes the events of one streamed answer."""

    def __init__(self, model_id: str) -> None:
        head = {
            "id": f"chatcmpl-{uuid.uuid4()}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model_id,
        }
        # Encoded once for all events of an answer, which differ in their choices alone.
        self._head = b"data: " + msgspec.json.encode(head)[:-1] + b',"choices":['

    def _event(self, choices: bytes, more: bytes = b"") -> bytes:
        return self._head + choices + b"]" + more + b"}\n\n"

    def delta(self, delta: JsonObject, finish_reason: str | None = None) -> bytes:
        """One piece of the answer."""
        end = b',"finish_reason":' + encode(finish_reason) if finish_reason is not None else b""
        return self._event(b'{"index":0,"delta":' + encode(delta) + end + b"}")

    def events(self, reply: ModelReply, characters: int, *, has_usage: bool) -> Iterator[bytes]:
        """All events of an answer but `[DONE]`."""
        yield self.delta({"role": "assistant"})
        if reply.reasoning is not None:
            yield self.delta({"reasoning_content": reply.reasoning})
        text = reply.text or ""
        for start in range(0, len(text), characters):
            yield self.delta({"content": text[start : start + characters]})
        yield self.delta({}, reply.finish_reason)
        # Only where `include_usage` asks for it, in an event without choices.
        if has_usage and reply.usage is not None:
            yield self._event(b"", b',"usage":' + encode(_usage(reply.usage)))


def error_event(status: int, words: str) -> bytes:
    """An error inside a stream; Python's default JSON, spaces and all, as in the recordings."""
    quoted = msgspec.json.encode(words).decode()
    return (
        f'data: {{"error": {{"message": {quoted}, "type": "backend_error", "code": {status}}}}}\n\n'
    ).encode() + DONE


def models(gateway: Gateway) -> bytes:
    """The answer to GET /v1/models."""
    return encode({"object": "list", "data": [_listed(model, gateway) for model in gateway.listed()]})


def _listed(model: SimModel, gateway: Gateway) -> JsonValue:
    # An alias shows what the model behind it can do.
    behind = gateway.served(gateway.target(model.id)) or model
    backends: list[JsonValue] = [*behind.backends]
    return {
        "id": model.id,
        "object": "model",
        "created": MODEL_CREATED,
        "owned_by": "mindrouter",
        "capabilities": {
            "multimodal": behind.sees,
            "embeddings": False,
            "structured_output": True,
            "thinking": False,
            "tools": True,
        },
        "backends": backends,
        "context_length": behind.context_length,
        "model_max_context": None,
        "parameter_count": None,
        "quantization": behind.quantization,
        "family": None,
        "is_alias": True if model.alias_target is not None else None,
        "alias_target": model.alias_target,
    }


def status(gateway: Gateway) -> bytes:
    """The answer to GET /status."""
    config = gateway.config
    every = {backend for model in config.models for backend in model.backends}
    served = [model for model in config.models if gateway.served(model.id) is not None]
    healthy = {backend for model in served for backend in model.backends}
    names: list[JsonValue] = [*sorted(model.id for model in served)]
    waiting: JsonObject = {model: count for model, count in gateway.queue.items() if count > 0}
    queued = sum(gateway.queue.values())
    depths: JsonObject = {str(number + 1): 0 for number in range(len(every))}
    health: JsonObject = {
        "status": "healthy",
        "queue_total": queued,
        "trend": "stable",
        "trend_rate": 0.0,
        "stale_jobs": 0,
        "oldest_job_age_seconds": None,
        "backend_depths": depths,
        "gc_last_run": _now(),
        "gc_last_evicted": 0,
    }
    return encode(
        {
            "service": "MindRouter",
            "version": config.version,
            "timestamp": _now(),
            "backends": {"total": len(every), "healthy": len(healthy)},
            "models": names,
            "queue": {"total": queued, "by_user": {}, "by_model": waiting, "average_wait_seconds": 0.0},
            "queue_health": health,
            "fair_share": {"total_users": 1},
            "active_users": 1,
        }
    )


def state(gateway: Gateway) -> bytes:
    """The answer to GET /sim/state: what has been asked for so far."""
    counts: JsonObject = {
        "calls": dict(gateway.calls),
        "requests": dict(gateway.requests),
        "answered": dict(gateway.answered),
        "page_calls": dict(gateway.page_calls),
        "documents": dict(gateway.documents),
        "documents_read": dict(gateway.documents_read),
        "most_in_flight": gateway.most_in_flight,
        "most_of_model": dict(gateway.most_of_model),
    }
    return encode(counts)


def alive() -> bytes:
    """The answer to GET /healthz."""
    return encode({"status": "alive", "timestamp": _now()})


def ready(gateway: Gateway) -> bytes:
    """The answer to GET /readyz: never ready, since its database check is broken in this release."""
    checks: JsonObject = {"database": False, "backends": bool(gateway.listed())}
    return encode({"status": "not_ready", "checks": checks, "timestamp": _now()})


def metrics(gateway: Gateway) -> bytes:
    """The answer to GET /metrics, in little."""
    lines = ["# HELP mindrouter_requests_total Total requests", "# TYPE mindrouter_requests_total counter"]
    lines += [
        f'mindrouter_requests_total{{model="{model_id}"}} {count}'
        for model_id, count in gateway.calls.items()
    ]
    return ("\n".join(lines) + "\n").encode()


def _now() -> str:
    return datetime.now(UTC).isoformat()
