"""A streamed message, read as it arrives: bytes in, an answer or a failure out.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import msgspec

from evalcore.clients.anthropic.failures import stated_failure
from evalcore.clients.anthropic.wire import AnthropicUsage, answer, read_counts, read_usage
from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.event_stream import EventStream
from evalcore.clients.failures import Failure, incomplete_answer, unreadable_answer
from evalcore.clients.reply import Answer
from evalcore.decoding import json_decoder
from evalcore.structs import Frozen


class _Started(Frozen, frozen=True):
    usage: msgspec.Raw = NULL


class _Block(Frozen, frozen=True):
    type: str = ""
    text: str | None = None


class _Delta(Frozen, frozen=True):
    """Of a block (its `type` says of what), or of the message (a stop reason)."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(Frozen, frozen=True):
    type: str = ""
    index: int = 0
    message: _Started | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: msgspec.Raw = NULL


_decode = json_decoder(_Event).decode


class StreamedMessage(EventStream):
    """Puts a streamed message together; complete only with `message_stop`."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._tools: dict[int, list[str]] = {}
        self._stop_reason: str | None = None
        self._usage: AnthropicUsage | None = AnthropicUsage()
        """None from when an event's counts were none."""
        self._is_whole = False

    def _answer(self) -> Answer | Failure:
        if not self._is_whole:
            return incomplete_answer()
        tools = ["".join(parts) or "{}" for _, parts in sorted(self._tools.items())]
        return answer(self._texts, tools, self._stop_reason, read_usage(self._usage))

    def _take(self, data: bytes) -> None:
        try:
            event = _decode(data)
        except UNREADABLE:
            self._fail(unreadable_answer())
            return
        # other kinds of events may come at any time, and are to be passed over
        match event.type:
            case "error":
                self._fail(stated_failure(data))
            case "message_start":
                self.has_begun = True
                self._count(event.message.usage if event.message is not None else NULL)
            case "content_block_start" | "content_block_delta":
                self._add_to_block(event)
            case "message_delta":
                if event.delta is not None and event.delta.stop_reason is not None:
                    self._stop_reason = event.delta.stop_reason
                self._count(event.usage)
            case "message_stop":
                self._is_whole = self.is_over = True
            case _:
                return

    def _add_to_block(self, event: _Event) -> None:
        """Add to the text, or to a tool's input; thinking is neither."""
        block, delta = event.content_block or _Block(), event.delta or _Delta()
        if block.type == "tool_use":
            self._tools[event.index] = []
        elif block.type == "text":
            self._add(self._texts, block.text or "")
        if delta.type == "text_delta":
            self._add(self._texts, delta.text)
        elif delta.type == "input_json_delta":
            self._add(self._tools.setdefault(event.index, []), delta.partial_json)

    def _add(self, parts: list[str], text: str) -> None:
        parts.append(text)
        self._text_size += len(text)

    def _count(self, stated: msgspec.Raw) -> None:
        """Take over the counts that are stated: they are sums so far."""
        try:
            counts = read_counts(stated)
        except UNREADABLE:
            # without these, the others would be a wrong sum
            self._usage = None
            return
        if counts is not None and self._usage is not None:
            known = {
                name: value for name, value in msgspec.structs.asdict(counts).items() if value is not None
            }
            self._usage = msgspec.structs.replace(self._usage, **known)
