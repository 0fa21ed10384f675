"""The Anthropic dialect, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.anthropic import failures, wire
from evalcore.clients.anthropic.batches import ANTHROPIC_BATCHES
from evalcore.clients.anthropic.stream import StreamedMessage
from evalcore.clients.dialect import BatchDialect, Dialect, Request
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, Served
from evalcore.clients.rate_limits import RateLimit, Unit, read_limits
from evalcore.clients.reply import Answer

_LIMITS: Final[Mapping[str, Unit]] = {
    "requests": "calls",
    "tokens": "tokens",
    "input-tokens": "tokens",
    "output-tokens": "tokens",
}


class _Anthropic(Dialect):
    models_path = wire.MODELS_PATH

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        key = {"x-api-key": api_key} if api_key else {}
        return {**key, "anthropic-version": wire.API_VERSION}

    def request(self, call: Call) -> Request:
        return Request(path=wire.MESSAGES_PATH, body=wire.message_body(call), seed=call.seed)

    def read_answer(self, body: bytes) -> Answer | Failure:
        return wire.parse_message(body)

    def read_stream(self) -> StreamedMessage:
        return StreamedMessage()

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        return failures.classify(status, headers, body, now)

    def read_limits(self, headers: Mapping[str, str], now: datetime) -> tuple[RateLimit, ...]:
        return read_limits(headers, "anthropic-ratelimit-{name}-{part}", _LIMITS, now)

    @property
    def batches(self) -> BatchDialect:
        return ANTHROPIC_BATCHES

    def read_served(self, models: bytes, version: bytes | None) -> Served:  # noqa: ARG002 - it has none
        return wire.served(models)


DIALECT: Final = _Anthropic()
"""The Messages API."""
