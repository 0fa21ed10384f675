"""What the streamed answers of all dialects share: events out of bytes, bounds, the first failure."""

from __future__ import annotations

from abc import ABC, abstractmethod

from evalcore.clients.dialect import LONGEST_ANSWER
from evalcore.clients.events import EventSplitter, data_of
from evalcore.clients.failures import Failure, too_large
from evalcore.clients.reply import Answer

LONGEST_EVENT = 4 * 2**20
"""Bytes of one event, since an unfinished one is held in memory."""
LONGEST_STREAM = 16 * LONGEST_ANSWER
"""Bytes of a stream; an event's frame is some ten times its text, and reasoning comes on top."""


class EventStream(ABC):
    """Puts a streamed answer together; see StreamReader.

    A dialect says what an event adds (`_take`) and what came at the end (`_answer`).
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
        self._events = EventSplitter()
        self._failure: Failure | None = None
        # Comments do not set it: a stream of nothing else is a refusal without a word.
        self._has_events = False
        self._size = 0
        self._text_size = 0

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; returns whether the answer is over."""
        self._size += len(data)
        for event in self._events.feed(data):
            if self.is_over:
                break
            self._read(data_of(event))
        # The failure is kept and reading ends: an end mark that came later must not make a cut answer whole.
        if len(self._events.rest) > self._longest_event:
            self._fail(too_large(self._longest_event))
        elif self._text_size > self._longest_answer or self._size > self._longest_stream:
            self._fail(too_large(self._longest_answer))
        return self.is_over

    def end(self) -> Answer | Failure:
        """Return what came, once the connection has nothing more."""
        if self._failure is None and not self.is_over:
            # some servers leave out the last empty line
            self._read_last(self._events.last().strip())
        return self._failure if self._failure is not None else self._answer()

    def _read(self, data: bytes) -> None:
        # blanks around JSON or an end mark say nothing, and an event of blanks alone is none
        data = data.strip()
        if not data:
            # a comment, or a name by itself: by the standard it is no event
            return
        self._has_events = True
        self._take(data)

    def _read_last(self, data: bytes) -> None:
        """Read what the stream's end left without its empty line."""
        self._read(data)

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Take the data of one event."""

    @abstractmethod
    def _answer(self) -> Answer | Failure:
        """Return what came, where nothing has failed by then."""

    def _fail(self, failure: Failure) -> None:
        if self._failure is None:
            self._failure = failure
        self.is_over = True
