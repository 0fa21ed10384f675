"""Calls handed over as batches: submitted all together, answered within a day, at half the price.

It is a client like any other: `call` returns when its batch has ended. What was submitted is written down at
once, so that whoever leaves and comes back waits for the same batches and pays once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from evalcore.clients.connection import Connection, open_transport
from evalcore.clients.dialect import UNREADABLE, BatchDialect, BatchState, Dialect, Request
from evalcore.clients.failures import Failure, batch_expired, unreadable_answer
from evalcore.clients.http import open_http_client
from evalcore.clients.interface import BatchStore, Call, Client, Served, SubmittedBatch, YieldSlot
from evalcore.clients.make_reply import make_reply
from evalcore.clients.reply import Answer, Reply
from evalcore.errors import StorageError
from evalcore.library.models import Provider, server_root
from evalcore.version import __version__

QUIET_S: Final = 1.0
"""Seconds without a further call after which those that came are submitted."""
MOST_REQUESTS: Final = 10_000
"""Of one batch; Anthropic takes 100,000, OpenAI 50,000."""
# Half of the smaller bound: a batch is held in memory as one body, and may exceed this by its last request.
MOST_BYTES: Final = 100 * 2**20
"""Of one batch's requests; OpenAI takes 200 MB, Anthropic 256."""
FIRST_LOOK_S: Final = 1.0
LAST_LOOK_S: Final = 60.0
"""The wait between two looks at a batch, doubled from the first value up to the last."""
LOOKS_IN_VAIN: Final = 30
"""Looks at a batch in a row that fail, after which its calls have failed: some half an hour."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Waiting(msgspec.Struct):
    name: str
    request: Request
    submitted: asyncio.Future[SubmittedBatch | Failure]


@asynccontextmanager
async def open_batch_client(
    dialect: Dialect,
    batches: BatchDialect,
    provider: Provider,
    base_url: str,
    api_key: str | None,
    store: BatchStore,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    wall_clock: Callable[[], datetime] = _utc_now,
) -> AsyncIterator[BatchClient]:
    """Open a client that makes all its calls in batches; raises StorageError where `store` cannot be read."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    headers["User-Agent"] = f"evaluator/{__version__}"
    async with (
        open_http_client(dialect, provider, base_url, api_key) as client,
        open_transport(base_url) as transport,
    ):
        connection = Connection(dialect, server_root(base_url), api_key, headers, transport, wall_clock)
        opened = BatchClient(
            client, dialect, batches, connection, provider.name, store, sleep=sleep, wall_clock=wall_clock
        )
        try:
            yield opened
        finally:
            opened.close()


class BatchClient:
    """Makes the calls of one provider in batches; see evalcore.clients.interface.Client."""

    def __init__(
        self,
        client: Client,
        dialect: Dialect,
        batches: BatchDialect,
        connection: Connection,
        provider: str,
        store: BatchStore,
        *,
        sleep: Callable[[float], Awaitable[None]],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._batches = batches
        self._connection = connection
        self._provider = provider
        self._store = store
        self._sleep = sleep
        self._wall_clock = wall_clock
        self._known = {name: batch for batch in store.batches(provider) for name in batch.names}
        self._new: list[_Waiting] = []
        self._count = 0
        self._submitter: asyncio.Task[None] | None = None
        self._results: dict[str, asyncio.Task[Mapping[str, Answer | Failure] | Failure]] = {}

    async def served(self) -> Served:
        """As the client beneath."""
        return await self._client.served()

    def close(self) -> None:
        """End what is still waited for; the batches stay with the provider."""
        for task in (self._submitter, *self._results.values()):
            if task is not None:
                task.cancel()

    async def call(self, call: Call, yield_slot: YieldSlot) -> Reply:
        """Make one call as a part of a batch."""
        # A batch has no streams; the request's bytes, and with them its name, must not depend on the setting.
        model = msgspec.structs.replace(call.model, stream=False)
        request = self._dialect.request(msgspec.structs.replace(call, model=model))
        # From the call alone, so that a command that is begun again finds it in what was submitted.
        name = sha256(f"{model.id}\0{call.case}\0{call.replicate}\0".encode() + request.body).hexdigest()[:60]
        # A call that kept its place for the day that a batch takes would let no further one be made, and no
        # batch would ever hold more calls than there are places.
        async with yield_slot():
            batch = self._known.get(name) or await self._submitted(name, request)
            outcome = batch if isinstance(batch, Failure) else await self._result(batch, name)
        now = self._wall_clock()
        # A batch of a former process was submitted then, not when this call began to wait for it.
        began = now if isinstance(batch, Failure) else datetime.fromisoformat(batch.submitted_at)
        reply = make_reply(
            call,
            request,
            name,
            outcome,
            started_at=began,
            finished_at=now,
            latency=(now - began).total_seconds(),
            attempts=1,
            without_key=self._connection.without_key,
        )
        return msgspec.structs.replace(reply, batched=True)

    async def _submitted(self, name: str, request: Request) -> SubmittedBatch | Failure:
        waiting = _Waiting(name, request, asyncio.get_running_loop().create_future())
        self._new.append(waiting)
        self._count += 1
        # One submitter at a time: calls that come while it hands a batch over are in its next one.
        if self._submitter is None or self._submitter.done():
            self._submitter = asyncio.create_task(self._submit_when_quiet())
        return await waiting.submitted

    async def _submit_when_quiet(self) -> None:
        count = -1
        # Calls come one by one as slots are yielded; a batch for each would lose what batches are for.
        while count != self._count:
            count = self._count
            await self._sleep(QUIET_S)
        while self._new:
            taken: list[_Waiting] = []
            size = 0
            # The size is looked at before a request is taken, so that a single one over the bound is handed
            # over all the same.
            while self._new and len(taken) < MOST_REQUESTS and size < MOST_BYTES:
                taken.append(self._new.pop(0))
                size += len(taken[-1].request.body)
            await self._submit(taken)

    async def _submit(self, taken: list[_Waiting]) -> None:
        made = await self._made(taken)
        outcome: SubmittedBatch | Failure
        error: StorageError | None = None
        if isinstance(made, Failure):
            outcome = made
        else:
            names = tuple(waiting.name for waiting in taken)
            outcome = SubmittedBatch(made, self._wall_clock().isoformat(timespec="milliseconds"), names)
            # Written down before anybody waits: a batch that nobody knows of is paid for and lost.
            try:
                self._store.add(self._provider, outcome)
            except StorageError as raised:
                error = raised
        for waiting in taken:
            if waiting.submitted.done():
                continue  # it was cancelled meanwhile
            if error is not None:
                # Raised in every call, as any reply that cannot be stored: a full disk ends the evaluation,
                # and is no outcome of a call.
                waiting.submitted.set_exception(error)
            else:
                waiting.submitted.set_result(outcome)

    async def _made(self, taken: list[_Waiting]) -> str | Failure:
        """Hand a batch over; returns its id."""
        upload = self._batches.upload([(waiting.name, waiting.request) for waiting in taken])
        try:
            if self._batches.files_path is not None:
                uploaded = await self._connection.transfer(self._batches.files_path, upload)
                if isinstance(uploaded, Failure):
                    return uploaded
                upload = self._batches.batch_of(uploaded)
            made = await self._connection.transfer(self._batches.path, upload)
            return made if isinstance(made, Failure) else self._batches.read_id(made)
        except UNREADABLE:
            return unreadable_answer()

    async def _result(self, batch: SubmittedBatch, name: str) -> Answer | Failure:
        task = self._results.get(batch.id)
        if task is None:
            task = self._results[batch.id] = asyncio.create_task(self._wait_for(batch))
        # One call that is cancelled must not end the wait of all the others in its batch.
        results = await asyncio.shield(task)
        return results if isinstance(results, Failure) else results.get(name, batch_expired("no result"))

    async def _wait_for(self, batch: SubmittedBatch) -> Mapping[str, Answer | Failure] | Failure:
        """Wait until a batch has ended, and read its results."""
        wait, in_vain = FIRST_LOOK_S, 0
        while True:
            state = await self._state(batch.id)
            if isinstance(state, BatchState) and state.is_ended:
                results = await self._read(state)
                if not isinstance(results, Failure):
                    return results
                state = results
            if isinstance(state, Failure):
                in_vain += 1
                # What no waiting mends, as a key that is refused, is not asked for thirty times.
                if in_vain == LOOKS_IN_VAIN or not (state.retry or state.scope != "call"):
                    return state
            else:
                # Only failures in a row count: over a day of looks thirty are nothing unusual.
                in_vain = 0
            await self._sleep(wait)
            wait = min(2 * wait, LAST_LOOK_S)

    async def _state(self, batch_id: str) -> BatchState | Failure:
        body = await self._connection.get(self._batches.status_path(batch_id), with_key=True)
        if isinstance(body, Failure):
            return body
        try:
            return self._batches.read_state(body, batch_id)
        except UNREADABLE:
            return unreadable_answer()

    async def _read(self, state: BatchState) -> dict[str, Answer | Failure] | Failure:
        if state.problem:
            # Final: the same requests would be refused as a batch again.
            return Failure(code="bad_request", message=state.problem)
        results: dict[str, Answer | Failure] = {}
        for path in state.results:
            body = await self._connection.transfer(path)
            if isinstance(body, Failure):
                return body
            for line in body.splitlines():
                try:
                    if line.strip():
                        name, outcome = self._batches.read_result(line, self._wall_clock())
                        results[name] = outcome
                except UNREADABLE:
                    continue  # one that cannot be read has no result
        return results
