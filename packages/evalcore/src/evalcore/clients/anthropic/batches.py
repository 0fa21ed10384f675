"""Anthropic's Message Batches: https://platform.claude.com/docs/en/build-with-claude/batch-processing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec

from evalcore.clients.anthropic.failures import stated_failure
from evalcore.clients.anthropic.wire import MESSAGES_PATH, parse_message
from evalcore.clients.dialect import NULL, BatchDialect, BatchState, Request, Upload
from evalcore.clients.failures import Failure, batch_expired
from evalcore.clients.reply import Answer
from evalcore.decoding import decode_json
from evalcore.structs import Frozen

_encoder = msgspec.json.Encoder()


class _Made(Frozen, frozen=True):
    id: str
    processing_status: str = ""


class _Result(Frozen, frozen=True):
    type: str
    message: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class _Line(Frozen, frozen=True):
    custom_id: str
    result: _Result


class _AnthropicBatches(BatchDialect):
    path = f"{MESSAGES_PATH}/batches"

    def upload(self, requests: Sequence[tuple[str, Request]]) -> Upload:
        listed = [{"custom_id": name, "params": msgspec.Raw(request.body)} for name, request in requests]
        return Upload(_encoder.encode({"requests": listed}))

    def read_id(self, body: bytes) -> str:
        return decode_json(body, _Made).id

    def status_path(self, batch_id: str) -> str:
        return f"{self.path}/{quote(batch_id, safe='')}"

    def read_state(self, body: bytes, batch_id: str) -> BatchState:
        made = decode_json(body, _Made)
        # the address that the answer names may be another server's, which is not to have the key
        results = (f"{self.status_path(batch_id)}/results",)
        return BatchState(made.processing_status == "ended", results)

    def read_result(self, line: bytes, now: datetime) -> tuple[str, Answer | Failure]:  # noqa: ARG002
        read = decode_json(line, _Line)
        if read.result.type == "succeeded":
            return read.custom_id, parse_message(bytes(read.result.message))
        if read.result.type == "errored":
            return read.custom_id, stated_failure(bytes(read.result.error))
        return read.custom_id, batch_expired(read.result.type)


ANTHROPIC_BATCHES: Final = _AnthropicBatches()
"""Message Batches."""
