"""A streamed answer of the OpenAI dialect, read as it arrives: bytes in, an answer or a failure out."""

from __future__ import annotations

import msgspec

from evalcore.clients.dialect import LONGEST_ANSWER, UNREADABLE
from evalcore.clients.events import EventSplitter, data_of
from evalcore.clients.failures import (
    Failure,
    incomplete_answer,
    refused_stream,
    too_large,
    unreadable_answer,
)
from evalcore.clients.openai.envelopes import read_error
from evalcore.clients.openai.failures import stated_failure
from evalcore.clients.openai.wire import NULL, Content, read_usage, text_of
from evalcore.clients.reply import Answer, Usage
from evalcore.structs import Frozen

LONGEST_EVENT = 4 * 2**20
"""Bytes of one event, since an unfinished one is held in memory."""
LONGEST_STREAM = 16 * LONGEST_ANSWER
"""Bytes of a stream; an event's frame is some ten times its text, and reasoning comes on top."""


class _Delta(Frozen, frozen=True):
    content: Content = None


class _Choice(Frozen, frozen=True):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(Frozen, frozen=True):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = NULL


_decode = msgspec.json.Decoder(_Chunk).decode


class StreamedAnswer:
    """Puts a streamed answer together; complete only with a finish reason and `[DONE]`.

    `feed` takes the bytes as they come, cut anywhere; `is_over` says that no more need be read.
    """

    def __init__(
        self,
        *,
        longest_answer: int = LONGEST_ANSWER,
        longest_event: int = LONGEST_EVENT,
        longest_stream: int = LONGEST_STREAM,
    ) -> None:
        self._longest_answer = longest_answer
        self._longest_event = longest_event
        self._longest_stream = longest_stream
        self.has_begun = False
        """Whether the model has begun to answer (its role or its reasoning count)."""
        self.is_over = False
        self._failure: Failure | None = None
        self._is_done = False
        self._events = EventSplitter()
        self._parts: list[str] = []
        self._size = 0
        self._text_size = 0
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._has_events = False

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; returns whether the answer is over."""
        self._size += len(data)
        for event in self._events.feed(data):
            if self.is_over:
                break
            self._take(event)
        if len(self._events.rest) > self._longest_event:
            self._fail(too_large(self._longest_event))
        elif self._text_size > self._longest_answer or self._size > self._longest_stream:
            self._fail(too_large(self._longest_answer))
        return self.is_over

    def end(self) -> Answer | Failure:
        """Return what came, once the connection has nothing more."""
        if self._failure is not None:
            return self._failure
        if self._events.last().strip() == b"[DONE]":
            # some servers leave out the last empty line
            self._is_done = self._has_events = True
        if not self._has_events:
            return refused_stream()
        if not (self._is_done and self._finish_reason is not None):
            return incomplete_answer()
        text = "".join(self._parts) if self._parts else None
        return Answer(text=text, finish_reason=self._finish_reason, usage=self._usage)

    def _take(self, event: bytes) -> None:
        # blanks around JSON or the end mark say nothing, and an event of blanks alone is none
        data = data_of(event).strip()
        if not data:
            # a comment, or a name by itself: by the standard it is no event
            return
        self._has_events = True
        if data == b"[DONE]":
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
                # some servers send an empty reason with every delta, after the true one too
                if choice.finish_reason:
                    self._finish_reason = choice.finish_reason
        if chunk.usage is not NULL and (usage := read_usage(chunk.usage)) is not None:
            # null or zeros in a later event take nothing back
            self._usage = usage

    def _fail(self, failure: Failure) -> None:
        if self._failure is None:
            self._failure = failure
        self.is_over = True
