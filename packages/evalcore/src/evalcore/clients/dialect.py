"""A wire dialect: what `http` and `connection` need of it. They know no dialect; `registry` lists them.

A dialect does no I/O. It makes a call into a request, and the bytes of a response into an answer or a
failure. Another provider's dialect is a folder beside `openai/` and one line in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

import msgspec

from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, Served
from evalcore.clients.reply import Answer
from evalcore.structs import Frozen

LONGEST_ANSWER: Final = 16 * 2**20
"""Bytes of an answer that is not streamed, characters of one that is."""
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not as expected: not JSON, of other types, or nested without end."""


class Request(Frozen, frozen=True):
    """One POST of a JSON body."""

    path: str
    """From the server's root, with a leading slash; its query included. Some dialects name the model here."""
    body: bytes


class StreamReader(Protocol):
    """Puts one streamed answer together from the bytes as they arrive, cut anywhere."""

    @property
    def has_begun(self) -> bool:
        """Whether the model has begun to answer (its role or its reasoning count)."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether no more bytes need to be read."""
        ...

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; returns `is_over`."""
        ...

    def end(self) -> Answer | Failure:
        """Return what came, once the connection has nothing more or the answer is over."""
        ...


class Dialect(Protocol):
    """How one kind of server is spoken to. Stateless: one instance serves every client."""

    @property
    def models_path(self) -> str:
        """Where the list of models is read (GET, with the key)."""
        ...

    @property
    def version_path(self) -> str | None:
        """Where the gateway tells its version (GET, without the key); None where it does not."""
        ...

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """Return the headers that authenticate, and those that name the version of the API."""
        ...

    def request(self, call: Call) -> Request:
        """Return the request of a call; streamed where `call.model.stream` says so."""
        ...

    def probe(self, model_id: str) -> Request | None:
        """Return the smallest request whose refusal says why a stream was refused without a word.

        It is not streamed. None where the servers of this dialect always say why.
        """
        ...

    def read_answer(self, body: bytes) -> Answer | Failure:
        """Read the body of a 200 that is not a stream."""
        ...

    def read_stream(self) -> StreamReader:
        """Return a reader for one streamed answer."""
        ...

    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        """Say what a response that is not 200 means, and how long its headers ask to wait.

        `headers` are looked up without regard to case; `now` is for those that name a date.
        """
        ...

    def read_queue(self, status: bytes) -> Mapping[str, int]:
        """Read from the document of `version_path` how many calls wait for each model; empty where none.

        Raises one of UNREADABLE where it does not tell.
        """
        ...

    def read_served(self, models: bytes, version: bytes | None) -> Served:
        """Read the documents of `models_path` and `version_path`; None where the latter did not come.

        Raises one of UNREADABLE where the first is no list of models.
        """
        ...
