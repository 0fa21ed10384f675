"""The OpenAI dialect, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.dialect import Dialect, Request
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, Served
from evalcore.clients.openai import failures, wire
from evalcore.clients.openai.stream import StreamedAnswer
from evalcore.clients.reply import Answer


class _OpenAI(Dialect):
    models_path = wire.MODELS_PATH
    version_path = wire.STATUS_PATH

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def request(self, call: Call) -> Request:
        return Request(path=wire.CHAT_PATH, body=wire.chat_body(call), seed=call.seed)

    def probe(self, model_id: str) -> Request | None:
        return Request(path=wire.CHAT_PATH, body=wire.probe_body(model_id))

    def read_answer(self, body: bytes) -> Answer | Failure:
        return wire.parse_completion(body)

    def read_stream(self) -> StreamedAnswer:
        return StreamedAnswer()

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        return failures.classify(status, headers, body, now)

    def read_queue(self, status: bytes) -> Mapping[str, int]:
        return wire.parse_queue(status)

    def read_served(self, models: bytes, version: bytes | None) -> Served:
        return wire.served(models, version)


OPENAI: Final = _OpenAI()
"""Chat Completions, as MindRouter and OpenAI speak it."""
