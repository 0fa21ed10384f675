"""One simulated provider of the cloud as an ASGI application."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

import msgspec
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from evalcore.decoding import decode_json
from evalcore.structs import Frozen, JsonObject, JsonValue
from evalsim.asgi import Answer, read_body, send_answer, serve_lifespan
from evalsim.cloud.anthropic import ANTHROPIC
from evalsim.cloud.batches import BatchDesk
from evalsim.cloud.config import CloudConfig, CloudFault, CloudModel, FaultKind, ProviderKind
from evalsim.cloud.google import GOOGLE
from evalsim.cloud.openai import OPENAI
from evalsim.cloud.schemas import obeying
from evalsim.cloud.vendor import CloudRequest, Headers, Refused, Spoken, Vendor
from evalsim.mindrouter.answers import AnswerBook, Expected
from evalsim.mindrouter.quality import perturbed
from evalsim.mindrouter.requests import CHARACTERS_PER_TOKEN, tokens
from evalsim.serving import ConnectionCut

LARGEST_BODY: Final = 96 * 2**20
"""Bytes; a document of 50 MB in base64, and more."""
REMEMBERED: Final = 1000
"""How many requests are kept for tests to look at."""
THOUGHT: Final = "The user wants the answer in the form that was asked for. I have it."
_UNKNOWN: Final = Expected(value="I do not know this document.", is_json=False)
_VENDORS: Final[dict[ProviderKind, Vendor]] = {"anthropic": ANTHROPIC, "openai": OPENAI, "google": GOOGLE}
Sleep = Callable[[float], Awaitable[None]]


class SeenRequest(Frozen, frozen=True):
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class SimulatedCloud:
    """Serve it with `evalsim.serving.running`. `faults` may be added to at any time."""

    def __init__(
        self,
        kind: ProviderKind,
        config: CloudConfig,
        answers: AnswerBook | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.seen: deque[SeenRequest] = deque(maxlen=REMEMBERED)
        self.faults = list(config.faults)
        self.refused_for_rate = 0
        """How many calls came over the rate limit."""
        self._vendor = _VENDORS[kind]
        self.desk = BatchDesk(kind, config.batch_looks, self._answered)
        self._config = config
        self._book = answers or AnswerBook()
        self._clock = clock
        self._sleep = sleep
        self._matched: Counter[CloudFault] = Counter()
        self._shown: Counter[CloudFault] = Counter()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._level = float(config.requests_per_minute or 0)
        self._levelled_at = clock()

    def drain(self, to: float) -> None:
        """Leave so many calls of the rate limit."""
        self._level = to

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request; see the ASGI specification."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        if scope["type"] != "http":
            return
        body = await read_body(receive, LARGEST_BODY)
        if body is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        # Noted before anything is refused: tests look for keys in requests that never got an answer.
        self.seen.append(SeenRequest(scope["path"], headers, body))
        try:
            await self._answer(scope, headers, body, send)
        except Refused as refused:
            limits = (*self._limit_headers(), *refused.headers)
            answer = Answer(refused.status, refused.body, (("content-type", "application/json"), *limits))
            await send_answer(send, answer)

    async def _answer(
        self, scope: HTTPScope, headers: dict[str, str], body: bytes, send: ASGISendCallable
    ) -> None:
        vendor, path = self._vendor, scope["path"]
        key = vendor.key(headers)
        unauthorized = vendor.fault("unauthorized", None)
        if unauthorized is not None and (not key or (self._config.keys and key not in self._config.keys)):
            raise unauthorized
        if scope["method"] == "GET" and path == vendor.models_path():
            await send_answer(send, _json(vendor.models(self._config.models)))
            return
        if (about_batches := self.desk.answer(scope["method"], path, body)) is not None:
            await send_answer(send, about_batches)
            return
        if scope["method"] != "POST" or not vendor.is_call(path):
            await send_answer(send, Answer(404, b"{}", (("content-type", "application/json"),)))
            return
        fields = _read_json(body)
        request = vendor.read(path, scope["query_string"].decode(), headers, fields)
        model = self._model(request, fields)
        # After the checks: a request that is not valid costs nothing of the limit.
        self._take_of_limit()
        fault = self._fault(request, model)
        if model.latency:
            await self._sleep(model.latency)
        await self._send(request, model, self._spoken(request, model, fault), send)

    def _answered(self, fields: JsonObject) -> tuple[int, JsonValue]:
        """Make one call of a batch."""
        try:
            # A batch names version and key once, not with each of its calls.
            request = self._vendor.read("", "", {"anthropic-version": "1"}, fields)
            model = self._model(request, fields)
            spoken = self._spoken(request, model, self._fault(request, model))
        except Refused as refused:
            return refused.status, decode_json(refused.body, JsonValue)
        return 200, self._vendor.whole(spoken, model)

    def _model(self, request: CloudRequest, fields: JsonObject) -> CloudModel:
        """Return the model that is asked; raises Refused where there is none, or it does not take this."""
        model = next((each for each in self._config.models if each.id == request.model), None)
        if model is None:
            raise self._vendor.unknown_model(request.model)
        self._vendor.check(fields, request, model)
        return model

    def _fault(self, request: CloudRequest, model: CloudModel) -> FaultKind | None:
        """Return what goes wrong with this answer; raises Refused where there is to be none."""
        fault = self._next_fault(model)
        if fault is None:
            return None
        refused = self._vendor.fault(fault.kind, fault.seconds)
        is_compiled = request.schema is not None and not request.as_tool
        if refused is not None and (fault.kind != "grammar_too_large" or is_compiled):
            raise refused
        return fault.kind

    async def _send(
        self, request: CloudRequest, model: CloudModel, spoken: Spoken, send: ASGISendCallable
    ) -> None:
        kind = b"text/event-stream" if request.stream else b"application/json"
        headers = [(b"content-type", kind)]
        headers += [(name.encode(), value.encode()) for name, value in self._limit_headers()]
        parts = (
            self._vendor.events(spoken, model)
            if request.stream
            else [msgspec.json.encode(self._vendor.whole(spoken, model))]
        )
        if spoken.fault == "garbage":
            parts = [b"data: <html>\n\n" if request.stream else b"<html>Bad gateway</html>"]
        is_cut = spoken.fault in {"cut", "error_event"}
        if is_cut:
            parts = parts[: len(parts) // 2] if request.stream else [parts[0][: len(parts[0]) // 2]]
        if spoken.fault == "error_event" and request.stream:
            parts.append(self._vendor.error_event())
        # Of an answer that is cut no length is said: its end would be noticed by that alone.
        if not is_cut and not request.stream:
            headers.append((b"content-length", str(len(parts[0])).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": b"".join(parts), "more_body": True})
        if is_cut:
            raise ConnectionCut
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _spoken(self, request: CloudRequest, model: CloudModel, fault: FaultKind | None) -> Spoken:
        known = self._book.find(request.system, request.user)
        expected = known or self._book.find_shown(request.system, request.documents) or _UNKNOWN
        value = self._value(expected, request, model)
        if request.schema is not None and expected.is_json:
            value = obeying(value, request.schema)
        text = msgspec.json.encode(value).decode() if expected.is_json else str(value)
        thought = THOUGHT if fault == "thinking" else None
        longest = (request.most_tokens or 1_000_000) * CHARACTERS_PER_TOKEN
        is_cut = fault in {"max_tokens", "context_window"} or len(text) > longest
        # A tool's input is parsed before it is sent: half of it could not be.
        if is_cut and not request.as_tool:
            text = text[: min(longest, len(text) // 2)]
        prompt = tokens(request.system) + tokens(request.user)
        return Spoken(
            text=text,
            thought=thought,
            prompt_tokens=prompt,
            completion_tokens=tokens(text),
            thinking_tokens=tokens(thought or ""),
            cached_tokens=prompt // 2 if fault == "cached" else 0,
            fault=fault,
            is_cut=is_cut,
            as_tool=request.as_tool,
        )

    def _value(self, expected: Expected, request: CloudRequest, model: CloudModel) -> JsonValue:
        if expected is _UNKNOWN:
            return expected.value
        case = f"{self._config.seed}|{model.id}|{sha256(request.user.encode()).hexdigest()}"
        self._calls[model.id, case] += 1
        number = request.seed if request.seed is not None else self._calls[model.id, case]
        return perturbed(
            expected,
            quality=model.quality,
            noise=model.noise,
            case_seed=case,
            call_seed=f"{case}|{number}",
        )

    def _next_fault(self, model: CloudModel) -> CloudFault | None:
        for fault in self.faults:
            if fault.model not in {None, model.id} or self._shown[fault] == fault.times:
                continue
            self._matched[fault] += 1
            if self._matched[fault] % fault.every == 0:
                self._shown[fault] += 1
                return fault
        return None

    def _take_of_limit(self) -> None:
        limit = self._config.requests_per_minute
        if limit is None:
            return
        now = self._clock()
        # A bucket that fills all the time, not a window: a call is free again a moment after it was refused.
        self._level = min(limit, self._level + (now - self._levelled_at) * limit / 60)
        self._levelled_at = now
        if self._level < 1:
            self.refused_for_rate += 1
            refused = self._vendor.fault("rate_limited", 60 / limit)
            if refused is not None:
                raise refused
        self._level -= 1

    def _limit_headers(self) -> Headers:
        limit = self._config.requests_per_minute
        if limit is None:
            return ()
        return self._vendor.limit_headers(limit, int(self._level), (limit - self._level) * 60 / limit)


def _read_json(body: bytes) -> JsonObject:
    try:
        read = decode_json(body, JsonValue)
    except msgspec.DecodeError as error:
        raise Refused(400, {"error": {"message": str(error)}}) from error
    if not isinstance(read, dict):
        raise Refused(400, {"error": {"message": "the body is no object"}})
    return read


def _json(value: JsonValue) -> Answer:
    return Answer(200, msgspec.json.encode(value), (("content-type", "application/json"),))
