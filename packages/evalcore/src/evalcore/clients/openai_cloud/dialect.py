"""The dialect of OpenAI's own service: that of servers like it, with its own requests and failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.dialect import BatchDialect, Dialect, Request
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, Served
from evalcore.clients.openai import wire
from evalcore.clients.openai.stream import StreamedAnswer
from evalcore.clients.openai_cloud.batches import OPENAI_BATCHES
from evalcore.clients.openai_cloud.failures import classify
from evalcore.clients.openai_cloud.wire import cloud_chat_body, declined
from evalcore.clients.rate_limits import RateLimit, Unit, read_limits
from evalcore.clients.reply import Answer

_LIMITS: Final[Mapping[str, Unit]] = {"requests": "calls", "tokens": "tokens"}


class _OpenAICloud(Dialect):
    models_path = wire.MODELS_PATH

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def request(self, call: Call) -> Request:
        return Request(path=wire.CHAT_PATH, body=cloud_chat_body(call), seed=call.seed)

    def read_answer(self, body: bytes) -> Answer | Failure:
        return declined(wire.parse_completion(body))

    def read_stream(self) -> StreamedAnswer:
        return _Streamed()

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        return classify(status, headers, body, now)

    def read_limits(self, headers: Mapping[str, str], now: datetime) -> tuple[RateLimit, ...]:
        return read_limits(headers, "x-ratelimit-{part}-{name}", _LIMITS, now)

    @property
    def batches(self) -> BatchDialect:
        return OPENAI_BATCHES

    def read_served(self, models: bytes, version: bytes | None) -> Served:  # noqa: ARG002 - it has none
        return wire.served(models, None)


class _Streamed(StreamedAnswer):
    def end(self) -> Answer | Failure:
        return declined(super().end())


DIALECT: Final = _OpenAICloud()
"""OpenAI's own Chat Completions.

Its Responses API would be a dialect of its own, `api: openai-responses`, in a folder beside this one.
"""
