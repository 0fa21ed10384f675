"""The simulated MindRouter as an ASGI application."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from evalcore.decoding import decode_json
from evalcore.structs import Frozen
from evalsim.asgi import serve_lifespan
from evalsim.mindrouter import wire
from evalsim.mindrouter.answers import AnswerBook
from evalsim.mindrouter.chat import Chat, Sleep
from evalsim.mindrouter.config import Fault, SimConfig
from evalsim.mindrouter.faults import FaultPlan
from evalsim.mindrouter.gateway import Gateway
from evalsim.mindrouter.http import Disconnected, Exchange, Response
from evalsim.mindrouter.ocr import Ocr
from evalsim.mindrouter.requests import BadRequest, read_chat, tokens

REMEMBERED = 200
"""How many requests are kept for tests to look at."""
MISSING_KEY = "Missing API key. Provide via 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"
CSRF = b'{"error":{"message":"CSRF origin check failed","type":"forbidden"}}'

Handler = Callable[[Exchange], Awaitable[None]]


class Seen(Frozen, frozen=True):
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]


class SimulatedMindRouter:
    """Serve it with `evalsim.serving.running`, or call it through `httpx.ASGITransport`.

    `faults` may be added to at any time, here or with POST /sim/faults.
    """

    def __init__(
        self,
        config: SimConfig,
        answers: AnswerBook | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.config = config
        self.gateway = Gateway(config, clock)
        self.revoked = set(config.revoked_keys)
        """The keys that are refused; may be changed at any time, here or with PUT /sim/revoked."""
        self.faults = FaultPlan(config.faults)
        self.seen: deque[Seen] = deque(maxlen=REMEMBERED)
        self._chat = Chat(self.gateway, answers or AnswerBook(), self.faults, sleep)
        ocr = Ocr(self.gateway, self.faults, sleep)
        # Without a key: so are health, status and metrics of the gateway. What steers the simulation is of no
        # gateway.
        self._open: dict[str, tuple[str, Handler]] = {
            "/healthz": ("GET", self._give(wire.alive)),
            "/readyz": ("GET", self._give(lambda: wire.ready(self.gateway))),
            "/status": ("GET", self._give(lambda: wire.status(self.gateway))),
            "/metrics": ("GET", self._metrics),
            "/sim/faults": ("POST", self._add_faults),
            "/sim/revoked": ("PUT", self._revoke),
            "/sim/state": ("GET", self._give(lambda: wire.state(self.gateway))),
        }
        self._keyed: dict[str, tuple[str, Handler]] = {
            "/v1/models": ("GET", self._give(lambda: wire.models(self.gateway))),
            "/v1/chat/completions": ("POST", self._chat.answer),
            "/v1/tokenize": ("POST", self._tokenize),
            "/v1/ocr": ("POST", ocr.answer_json),
            "/v1/ocrmd": ("POST", ocr.answer_markdown),
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request; see the ASGI specification."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        self.seen.append(Seen(exchange.method, exchange.path, exchange.headers))
        try:
            await self._route(exchange)
        except Disconnected:
            return

    async def _route(self, exchange: Exchange) -> None:
        handler = self._refusal(exchange) or self._handler(exchange)
        if isinstance(handler, Response):
            await exchange.answer(handler)
        else:
            await handler(exchange)

    def _refusal(self, exchange: Exchange) -> Response | None:
        """What stands in the way before any endpoint: a foreign origin, a key that is not accepted."""
        host = exchange.headers.get("host", "")
        origin = exchange.headers.get("origin") or exchange.headers.get("referer")
        # A foreign Origin or Referer is refused even with a good key: a client that sends neither passes.
        if exchange.method == "POST" and origin and host not in origin.split("/"):
            return Response(403, CSRF, has_length=False)
        if exchange.path.startswith("/api/admin/"):
            return self._key_problem(exchange) or _detail(403, "Admin or auditor access required")
        return self._key_problem(exchange) if exchange.path in self._keyed else None

    def _key_problem(self, exchange: Exchange) -> Response | None:
        bearer = exchange.headers.get("authorization", "")
        key = bearer[7:] if bearer[:7].lower() == "bearer " else exchange.headers.get("x-api-key", "")
        if not key:
            return _detail(401, MISSING_KEY)
        if key in self.revoked:
            return _detail(401, "API key is revoked")
        if self.config.keys and key not in self.config.keys:
            return _detail(401, "Invalid API key")
        return None

    def _handler(self, exchange: Exchange) -> Handler | Response:
        found = self._open.get(exchange.path) or self._keyed.get(exchange.path)
        if found is None:
            return _detail(404, "Not Found")
        method, handler = found
        if exchange.method == "DELETE" and exchange.path == "/sim/faults":
            return self._clear_faults
        if exchange.method != method:
            return Response(405, wire.detail("Method Not Allowed"), headers=((b"allow", method.encode()),))
        return handler

    def _give(self, body: Callable[[], bytes]) -> Handler:
        async def handler(exchange: Exchange) -> None:
            await exchange.answer(Response(200, body()))

        return handler

    async def _metrics(self, exchange: Exchange) -> None:
        kind = b"text/plain; version=1.0.0; charset=utf-8"
        await exchange.answer(Response(200, wire.metrics(self.gateway), content_type=kind))

    async def _tokenize(self, exchange: Exchange) -> None:
        """Count tokens; it costs a request of the rate limit, as in the gateway."""
        words = self.gateway.rate_limit_words()
        if words is not None:
            await exchange.answer(_detail(429, words))
            return
        try:
            request = read_chat(await exchange.body())
        except BadRequest as error:
            await exchange.answer(_detail(400, str(error)))
            return
        model = self.gateway.served(self.gateway.target(request.model))
        if model is None:
            await exchange.answer(Response(404, wire.model_not_found(request.model)))
            return
        count = tokens(request.system) + tokens(request.user)
        body = wire.encode({"count": count, "max_model_len": model.context_length, "is_estimate": False})
        await exchange.answer(Response(200, body))

    async def _add_faults(self, exchange: Exchange) -> None:
        """Put the faults of a JSON list in force."""
        try:
            faults = decode_json(await exchange.body(), list[Fault])
        except msgspec.MsgspecError as error:
            await exchange.answer(_detail(400, str(error)))
            return
        self.faults.add(faults)
        await exchange.answer(Response(200, wire.encode({"added": len(faults)})))

    async def _revoke(self, exchange: Exchange) -> None:
        """Refuse the keys of a JSON list, and no others any more."""
        try:
            keys = decode_json(await exchange.body(), list[str])
        except msgspec.MsgspecError as error:
            await exchange.answer(_detail(400, str(error)))
            return
        self.revoked.clear()
        self.revoked.update(keys)
        await exchange.answer(Response(200, wire.encode({"revoked": len(keys)})))

    async def _clear_faults(self, exchange: Exchange) -> None:
        self.faults.clear()
        await exchange.answer(Response(200, wire.encode({"added": 0})))


def _detail(status: int, words: str) -> Response:
    return Response(status, wire.detail(words))
