r"""Server-sent events (WHATWG HTML, section 9.2), split as they arrive: what the dialects stream in.

Only what the providers use: the data of an event. Names, ids and comments are passed over, since every
dialect says in the data what kind of event it is.
"""

from __future__ import annotations

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""The standard passes over one before the first event."""


class EventSplitter:
    """Cuts a stream of bytes into events; the bytes may be cut anywhere."""

    def __init__(self) -> None:
        self._has_begun = False
        self.rest = b""
        r"""The beginning of an event that is not over yet; it may end in a `\r` that was held back."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the events that they end, without the empty line."""
        data = self.rest + data if self.rest else data
        if not self._has_begun:
            if len(data) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(data):
                # perhaps the beginning of the mark: the next bytes say
                self.rest = data
                return []
            self._has_begun = True
            data = data.removeprefix(BYTE_ORDER_MARK)
        held = b""
        if b"\r" in data:
            data, held = _with_newlines(data)
        events = data.split(b"\n\n")
        self.rest = events.pop() + held
        return events

    def last(self) -> bytes:
        """Return the data of an event that the stream's end left without its empty line."""
        return data_of(self.rest.rstrip(b"\r\n"))


def data_of(event: bytes) -> bytes:
    """Return the data of an event, its lines joined; empty where it has none."""
    # Nearly every event is this one line, thousands in an answer: they are not taken apart.
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = [line for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def _with_newlines(data: bytes) -> tuple[bytes, bytes]:
    r"""Turn `\r\n` and `\r` into `\n`; a last `\r` is held back, since a `\n` may follow."""
    held = b"\r" if data.endswith(b"\r") else b""
    if held:
        data = data[:-1]
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), held
