"""The client of one provider, whatever its dialect: makes its calls, and waits where failures ask for it."""

from __future__ import annotations

import asyncio
import random as randomness
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial

import httpx
import msgspec

from evalcore.clients.circuit import CircuitBreaker
from evalcore.clients.concurrency import ConcurrencyLimit
from evalcore.clients.connection import LIST_SECONDS, Connection, open_transport
from evalcore.clients.dialect import LONGEST_ANSWER, UNREADABLE, Dialect, Upload
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call, OnWait, Served, YieldSlot
from evalcore.clients.make_reply import make_reply
from evalcore.clients.rate_limits import Pacer
from evalcore.clients.reply import Answer, Reply
from evalcore.clients.retry import Attempts, RetryPolicy
from evalcore.clients.stream_limit import SILENCE_SECONDS
from evalcore.errors import ProviderRefused, ProviderUnreachable
from evalcore.library.models import FROM_VARIABLE, Provider, server_root
from evalcore.version import __version__

PROBE_SECONDS = 30.0
"""For the small request that asks why a stream was refused."""
# In a flood of keys MindRouter refuses good ones in passing, after 2 s of waiting for their turn.
KEY_SECONDS = 10.0
"""Between two looks at a refused key."""
QUEUE_SECONDS = 10.0
"""How often the gateway's queue is looked at."""
# Each leaks a slot inside MindRouter, which has four for a backend: after those every call waits 150 s.
EVENTLESS_STREAMS = 2
"""So many streams of one model without an event, one after the other, end streaming."""

_PACED = Failure(code="rate_limited", message="the rate limit is nearly reached")
"""What a call waits for that would be refused if it were sent now."""
_KEY_REFUSED = frozenset({"unauthorized", "forbidden"})

Random = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_request_id() -> str:
    return str(uuid.uuid4())


@asynccontextmanager
async def open_http_client(
    dialect: Dialect,
    provider: Provider,
    base_url: str,
    api_key: str | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], datetime] = _utc_now,
    sleep: Sleep = asyncio.sleep,
    random: Random = randomness.random,
    new_request_id: Callable[[], str] = _new_request_id,
    transport: httpx.AsyncBaseTransport | None = None,
    proxy: str | None = None,
    silence: float = SILENCE_SECONDS,
    retry: RetryPolicy | None = None,
    on_wait: OnWait | None = None,
) -> AsyncIterator[HttpClient]:
    """Open a client for a server that speaks a dialect; `base_url` is its root, `proxy` the way to it.

    The caller bounds how many calls are in flight; all calls through one client share its waits.
    `sleep` is awaited for waits only, never for time limits. `silence` is in seconds, see StreamLimit.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    headers["User-Agent"] = f"evaluator/{__version__}"
    async with transport or open_transport(base_url, proxy=proxy) as connections:
        yield HttpClient(
            dialect,
            provider,
            Connection(dialect, server_root(base_url), api_key, headers, connections, wall_clock, silence),
            clock=clock,
            wall_clock=wall_clock,
            sleep=sleep,
            random=random,
            new_request_id=new_request_id,
            policy=retry or RetryPolicy(),
            on_wait=on_wait,
        )


class HttpClient:
    """Calls the models of one server; see evalcore.clients.interface.Client."""

    def __init__(
        self,
        dialect: Dialect,
        provider: Provider,
        connection: Connection,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
        sleep: Sleep,
        random: Random,
        new_request_id: Callable[[], str],
        policy: RetryPolicy,
        on_wait: OnWait | None,
    ) -> None:
        self._dialect = dialect
        self._provider = provider
        self._connection = connection
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._random = random
        self._new_request_id = new_request_id
        self._policy = policy
        self._on_wait = on_wait
        self._breaker = CircuitBreaker(policy.outage, clock)
        self._limit = ConcurrencyLimit()
        self._pacer = Pacer(clock)
        self._probing = asyncio.Lock()
        self._key_turn = asyncio.Lock()
        self._queue_at = clock()
        self._tells_queue = True
        self._can_stream = dialect.read_stream() is not None
        self._eventless: Counter[str] = Counter()
        self._key_accepted_at = float("-inf")

    async def call(self, call: Call, yield_slot: YieldSlot = nullcontext) -> Reply:
        """Make one call, retries included; the failure of a call is in its reply."""
        request_id = self._new_request_id()
        model_id = call.model.id
        attempts = Attempts(self._policy, self._random)
        sent, latency, first = 0, 0.0, 0.0
        started_at: datetime | None = None
        while True:
            await self._look_at_queue(model_id, call.model.concurrency)
            async with self._limit.acquire(model_id, yield_slot) as epoch:
                # Anew for each try: whether the model may be streamed can have changed since the one before.
                sendable = self._sendable(call)
                request = self._dialect.request(sendable)
                # After the place is taken: what became known while it waited for the place counts as well.
                outcome: Answer | Failure | None = await self._wait_for_circuit(model_id, yield_slot)
                if outcome is not None:
                    break
                # From the look at the circuit to here nothing is awaited: two calls would else both be the
                # trial.
                number = self._pacer.sending(model_id)
                began = self._clock()
                if started_at is None:
                    started_at, first = self._wall_clock(), began
                stream = self._dialect.read_stream() if sendable.model.stream else None
                with self._breaker.sending(model_id):
                    outcome = await self._connection.post(
                        request,
                        request_id,
                        call.model.timeout,
                        stream,
                        call.model.idle_timeout,
                        partial(self._note_limits, model_id, number),
                    )
                ended = self._clock()
                latency = ended - began
                sent += 1
                if isinstance(outcome, Failure) and outcome.code == "refused_stream":
                    outcome = await self._reason_for_refusal(model_id, outcome, began)
                # After the reason is known: a stream that a limit refused says nothing of the model's
                # streams.
                if stream is not None:
                    self._note_stream(model_id, outcome)
                # Last, since the request for the reason may be refused for its key, too.
                if isinstance(outcome, Failure) and outcome.code == "unauthorized":
                    outcome = await self._verdict_on_key(model_id, outcome, ended, yield_slot)
                if isinstance(outcome, Answer):
                    self._breaker.succeeded(model_id)
                    self._pacer.answered(model_id, outcome.usage)
                    self._limit.succeeded(model_id, call.model.concurrency, latency, epoch)
                    break
                # While this call still counts as in flight: half of what was out is what the limit falls to.
                self._limit.failed(model_id, outcome, epoch)
            # From the first attempt on: what it waited before for others' outages is not this call's time.
            wait = attempts.wait_after(outcome, ended - first)
            is_worth_it = self._breaker.failed(model_id, outcome, wait)
            if wait is None or not is_worth_it:
                break
            # What concerns others too is waited out by all together, in _wait_for_circuit.
            if outcome.scope == "call":
                await self._wait(model_id, outcome, wait, yield_slot)
        finished_at = self._wall_clock()
        reply = make_reply(
            call,
            request,
            request_id,
            outcome,
            started_at=started_at or finished_at,
            finished_at=finished_at,
            latency=latency,
            attempts=sent,
            without_key=self._connection.without_key,
        )
        return reply if sendable is call else msgspec.structs.replace(reply, unstreamed=True)

    async def send(self, path: str, model_id: str, upload: Upload, seconds: float) -> bytes | Failure:
        """Send a document for a model to work on, within `seconds` for each try; return the answer's bytes.

        It is tried again, and waits for limits and outages, as a call to the model is.
        """
        attempts = Attempts(self._policy, self._random)
        first: float | None = None
        while True:
            refused = await self._wait_for_circuit(model_id, nullcontext)
            if refused is not None:
                return refused
            first = self._clock() if first is None else first
            with self._breaker.sending(model_id):
                outcome = await self._connection.transfer(path, upload, seconds, LONGEST_ANSWER)
            ended = self._clock()
            if isinstance(outcome, Failure) and outcome.code == "unauthorized":
                outcome = await self._verdict_on_key(model_id, outcome, ended, nullcontext)
            if not isinstance(outcome, Failure):
                self._breaker.succeeded(model_id)
                return outcome
            wait = attempts.wait_after(outcome, ended - first)
            is_worth_it = self._breaker.failed(model_id, outcome, wait)
            if wait is None or not is_worth_it:
                return outcome
            # What concerns others too is waited out in _wait_for_circuit.
            if outcome.scope == "call":
                await self._wait(model_id, outcome, wait, nullcontext)

    async def served(self) -> Served:
        """Return which models can be served now, and the gateway's version where it tells it.

        Raises ProviderUnreachable or ProviderRefused.
        """
        attempts = Attempts(self._policy, self._random)
        began = self._clock()
        while True:
            listed = await self._connection.get(self._dialect.models_path, with_key=True)
            if not isinstance(listed, Failure):
                break
            wait = attempts.wait_after(listed, self._clock() - began)
            # a person or a job is waiting: only what passes at once is waited for
            if wait is None or listed.wait or self._clock() - began > LIST_SECONDS:
                raise self._refused(listed)
            await self._sleep(wait)
        path = self._dialect.version_path
        version = None if path is None else await self._connection.get(path, with_key=False)
        try:
            return self._dialect.read_served(listed, None if isinstance(version, Failure) else version)
        except UNREADABLE as error:
            raise ProviderUnreachable(
                f"the answer to GET {self._dialect.models_path} is no list of models",
                where=self._provider.name,
                hint=self._check_address,
            ) from error

    def _refused(self, failure: Failure) -> ProviderRefused | ProviderUnreachable:
        where = self._provider.name
        if failure.code in _KEY_REFUSED:
            variable = self._provider.api_key_env or "the provider's key"
            return ProviderRefused(failure.message, where=where, hint=f"check {variable}")
        return ProviderUnreachable(failure.message, where=where, hint=self._check_address)

    @property
    def _check_address(self) -> str:
        """Say where the address stands: of a built-in provider that is no file."""
        variable = FROM_VARIABLE.search(self._provider.base_url)
        return f"check {variable[1]}" if variable else "check the provider's base_url"

    async def _wait_for_circuit(self, model_id: str, yield_slot: YieldSlot) -> Failure | None:
        """Wait out what the model's calls wait for together; a failure where that is not worth it."""
        while True:
            verdict = self._breaker.check(model_id)
            if isinstance(verdict, Failure):
                return verdict
            if verdict is not None:
                await self._wait(model_id, verdict.failure, verdict.seconds, yield_slot)
            elif seconds := self._pacer.wait(model_id):
                await self._wait(model_id, _PACED, seconds, yield_slot)
            else:
                return None

    def _note_limits(self, model_id: str, number: int, headers: Mapping[str, str]) -> None:
        limits = self._dialect.read_limits(headers, self._wall_clock())
        if limits:
            self._pacer.stated(model_id, number, limits)

    async def _wait(self, model_id: str, failure: Failure, seconds: float, yield_slot: YieldSlot) -> None:
        if self._on_wait is not None:
            self._on_wait(model_id, failure.code, seconds)
        async with yield_slot():
            await self._sleep(seconds)

    async def _reason_for_refusal(self, model_id: str, refusal: Failure, began: float) -> Failure:
        """Find out why a stream was cut before it began.

        MindRouter refuses streams over the rate limit or the quota without a word; a tiny request
        that is not streamed gets the word. One at a time asks, and what it learns holds for all.
        """
        probe = self._dialect.probe(model_id)
        if probe is None:
            return refusal
        async with self._probing:
            if self._breaker.has_news_since(model_id, began):
                # What another call learnt explains this refusal as well: it costs no try.
                return msgspec.structs.replace(refusal, is_free=True)
            outcome = await self._connection.post(probe, self._new_request_id(), PROBE_SECONDS, None)
            if isinstance(outcome, Failure) and (outcome.scope != "call" or outcome.code in _KEY_REFUSED):
                # noted here, under the lock, so that the next in line need not ask again
                self._breaker.failed(model_id, outcome, outcome.wait)
                return outcome
            return refusal

    def _sendable(self, call: Call) -> Call:
        """Return the call as it is sent now.

        Not streamed where the dialect does not stream, or the model's streams come without events.
        """
        is_streamable = self._can_stream and self._eventless[call.model.id] < EVENTLESS_STREAMS
        if is_streamable or not call.model.stream:
            return call
        return msgspec.structs.replace(call, model=msgspec.structs.replace(call.model, stream=False))

    def _note_stream(self, model_id: str, outcome: Answer | Failure) -> None:
        """Count streams without an event that no limit explains; any other between them begins anew."""
        if isinstance(outcome, Failure) and outcome.code == "refused_stream":
            # one that others' news explain says nothing of the model
            self._eventless[model_id] += not outcome.is_free
        # Once the number is reached it stays: another stream would only leak another slot.
        elif self._eventless[model_id] < EVENTLESS_STREAMS:
            self._eventless[model_id] = 0

    async def _look_at_queue(self, model_id: str, most: int) -> None:
        """Now and then look whether calls to the model wait inside the gateway; one looks for all."""
        path = self._dialect.version_path
        if path is None or not self._tells_queue or self._clock() - self._queue_at < QUEUE_SECONDS:
            return
        # Noted before the answer, so that the calls that come meanwhile do not ask as well.
        self._queue_at = self._clock()
        status = await self._connection.get(path, with_key=False)
        if isinstance(status, Failure):
            return
        try:
            waiting = self._dialect.read_queue(status)
        except UNREADABLE:
            self._tells_queue = False
            return
        if waiting.get(model_id, 0) > 0:
            self._limit.queued(model_id, most)

    async def _verdict_on_key(
        self, model_id: str, refusal: Failure, refused_at: float, yield_slot: YieldSlot
    ) -> Failure:
        """Find out whether a key that was accepted until now is refused for good; one call looks for all.

        Refused by the list of models too, twice, it ends every call of the provider at once.
        """
        async with yield_slot(), self._key_turn:
            # Another call may have found it out while this one waited for its turn.
            if (known := self._breaker.final_failure()) is not None:
                return known
            for seconds in (0.0, KEY_SECONDS):
                if self._key_accepted_at >= refused_at:
                    break
                if seconds:
                    await self._wait(model_id, refusal, seconds, nullcontext)
                # Before the look: an answer may be of a moment before the refusal, which it then does not
                # contradict.
                looked_at = self._clock()
                listed = await self._connection.get(self._dialect.models_path, with_key=True)
                if not isinstance(listed, Failure) or listed.code != "unauthorized":
                    self._key_accepted_at = looked_at
            if self._key_accepted_at >= refused_at:
                # Accepted after it was refused: MindRouter refuses good keys in passing where many keys are
                # checked at once.
                return msgspec.structs.replace(refusal, retry=True)
            final = msgspec.structs.replace(refusal, scope="provider")
            self._breaker.failed(model_id, final, None)
            return final
