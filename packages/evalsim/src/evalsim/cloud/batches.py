"""Batches, simulated: Anthropic's Message Batches, and OpenAI's files and Batch API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from evalcore.decoding import decode_json
from evalcore.structs import JsonObject, JsonValue
from evalsim.asgi import Answer
from evalsim.cloud.config import ProviderKind
from evalsim.cloud.vendor import as_list, as_object, as_text

Answered = Callable[[JsonObject], tuple[int, JsonValue]]
"""Makes one call: its body to a status and the answer's body."""
_ANTHROPIC: Final = re.compile(r"/v1/messages/batches/([\w-]+)(/results)?")
_OPENAI: Final = re.compile(r"/v1/(batches|files)/([\w-]+)(?:/content)?")
_FILE: Final = re.compile(rb"application/jsonl\r\n\r\n(.*)\r\n--", re.DOTALL)


class BatchDesk:
    """Takes batches and has them done after so many looks at their state."""

    def __init__(self, kind: ProviderKind, looks: int, answered: Answered) -> None:
        self._kind = kind
        self._looks = looks
        self._answered = answered
        self._files: dict[str, bytes] = {}
        self._left: dict[str, int] = {}
        self.made = 0
        """How many batches were handed over."""

    def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        """Answer a request about batches; None where it is about something else."""
        if self._kind == "anthropic":
            return self._anthropic(method, path, body)
        return self._openai(method, path, body) if self._kind == "openai" else None

    def _anthropic(self, method: str, path: str, body: bytes) -> Answer | None:
        if (method, path) == ("POST", "/v1/messages/batches"):
            lines = []
            for item in as_list(as_object(decode_json(body, JsonValue)).get("requests")):
                request = as_object(item)
                status, answer = self._answered(as_object(request["params"]))
                result: JsonObject = {"type": "succeeded", "message": answer}
                if status != 200:  # noqa: PLR2004 - OK
                    result = {"type": "errored", "error": answer}
                lines.append(msgspec.json.encode({"custom_id": request["custom_id"], "result": result}))
            return _json(self._message_batch(self._take(b"\n".join(lines)), is_ended=False))
        found = _ANTHROPIC.fullmatch(path)
        if method != "GET" or found is None or found[1] not in self._files:
            return None
        if found[2]:
            return Answer(200, self._files[found[1]], (("content-type", "application/x-jsonl"),))
        return _json(self._message_batch(found[1], is_ended=self._looked(found[1])))

    def _message_batch(self, name: str, *, is_ended: bool) -> JsonObject:
        # another server's address, which nobody may follow with a key
        results = f"https://elsewhere.invalid/{name}/results" if is_ended else None
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if is_ended else "in_progress",
            "results_url": results,
        }

    def _openai(self, method: str, path: str, body: bytes) -> Answer | None:
        if (method, path) == ("POST", "/v1/files"):
            found = _FILE.search(body)
            if found is None or b"batch" not in body[:400]:
                return Answer(400, b'{"error": {"message": "no file for a batch"}}')
            name = f"file-{len(self._files)}"
            self._files[name] = found[1]
            return _json({"id": name, "object": "file", "purpose": "batch"})
        if (method, path) == ("POST", "/v1/batches"):
            source = as_text(as_object(decode_json(body, JsonValue)).get("input_file_id"))
            return _json(self._batch(self._take(self._done(self._files[source])), is_ended=False))
        named = _OPENAI.fullmatch(path)
        if method != "GET" or named is None or named[2] not in self._files:
            return None
        if named[1] == "files":
            return Answer(200, self._files[named[2]], (("content-type", "application/jsonl"),))
        return _json(self._batch(named[2], is_ended=self._looked(named[2])))

    def _done(self, lines: bytes) -> bytes:
        done = []
        for line in lines.splitlines():
            request = as_object(decode_json(line, JsonValue))
            status, answer = self._answered(as_object(request["body"]))
            response: JsonObject = {"status_code": status, "request_id": "req_1", "body": answer}
            done.append(msgspec.json.encode({"custom_id": request["custom_id"], "response": response}))
        return b"\n".join(done)

    def _batch(self, name: str, *, is_ended: bool) -> JsonObject:
        return {
            "id": name,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "status": "completed" if is_ended else "in_progress",
            "output_file_id": name if is_ended else None,
        }

    def _take(self, results: bytes) -> str:
        self.made += 1
        name = f"batch_{self.made}"
        # Answered when it is handed over, and shown after so many looks: nothing has to run in between.
        self._files[name], self._left[name] = results, self._looks
        return name

    def _looked(self, name: str) -> bool:
        self._left[name] -= 1
        return self._left[name] < 0


def _json(value: JsonObject) -> Answer:
    return Answer(200, msgspec.json.encode(value), (("content-type", "application/json"),))
