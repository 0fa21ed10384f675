"""A streamed answer of Google's, read as it arrives: each event is a piece of the whole."""

from __future__ import annotations

from evalcore.clients.dialect import NULL, UNREADABLE
from evalcore.clients.event_stream import EventStream
from evalcore.clients.failures import Failure, incomplete_answer, unreadable_answer
from evalcore.clients.google.failures import stated_failure
from evalcore.clients.google.wire import (
    PromptFeedback,
    answer,
    blocked,
    generated,
    read_usage,
    texts_of,
)
from evalcore.clients.reply import Answer


class StreamedContent(EventStream):
    """Puts a streamed answer together; complete with a finish reason, since there is no end mark."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._finish_reason: str | None = None
        self._usage = NULL
        self._feedback: PromptFeedback | None = None

    def _answer(self) -> Answer | Failure:
        usage = read_usage(self._usage)
        if self._finish_reason is not None:
            return answer(self._texts, self._finish_reason, usage)
        if self._feedback is not None and not self.has_begun:
            return blocked(self._feedback, usage)
        return incomplete_answer()

    def _take(self, data: bytes) -> None:
        try:
            event = generated.decode(data)
        except UNREADABLE:
            self._fail(unreadable_answer())
            return
        if event.error != NULL:
            self._fail(stated_failure(data))
            return
        if event.candidates:
            self.has_begun = True
            for text in texts_of(event.candidates[0]):
                self._texts.append(text)
                self._text_size += len(text)
            self._finish_reason = event.candidates[0].finishReason or self._finish_reason
        # each event states the sums so far
        if event.usageMetadata != NULL:
            self._usage = event.usageMetadata
        self._feedback = event.promptFeedback or self._feedback

    def _read_last(self, data: bytes) -> None:
        # an event that was cut is no JSON: then the answer is incomplete, not unreadable
        try:
            generated.decode(data)
        except UNREADABLE:
            return
        self._read(data)
