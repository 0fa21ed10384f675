"""A wire dialect: what `http` and `connection` need of it. They know no dialect; `registry` lists them.

A dialect does no I/O. It makes a call into a request, and the bytes of a response into an answer or a
failure. Another provider's dialect is a folder beside `openai/`, found by its name. `params` go as they are
given. What its servers have no word for is settled before any call: `schema_dialect` and `takes_document` in
`library.models` say what a call may hold, so that a dialect drops nothing unsaid.

What the rest of the program reads from a dialect's results, beyond showing them:

- `Answer.finish_reason` is stored as the dialect gives it. The word `length` for an answer that was cut at
  the token limit is compared (it counts as truncated), so a dialect translates its
  provider's own word for that into `length`, and those for an answer that was declined into the words of
  `reply.REFUSED`.
- `Failure.retry`, `scope`, `wait`, `is_free` and `at_most` decide what the client does; see `failures`.
- `Failure.code` is stored, and these codes are acted on as well; the sets are where they are used:
  - `unauthorized`: the client asks for the list of models with the same key, twice. Refused there too, it
    ends every call to the provider; accepted there, the call is tried again (`http`).
  - `unauthorized` and `forbidden` for the list of models: the user is asked to check the key (`http`).
  - `refused_stream`: the client sends `Dialect.probe`, if there is one, to learn why. After two that stay
    without a reason, one after the other, the model is called without streaming (`http`).
  - `parameter_refused`, `schema_refused`, `unknown_model`: the model's run is skipped with the sentence;
    `schema_too_large`: it begins again with the schema as a forced tool (`evaluation.refusals`).
  - `rate_limited`, `backend_busy`, `no_capacity`: half as many calls at once (`concurrency.OVERLOAD`).
  - `unreachable`, `bad_gateway`, `model_unavailable`: one call at a time until the model answers again
    (`concurrency`); a model that never answered is waited for 45 s only (`circuit.NOT_THERE`).
  - `outage.AWAY` and `outage.PERHAPS_AWAY`: failures for which a local model is waited for, minutes long.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, Served
from evalcore.clients.rate_limits import RateLimit
from evalcore.clients.reply import Answer
from evalcore.structs import Frozen

# MindRouter has no limit of its own, and a model may repeat itself without end.
LONGEST_ANSWER: Final = 16 * 2**20
"""Bytes of an answer that is not streamed, characters of one that is."""
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not as expected: not JSON, of other types, or nested without end."""
NULL: Final = msgspec.Raw(b"null")
"""What a field has that is read later, where it is not there."""


class Request(Frozen, frozen=True):
    """One POST of a JSON body."""

    path: str
    """From the server's root, with a leading slash; its query included. Some dialects name the model here."""
    body: bytes
    seed: int | None = None
    """The seed that the body holds (`Call.seed`), stored in the reply; None where the API takes none."""


class Upload(Frozen, frozen=True):
    """The body of a POST that is no call."""

    body: bytes
    content_type: str = "application/json"


class BatchState(Frozen, frozen=True):
    """How a batch stands."""

    is_ended: bool
    results: tuple[str, ...] = ()
    """Paths of its results, once it has ended; what is in none of them has none."""
    problem: str = ""
    """Why it has no results at all."""


class BatchDialect(Protocol):
    """How many calls are handed over at once, to be answered within a day at half the price. Stateless."""

    path: str
    """Where a batch is made."""
    files_path: str | None = None
    """Where its requests are uploaded first; None where they are in the batch itself."""

    @abstractmethod
    def upload(self, requests: Sequence[tuple[str, Request]]) -> Upload:
        """Return what is sent first: the requests, each under a name of its own."""
        ...

    def batch_of(self, uploaded: bytes) -> Upload:
        """Return the batch of a file that was uploaded, by the answer; raises one of UNREADABLE."""
        return Upload(uploaded)

    @abstractmethod
    def read_id(self, body: bytes) -> str:
        """Read a batch's id from the answer to its making; raises one of UNREADABLE."""
        ...

    @abstractmethod
    def status_path(self, batch_id: str) -> str:
        """Return where its state is read."""
        ...

    @abstractmethod
    def read_state(self, body: bytes, batch_id: str) -> BatchState:
        """Read how it stands; raises one of UNREADABLE."""
        ...

    @abstractmethod
    def read_result(self, line: bytes, now: datetime) -> tuple[str, Answer | Failure]:
        """Read one line of the results: the request's name and its outcome; raises one of UNREADABLE."""
        ...


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
    """How one kind of server is spoken to. Stateless: one instance serves every client.

    A dialect is a subclass. What is abstract here every dialect must have; the rest is for what some
    servers have (streaming, a version, a queue, refusals without a reason), and means "none" as it stands.
    """

    @property
    @abstractmethod
    def models_path(self) -> str:
        """Where the list of models is read (GET, with the key)."""
        ...

    @property
    def version_path(self) -> str | None:
        """Where the gateway states its version (GET, without the key); None where it does not."""
        return None

    @abstractmethod
    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """Return the headers that authenticate, and those that name the version of the API."""
        ...

    @abstractmethod
    def request(self, call: Call) -> Request:
        """Return the request of a call; streamed where `call.model.stream` says so.

        A dialect whose `read_stream` returns None is never given a call that is to be streamed.
        """
        ...

    def probe(self, model_id: str) -> Request | None:  # noqa: ARG002 (for those that need it)
        """Return a request that shows why the server refused a stream without giving a reason.

        It is the smallest one possible and not streamed: a server that refuses it does give the reason.
        None where the servers of this dialect always give it.
        """
        return None

    @abstractmethod
    def read_answer(self, body: bytes) -> Answer | Failure:
        """Read the body of a 200 that is not a stream.

        One that is no answer, such as a proxy's page, is a Failure (`failures.unreadable_answer`): what was
        raised would end the whole evaluation.
        """
        ...

    def read_stream(self) -> StreamReader | None:
        """Return a reader for one streamed answer; None where this dialect does not stream."""
        return None

    @abstractmethod
    def read_failure(self, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure:
        """Say what a response that is not 200 means, and how long its headers ask to wait.

        `failures.by_status` says what all dialects have in common, `failures.wait_as_asked` reads
        Retry-After. `headers` are looked up without regard to case; `now` is for those that name a date.
        """
        ...

    def read_limits(self, headers: Mapping[str, str], now: datetime) -> tuple[RateLimit, ...]:  # noqa: ARG002 (for those that need it)
        """Read from an answer's headers what is left of the rate limits; empty where they do not say."""
        return ()

    @property
    def batches(self) -> BatchDialect | None:
        """How batches are handed over; None where the provider takes none."""
        return None

    def read_queue(self, status: bytes) -> Mapping[str, int]:  # noqa: ARG002 (for those that need it)
        """Read from the document of `version_path` how many calls wait for each model; empty where none.

        Called only where there is a `version_path`. Raises one of UNREADABLE where the document does not
        state it; then it is not asked for again.
        """
        return {}

    @abstractmethod
    def read_served(self, models: bytes, version: bytes | None) -> Served:
        """Read the documents of `models_path` and `version_path`; None where the latter did not come.

        Raises one of UNREADABLE where the first is no list of models.
        """
        ...
