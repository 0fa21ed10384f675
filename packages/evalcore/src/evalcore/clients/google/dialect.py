"""The Google dialect, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.dialect import Dialect, Request
from evalcore.clients.failures import Failure
from evalcore.clients.google import failures, wire
from evalcore.clients.google.stream import StreamedContent
from evalcore.clients.interface import Call, Served
from evalcore.clients.reply import Answer


class _Google(Dialect):
    models_path = wire.MODELS_PATH

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        # never in the address, which logs and errors hold
        return {"x-goog-api-key": api_key} if api_key else {}

    def request(self, call: Call) -> Request:
        return Request(path=wire.path_of(call), body=wire.content_body(call), seed=call.seed)

    def read_answer(self, body: bytes) -> Answer | Failure:
        return wire.parse_generated(body)

    def read_stream(self) -> StreamedContent:
        return StreamedContent()

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        return failures.classify(status, headers, body, now)

    def read_served(self, models: bytes, version: bytes | None) -> Served:  # noqa: ARG002 - it has none
        return wire.served(models)


DIALECT: Final = _Google()
"""`generateContent`."""
