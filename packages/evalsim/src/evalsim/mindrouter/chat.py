"""POST /v1/chat/completions: the gateway's checks in its order, the faults, the model's answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec

from evalsim.mindrouter import wire
from evalsim.mindrouter.admission import NO_CONTENT, UNSUITABLE, Admission, Refused, cannot_see, context_error
from evalsim.mindrouter.answers import AnswerBook
from evalsim.mindrouter.config import Fault, FaultKind, SimModel
from evalsim.mindrouter.faults import FaultPlan
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.http import Exchange, Response
from evalsim.mindrouter.replies import ModelReply, reply_to
from evalsim.mindrouter.requests import BadRequest, ChatRequest, read_chat
from evalsim.serving import ConnectionCut

Sleep = Callable[[float], Awaitable[None]]


class Chat:
    """Answers chat requests. `sleep` is awaited for latency, never for silence."""

    def __init__(self, gateway: Gateway, book: AnswerBook, faults: FaultPlan, sleep: Sleep) -> None:
        self._gateway = gateway
        self._admission = Admission(gateway)
        self._book = book
        self._faults = faults
        self._sleep = sleep

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        with self._gateway.answering():
            await self._answer(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            # In the gateway's order: body, model, limits, slot; only what comes first is answered.
            body = await exchange.body()
            request = read_chat(body)
        except BadRequest as error:
            await exchange.answer(Response(400, wire.detail(str(error))))
            return
        target = self._gateway.target(request.model)
        # Counted before any refusal: tests ask how often a client came, whatever it was told.
        self._gateway.calls[target] += 1
        digest = sha256(body).hexdigest()
        self._gateway.requests[digest] += 1
        fault = self._faults.take(target)
        if fault is not None and fault.kind == "unauthorized":
            await exchange.answer(Response(401, wire.detail("Invalid API key")))
            return
        if fault is not None and fault.kind == "gone":
            self._gateway.trip(target, fault.seconds)
        model = self._gateway.served(target)
        if model is None:
            await exchange.answer(self._unknown(target))
            return
        with self._gateway.calling(model.id):
            is_whole = await (self._stream if request.stream else self._whole)(
                exchange, request, model, fault
            )
        if is_whole:
            self._gateway.answered[digest] += 1

    def _unknown(self, target: str) -> Response:
        # The gateway's database knows names in any case, its router only as they are written: a 503, and no
        # 404.
        if self._gateway.knows_in_another_case(target) and self._gateway.served(target) is None:
            known = {model.id for model in self._gateway.config.models}
            if target not in known:
                return Response(503, wire.detail(UNSUITABLE))
        return Response(404, wire.model_not_found(target))

    async def _whole(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> bool:
        """Say whether the model answered to the end."""
        kind = fault.kind if fault else None
        try:
            self._admission.check_limits(kind)
            async with self._admission.slot(model, kind):
                reply = await self._reply(exchange, request, model, fault)
        except Refused as refused:
            await exchange.answer(refused.response)
            return False
        response = Response(200, wire.completion(reply, model.id))
        if kind in {"cut", "stalled"}:
            await exchange.cut_after(response, len(response.body) // 2)
        if kind in {"empty", "garbage"}:
            await exchange.answer(Response(200, b"" if kind == "empty" else b"<html>Bad gateway</html>"))
            return False
        await exchange.answer(response)
        return True

    async def _stream(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> bool:
        """Say whether the model answered to the end; whatever goes wrong is inside an HTTP 200."""
        kind = fault.kind if fault else None
        # Before the status: the client has nothing at all, where the other faults come inside of a 200.
        if kind == "hang_up":
            raise ConnectionCut
        try:
            self._admission.check_limits(kind)
        except Refused:
            # the limits' refusals come after the status has gone out, without a word
            await exchange.start_stream()
            raise ConnectionCut from None
        await exchange.start_stream()
        is_whole = False
        try:
            async with self._admission.slot(model, kind, leaks=kind == "no_events"):
                reply = await self._reply(exchange, request, model, fault)
                is_whole = await self._write(exchange, request, model, reply, fault)
        except Refused as refused:
            words = refused.words if isinstance(refused.words, str) else str(refused.words)
            await exchange.write(wire.error_event(refused.status, words))
        await exchange.end()
        return is_whole

    async def _reply(
        self, exchange: Exchange, request: ChatRequest, model: SimModel, fault: Fault | None
    ) -> ModelReply:
        kind = fault.kind if fault else None
        # Until the client goes: how long it waits is what its time limits are tested by.
        if kind == "silent":
            await exchange.disconnection()
            raise ConnectionCut
        latency = model.latency + (fault.seconds or 0.0 if fault and kind == "slow" else 0.0)
        if latency:
            await self._sleep(latency)
        if kind == "hang_up":
            raise ConnectionCut
        if fault is not None:
            limit = request.completion_limit(model.context_length)
            self._admission.refuse(fault, model, request.prompt_tokens, limit)
        if request.documents and not model.sees:
            raise Refused(400, cannot_see(model.id))
        _check_context(request, model)
        # By the input, since calls of several cases come in any order, and each case's replicates are to
        # differ.
        number = self._gateway.next_of_case(model.id, sha256(request.user.encode()).hexdigest())
        reply = reply_to(request, model, self._gateway.config, self._book, number=number, fault=kind)
        if reply.text is None and request.is_structured:
            raise Refused(422, NO_CONTENT)
        # After the answer, as in the gateway: a quota is overrun by what was on its way when it was used up.
        self._gateway.charge(sum(reply.usage or (0, 0)))
        return reply

    async def _write(
        self,
        exchange: Exchange,
        request: ChatRequest,
        model: SimModel,
        reply: ModelReply,
        fault: Fault | None,
    ) -> bool:
        """Send a streamed answer, several events at a time; say whether all of it was sent."""
        kind = fault.kind if fault else None
        if kind == "empty":
            raise ConnectionCut
        # An event-less 200 that ends in good order, unlike `empty`, which is cut.
        if kind == "no_events":
            return False
        if kind == "garbage":
            await exchange.write(b"data: <html>Bad gateway</html>\n\n")
            return False
        events = _events(request, model, reply, kind)
        middle = max(1, len(events) // 2)
        for start in range(0, len(events), model.events_per_read):
            if fault is not None and kind == "pause" and start <= middle < start + model.events_per_read:
                await self._sleep(fault.seconds or 0.0)
            if kind in {"cut", "stalled", "error_event"} and start + model.events_per_read > middle:
                await exchange.write(b"".join(events[start:middle]))
                await _break_off(exchange, kind)
                return False
            await exchange.write(b"".join(events[start : start + model.events_per_read]))
            if model.pace:
                await self._sleep(model.pace)
        return True


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
        # The event with the usage comes behind the one with the finish reason: without it that one is the
        # last.
        reply = msgspec.structs.replace(reply, usage=None)
    events = list(writer.events(reply, model.characters_per_event, has_usage=request.include_usage))
    if kind == "no_finish":
        events.pop()
    return events if kind == "no_done" else [*events, wire.DONE]


def _check_context(request: ChatRequest, model: SimModel) -> None:
    limit = request.completion_limit(model.context_length)
    if request.prompt_tokens + limit > model.context_length:
        raise Refused(400, context_error(request.prompt_tokens, limit, model.context_length))
