"""A streamed answer of the OpenAI dialect, read as it arrives: bytes in, an answer or a failure out."""

from __future__ import annotations

import msgspec

from evalcore.clients.dialect import LONGEST_ANSWER, NULL, UNREADABLE
from evalcore.clients.error_bodies import read_error
from evalcore.clients.event_stream import LONGEST_EVENT, LONGEST_STREAM, EventStream
from evalcore.clients.failures import Failure, incomplete_answer, refused_stream, unreadable_answer
from evalcore.clients.openai.failures import stated_failure
from evalcore.clients.openai.wire import Content, read_usage, text_of
from evalcore.clients.reply import Answer, Usage
from evalcore.decoding import json_decoder
from evalcore.structs import Frozen

DONE = b"[DONE]"


class _Delta(Frozen, frozen=True):
    content: Content = None
    refusal: str | None = None


class _Choice(Frozen, frozen=True):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(Frozen, frozen=True):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = NULL


_decode = json_decoder(_Chunk).decode


class StreamedAnswer(EventStream):
    """Puts a streamed answer together; complete only with a finish reason and `[DONE]`."""

    def __init__(
        self,
        *,
        longest_answer: int = LONGEST_ANSWER,
        longest_event: int = LONGEST_EVENT,
        longest_stream: int = LONGEST_STREAM,
    ) -> None:
        super().__init__(
            longest_answer=longest_answer, longest_event=longest_event, longest_stream=longest_stream
        )
        self._is_done = False
        self._parts: list[str] = []
        self._is_refused = False
        self._finish_reason: str | None = None
        self._usage: Usage | None = None

    def _read_last(self, data: bytes) -> None:
        # what else is left was cut: without the end mark the answer is not whole, whatever it says
        if data == DONE:
            self._is_done = self._has_events = True

    def _answer(self) -> Answer | Failure:
        if not self._has_events:
            return refused_stream()
        if not (self._is_done and self._finish_reason is not None):
            return incomplete_answer()
        if self._is_refused:
            return Answer(text=None, finish_reason="refusal", usage=self._usage)
        text = "".join(self._parts) if self._parts else None
        return Answer(text=text, finish_reason=self._finish_reason, usage=self._usage)

    def _take(self, data: bytes) -> None:
        if data == DONE:
            self._is_done = self.is_over = True
            return
        try:
            chunk = _decode(data)
        except UNREADABLE:
            self._fail(unreadable_answer())
            return
        if chunk.choices is None and read_error(data) is not None:
            self._fail(stated_failure(data))
            return
        self._add(chunk)

    def _add(self, chunk: _Chunk) -> None:
        if chunk.choices:
            self.has_begun = True
            for choice in chunk.choices:
                if choice.index:
                    # `n` may be in params; the first choice is the answer
                    continue
                text = text_of(choice.delta.content) if choice.delta is not None else None
                if text is not None:
                    self._parts.append(text)
                    self._text_size += len(text)
                self._is_refused |= choice.delta is not None and bool(choice.delta.refusal)
                # some servers send an empty reason with every delta, after the true one too
                if choice.finish_reason:
                    self._finish_reason = choice.finish_reason
        if chunk.usage is not NULL and (usage := read_usage(chunk.usage)) is not None:
            # null or zeros in a later event take nothing back
            self._usage = usage
