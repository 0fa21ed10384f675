"""POST /v1/chat/completions: the gateway's checks in its order, the faults, the model's answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

import msgspec

from evalcore.structs import JsonValue
from evalsim.mindrouter import wire
from evalsim.mindrouter.answers import AnswerBook
from evalsim.mindrouter.config import Fault, FaultKind, SimModel
from evalsim.mindrouter.faults import FaultPlan
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.http import Exchange, Response
from evalsim.mindrouter.replies import ModelReply, reply_to
from evalsim.mindrouter.requests import BadRequest, ChatRequest, read_chat
from evalsim.serving import ConnectionCut

Sleep = Callable[[float], Awaitable[None]]

SERVER_ERROR = Response(
    500,
    b'{"error":{"message":"Internal server error","type":"server_error"}}',
    has_request_id=False,
)
ALL_FAILED = (
    "All 3 backend attempts failed. Last error: Server error '503 Service Unavailable' for url "
    "'http://10.20.30.40:8000/v1/chat/completions'\n"
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
        if self.status == 422 and isinstance(self.words, dict):  # noqa: PLR2004 - the data policy's envelope
            return Response(self.status, wire.encode(self.words))
        return Response(self.status, wire.detail(self.words))


class Chat:
    """Answers chat requests. `sleep` is awaited for latency, never for silence."""

    def __init__(self, gateway: Gateway, book: AnswerBook, faults: FaultPlan, sleep: Sleep) -> None:
        self._gateway = gateway
        self._book = book
        self._faults = faults
        self._sleep = sleep

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            request = read_chat(await exchange.body())
        except BadRequest as error:
            await exchange.answer(Response(400, wire.detail(str(error))))
            return
        target = self._gateway.target(request.model)
        self._gateway.calls[target] += 1
        fault = self._faults.take(target)
        if fault is not None and fault.kind == "unauthorized":
            await exchange.answer(Response(401, wire.detail("Invalid API key")))
            return
        if fault is not None and fault.kind == "gone":
            self._gateway.trip(target, fault.seconds)
        model = self._gateway.served(target)
        if model is None:
            await exchange.answer(self._unknown(target))
        elif request.stream:
            await self._stream(exchange, request, model, fault)
        else:
            await self._whole(exchange, request, model, fault)

    def _unknown(self, target: str) -> Response:
        if self._gateway.knows_in_another_case(target) and self._gateway.served(target) is None:
            known = {model.id for model in self._gateway.config.models}
            if target not in known:
                return Response(503, wire.detail(UNSUITABLE))
        return Response(404, wire.model_not_found(target))

    async def _whole(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> None:
        kind = fault.kind if fault else None
        try:
            self._check_limits(kind)
            async with self._slot(model, kind):
                reply = await self._reply(exchange, request, model, fault)
        except Refused as refused:
            await exchange.answer(SERVER_ERROR if refused.status == SERVER_ERROR.status else refused.response)
            return
        response = Response(200, wire.completion(reply, model.id))
        if kind in {"cut", "stalled"}:
            await exchange.cut_after(response, len(response.body) // 2)
        if kind in {"empty", "garbage"}:
            response = Response(200, b"" if kind == "empty" else b"<html>Bad gateway</html>")
        await exchange.answer(response)

    async def _stream(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> None:
        """Whatever goes wrong from here on is inside an HTTP 200."""
        kind = fault.kind if fault else None
        if kind == "hang_up":
            raise ConnectionCut
        try:
            self._check_limits(kind)
        except Refused:
            # the limits' refusals come after the status has gone out, without a word
            await exchange.start_stream()
            raise ConnectionCut from None
        await exchange.start_stream()
        try:
            async with self._slot(model, kind, leaks=kind == "no_events"):
                reply = await self._reply(exchange, request, model, fault)
                await self._write(exchange, request, model, reply, fault)
        except Refused as refused:
            words = refused.words if isinstance(refused.words, str) else str(refused.words)
            await exchange.write(wire.error_event(refused.status, words))
        await exchange.end()

    def _check_limits(self, kind: FaultKind | None) -> None:
        words = self._gateway.rate_limit_words()
        if kind == "rate_limited" and words is None:
            limit = self._gateway.config.requests_per_minute or 60
            words = f"Rate limit exceeded: {limit} requests per minute (current: {limit})"
        if words is not None:
            raise Refused(429, words)
        if kind == "quota" or self._gateway.is_quota_exceeded:
            raise Refused(429, "Token quota exceeded")

    @asynccontextmanager
    async def _slot(
        self, model: SimModel, kind: FaultKind | None, *, leaks: bool = False
    ) -> AsyncIterator[None]:
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
            if not leaks:
                slots.release()

    async def _reply(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> ModelReply:
        kind = fault.kind if fault else None
        if kind == "silent":
            await exchange.disconnection()
            raise ConnectionCut
        latency = model.latency + (fault.seconds or 0.0 if fault and kind == "slow" else 0.0)
        if latency:
            await self._sleep(latency)
        if kind == "hang_up":
            raise ConnectionCut
        if fault is not None:
            self._refuse(fault, request, model)
        _check_context(request, model)
        number = self._gateway.next_of_case(model.id, sha256(request.user.encode()).hexdigest())
        reply = reply_to(request, model, self._gateway.config, self._book, number=number, fault=kind)
        if reply.text is None and request.is_structured:
            raise Refused(422, NO_CONTENT)
        self._gateway.charge(sum(reply.usage or (0, 0)))
        return reply

    def _refuse(self, fault: Fault, request: ChatRequest, model: SimModel) -> None:
        """Raise what a fault of the gateway or the backend is answered with."""
        match fault.kind:
            case "bad_gateway":
                self._gateway.trip(model.id, fault.seconds)
                raise Refused(502, ALL_FAILED)
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
                raise Refused(400, _context_error(request, model.context_length))
            case _:
                return

    async def _write(
        self,
        exchange: Exchange,
        request: ChatRequest,
        model: SimModel,
        reply: ModelReply,
        fault: Fault | None,
    ) -> None:
        """Send a streamed answer, several events at a time."""
        kind = fault.kind if fault else None
        if kind == "empty":
            raise ConnectionCut
        if kind == "no_events":
            return
        if kind == "garbage":
            await exchange.write(b"data: <html>Bad gateway</html>\n\n")
            return
        events = _events(request, model, reply, kind)
        middle = max(1, len(events) // 2)
        for start in range(0, len(events), model.events_per_read):
            if fault is not None and kind == "pause" and start <= middle < start + model.events_per_read:
                await self._sleep(fault.seconds or 0.0)
            if kind in {"cut", "stalled", "error_event"} and start + model.events_per_read > middle:
                await exchange.write(b"".join(events[start:middle]))
                await _break_off(exchange, kind)
                return
            await exchange.write(b"".join(events[start : start + model.events_per_read]))
            if model.pace:
                await self._sleep(model.pace)


async def _break_off(exchange: Exchange, kind: FaultKind | None) -> None:
    if kind == "error_event":
        raise Refused(500, "Backend stream failed")
    if kind == "stalled":
        await exchange.disconnection()
    raise ConnectionCut


def _events(request: ChatRequest, model: SimModel, reply: ModelReply, kind: FaultKind | None) -> list[bytes]:
    writer = wire.EventWriter(model.id)
    if not reply.has_choices:
        return [wire.DONE]
    if kind == "no_finish":
        reply = msgspec.structs.replace(reply, usage=None)
    events = list(writer.events(reply, model.characters_per_event, has_usage=request.include_usage))
    if kind == "no_finish":
        events.pop()
    return events if kind == "no_done" else [*events, wire.DONE]


def _backend_error(message: str, kind: str, code: int, **more: JsonValue) -> JsonValue:
    return {"error": {"message": message, "type": kind, **more, "code": code}}


def _check_context(request: ChatRequest, model: SimModel) -> None:
    asked = request.prompt_tokens + request.completion_limit(model.context_length)
    if asked > model.context_length:
        raise Refused(400, _context_error(request, model.context_length))


def _context_error(request: ChatRequest, context_length: int) -> JsonValue:
    prompt, answer = request.prompt_tokens, request.completion_limit(context_length)
    message = (
        f"This model's maximum context length is {context_length} tokens. However, you requested "
        f"{prompt + answer} tokens ({prompt} in the messages, {answer} in the completion). "
        "Please reduce the length of the messages or completion."
    )
    kind = {"type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}
    return {"error": {"message": message, **kind}}
