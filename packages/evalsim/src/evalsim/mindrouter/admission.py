"""What stands between a request and a model, whatever the endpoint: limits, slots, failures behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from evalcore.structs import JsonValue
from evalsim.mindrouter import wire
from evalsim.mindrouter.config import Fault, FaultKind, SimModel
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.http import Response

SERVER_ERROR = Response(
    500,
    b'{"error":{"message":"Internal server error","type":"server_error"}}',
    has_request_id=False,
)
ALL_FAILED = "All 3 backend attempts failed. Last error: "
OF_A_BACKEND = (
    "Server error '503 Service Unavailable' for url 'http://10.20.30.40:8000/v1/chat/completions'\n"
    "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/503"
)
UNSUITABLE = "No suitable backend: All backends failed constraints: model_not_available"
NO_CONTENT = "Structured output was requested but the model returned no content"


class Refused(Exception):
    """The gateway does not answer with a model's words, but with this."""

    def __init__(self, status: int, words: JsonValue) -> None:
        self.status = status
        self.words = words
        super().__init__(str(words))

    @property
    def response(self) -> Response:
        """The refusal of a request that is not streamed."""
        if self.status == SERVER_ERROR.status:
            return SERVER_ERROR
        # Beside a 500, the data policy alone has its words at the top of the body; all others are under
        # `detail`.
        if self.status == 422 and isinstance(self.words, dict):  # noqa: PLR2004 - the data policy's envelope
            return Response(self.status, wire.encode(self.words))
        return Response(self.status, wire.detail(self.words))


class Admission:
    """Lets calls of models through, one at a time for each slot, and counts them for the user's limits."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def check_limits(self, kind: FaultKind | None) -> None:
        """Count a call; raises Refused where the user's requests or tokens are used up."""
        words = self._gateway.rate_limit_words()
        if kind == "rate_limited" and words is None:
            limit = self._gateway.config.requests_per_minute or 60
            words = f"Rate limit exceeded: {limit} requests per minute (current: {limit})"
        if words is not None:
            raise Refused(429, words)
        # Both are 429, and differ by their text alone; neither says when to come back.
        if kind == "quota" or self._gateway.is_quota_exceeded:
            raise Refused(429, "Token quota exceeded")

    @asynccontextmanager
    async def slot(
        self, model: SimModel, kind: FaultKind | None, *, leaks: bool = False
    ) -> AsyncIterator[None]:
        """Hold one of the model's slots while the block runs; raises Refused where none becomes free."""
        waited = self._gateway.config.slot_seconds
        no_slot = Refused(503, f"No backend capacity available (waited {waited:.1f}s)")
        if kind == "no_capacity":
            raise no_slot
        slots = self._gateway.slots(model.id)
        if slots is None:
            yield
            return
        try:
            with self._gateway.waiting(model.id):
                await asyncio.wait_for(slots.acquire(), waited)
        except TimeoutError:
            raise no_slot from None
        try:
            yield
        finally:
            # A backend's stream without an event leaks its slot inside the gateway: after four, every call
            # waits 150 s.
            if not leaks:
                slots.release()

    def refuse(self, fault: Fault, model: SimModel, prompt_tokens: int, answer_tokens: int) -> None:
        """Raise what a fault of the gateway or the backend is answered with."""
        match fault.kind:
            case "bad_gateway":
                # One request is enough: the gateway tries three times, and three failures open the breaker
                # for everybody.
                self._gateway.trip(model.id, fault.seconds)
                # With the backend's own address in it, as the gateway has it: our errors must not show it.
                raise Refused(502, ALL_FAILED + OF_A_BACKEND)
            case "server_error":
                raise Refused(500, "Internal server error")
            case "unsuitable":
                raise Refused(503, UNSUITABLE)
            case "content_refused":
                kind = {"type": "dlp_policy_violation", "code": "dlp_blocked"}
                raise Refused(422, {"error": {"message": "Request blocked by policy", **kind}})
            case "no_structured_content":
                raise Refused(422, NO_CONTENT)
            case "backend_400":
                raise Refused(
                    400, _backend_error(fault.text or "bad thing", "BadRequestError", 400, param=None)
                )
            case "backend_429":
                raise Refused(429, _backend_error(fault.text or "overloaded", "TooManyRequests", 429))
            case "context_length":
                raise Refused(400, context_error(prompt_tokens, answer_tokens, model.context_length))
            case _:
                return


def _backend_error(message: str, kind: str, code: int, **more: JsonValue) -> JsonValue:
    return {"error": {"message": message, "type": kind, **more, "code": code}}


def context_error(prompt: int, answer: int, context_length: int) -> JsonValue:
    """A backend's words on a request of more tokens than its context holds."""
    message = (
        f"This model's maximum context length is {context_length} tokens. However, you requested "
        f"{prompt + answer} tokens ({prompt} in the messages, {answer} in the completion). "
        "Please reduce the length of the messages or completion."
    )
    kind = {"type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    return {"error": {"message": message, **kind}}


def cannot_see(model_id: str) -> str:
    """The gateway's words on an image for a model that takes none."""
    return f"Model '{model_id}' does not support multimodal/image input"
