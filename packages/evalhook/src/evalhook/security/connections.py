"""Bounds on connections that uvicorn lacks: slow senders and readers are disconnected, and idle ones first.

A connection is in one of three phases while its client has to act: it sends the headers, sends the body,
or reads the answer. Each phase has a time limit, counted from its beginning and not from the last byte, so
that a byte now and then does not extend it. Between requests uvicorn's keep-alive time-out holds. At the
maximum number of connections, the oldest one that is not being answered is closed for a new one, so that
a client that opens many and sends nothing does not block others.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from evalcore.structs import Frozen
from evalhook import problems

WARNING_SECONDS: Final = 60.0
log = structlog.stdlib.get_logger(__name__)


class ConnectionLimits(Frozen, frozen=True):
    """How many connections, how much on each, and for how long."""

    connections: int = 640
    """More than the requests of a busy minute; within the 1,024 files that a process may have open."""
    header_bytes: int = 16 * 1024
    # As Caddy has it before us (`read_header` in docker/Caddyfile).
    header_seconds: float = 10.0
    body_seconds: float = 15.0
    """Longer than evalhook.web.body waits, so that its answer still arrives."""
    read_seconds: float = 30.0
    """How long an answer may wait for its reader."""
    idle_seconds: int = 60
    """Between two requests, as Caddy keeps its connections."""


class LimitedProtocol(H11Protocol):
    """Uvicorn's protocol within limits; made into one with other limits by subclassing."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self._phase: Literal["headers", "body"] | None = None
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self.began = self.loop.time()

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is being done for the client: it is idle, or has not sent its request yet."""
        is_answered = self.cycle is None or self.cycle.response_complete
        # A body that is still coming counts as waiting, whatever its handler does: a client that never ends
        # it would otherwise keep its connection over everybody else's.
        return is_answered or self.conn.their_state is h11.SEND_BODY

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Accept a connection, closing a waiting one for it where there are too many."""
        if len(self.connections) >= self.limits.connections:
            self._make_room()
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            # Every connection is being answered, and none of them is ended for a newcomer.
            transport.abort()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        # uvicorn stops its keep-alive timer only where the connection was closed without an error.
        self._unset_keepalive_if_required()
        self._stop_receiving()
        # The timer of a slow reader would otherwise hold the protocol until it aborts what is gone already.
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read on, within the time of the phase."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or the rest of this one."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Give the client a while to read what is waiting for it."""
        super().pause_writing()
        if self._sending is None:
            # Aborted, not closed: closing would first wait for the reader who does not read.
            self._sending = self.loop.call_later(self.limits.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or has too long headers, in the same envelope as every other refusal."""
        # uvicorn passes one text on for every error of h11's; what h11 has buffered tells that headers were
        # too long.
        if len(self.conn.trailing_data[0]) > self.limits.header_bytes:
            problem = problems.headers_too_large(self.limits.header_bytes)
        else:
            problem = problems.invalid_request(msg)
        body = problem.encoded()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        events = (
            h11.Response(status_code=problem.status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        try:
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer is being sent already; what follows its request cannot be answered
        self.transport.close()

    def _watch(self) -> None:
        """Start the timer of a phase that begins, and stop that of one that has ended."""
        phase = self._current_phase()
        # The timer of a phase goes on: begun anew with each byte, it would never end for a slow sender.
        if phase == self._phase:
            return
        self._stop_receiving()
        self._phase = phase
        if phase is not None:
            seconds = self.limits.header_seconds if phase == "headers" else self.limits.body_seconds
            self._receiving = self.loop.call_later(seconds, self._cut)

    def _current_phase(self) -> Literal["headers", "body"] | None:
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return "body"
        # h11 is IDLE both between requests and inside of headers that are not complete; only between requests
        # does uvicorn's own keep-alive timer run.
        is_between = self.timeout_keep_alive_task is not None
        return "headers" if self.conn.their_state is h11.IDLE and not is_between else None

    def _cut(self) -> None:
        log.info("slow_sender_cut", peer=self.client[0] if self.client else None, phase=self._phase)
        self.transport.close()

    def _stop_receiving(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _make_room(self) -> None:
        open_ones = (each for each in self.connections if isinstance(each, LimitedProtocol))
        waiting = [each for each in open_ones if each.is_waiting and not each.transport.is_closing()]
        if waiting:
            oldest = min(waiting, key=lambda each: each.began)
            # `close` would first wait for the client to read what it is sent.
            oldest.transport.abort()
            # Removed at once: the loop reports the loss only later.
            self.connections.discard(oldest)
        _warn_full(self.limits.connections, self.loop.time())


_warned_at = -WARNING_SECONDS


def _warn_full(limit: int, now: float) -> None:
    """Log that all connections are taken, at most once a minute."""
    global _warned_at  # noqa: PLW0603 - one process has one log
    if now - _warned_at >= WARNING_SECONDS:
        _warned_at = now
        log.warning("connections_full", limit=limit)
