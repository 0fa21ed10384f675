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


class OpenAI(Dialect):
    """Stateless, as every dialect."""

    models_path = wire.MODELS_PATH
    version_path = wire.STATUS_PATH

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """Return the key's header."""
        return {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def request(self, call: Call) -> Request:
        """Return a chat completion."""
        return Request(path=wire.CHAT_PATH, body=wire.chat_body(call), seed=call.seed)

    def probe(self, model_id: str) -> Request | None:
        """Return the smallest chat completion."""
        return Request(path=wire.CHAT_PATH, body=wire.probe_body(model_id))

    def read_answer(self, body: bytes) -> Answer | Failure:
        """Read a chat completion."""
        return wire.parse_completion(body)

    def read_stream(self) -> StreamedAnswer:
        """Return a reader of events."""
        return StreamedAnswer()

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        """Say what an answer that is not 200 means."""
        return failures.classify(status, headers, body, now)

    def read_queue(self, status: bytes) -> Mapping[str, int]:
        """Read how many calls wait for each model."""
        return wire.parse_queue(status)

    def read_served(self, models: bytes, version: bytes | None) -> Served:
        """Read which models are served."""
        return wire.served(models, version)


DIALECT: Final = OpenAI()
"""Chat Completions, as MindRouter and OpenAI speak it."""
