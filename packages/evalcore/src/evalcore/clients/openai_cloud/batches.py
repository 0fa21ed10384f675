"""OpenAI's Batch API: https://platform.openai.com/docs/guides/batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

import msgspec

from evalcore.clients.dialect import NULL, BatchDialect, BatchState, Request, Upload
from evalcore.clients.failures import Failure, batch_expired
from evalcore.clients.openai.wire import CHAT_PATH, parse_completion
from evalcore.clients.openai_cloud.failures import classify
from evalcore.clients.openai_cloud.wire import declined
from evalcore.clients.reply import Answer
from evalcore.decoding import decode_json
from evalcore.structs import Frozen

_OK: Final = 200
_WINDOW: Final = "24h"
_encoder = msgspec.json.Encoder()


class _Made(Frozen, frozen=True):
    id: str
    status: str = ""
    output_file_id: str | None = None
    error_file_id: str | None = None


class _Response(Frozen, frozen=True):
    status_code: int
    body: msgspec.Raw = NULL


class _Line(Frozen, frozen=True):
    custom_id: str
    response: _Response | None = None


class _OpenAIBatches(BatchDialect):
    path = "/v1/batches"
    files_path = "/v1/files"

    def upload(self, requests: Sequence[tuple[str, Request]]) -> Upload:
        lines = b"\n".join(
            _encoder.encode(
                {"custom_id": name, "method": "POST", "url": CHAT_PATH, "body": msgspec.Raw(request.body)}
            )
            for name, request in requests
        )
        # of the contents, so that it stands nowhere in them
        boundary = f"evaluator-{sha256(lines).hexdigest()}"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{boundary}\r\n'
        )
        file = 'Content-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n'
        kind = "Content-Type: application/jsonl\r\n\r\n"
        body = f"{head}{file}{kind}".encode() + lines + f"\r\n--{boundary}--\r\n".encode()
        return Upload(body, f"multipart/form-data; boundary={boundary}")

    def batch_of(self, uploaded: bytes) -> Upload:
        made = decode_json(uploaded, _Made)
        return Upload(
            _encoder.encode({"input_file_id": made.id, "endpoint": CHAT_PATH, "completion_window": _WINDOW})
        )

    def read_id(self, body: bytes) -> str:
        return decode_json(body, _Made).id

    def status_path(self, batch_id: str) -> str:
        return f"{self.path}/{quote(batch_id, safe='')}"

    def read_state(self, body: bytes, batch_id: str) -> BatchState:  # noqa: ARG002 - the files are named
        made = decode_json(body, _Made)
        if made.status == "failed":
            return BatchState(is_ended=True, problem="the provider could not read the batch")
        is_ended = made.status in {"completed", "expired", "cancelled"}
        files = [name for name in (made.output_file_id, made.error_file_id) if name]
        paths = (f"{self.files_path}/{quote(name, safe='')}/content" for name in files)
        return BatchState(is_ended, tuple(paths))

    def read_result(self, line: bytes, now: datetime) -> tuple[str, Answer | Failure]:
        read = decode_json(line, _Line)
        if read.response is None:
            return read.custom_id, batch_expired("expired")
        body = bytes(read.response.body)
        if read.response.status_code == _OK:
            return read.custom_id, declined(parse_completion(body))
        return read.custom_id, classify(read.response.status_code, {}, body, now)


OPENAI_BATCHES: Final = _OpenAIBatches()
"""The Batch API."""
