"""Calls are handed over in batches of bounded size, which are written down, waited for and asked about."""

import asyncio
import json
import socket
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from evalcore.clients import batch
from evalcore.clients.batch import LAST_LOOK_S, LOOKS_IN_VAIN, open_batch_client
from evalcore.clients.registry import dialect_of
from evalcore.errors import StorageError
from evalcore.library.models import BUILT_IN
from evalsim.testing import MemoryBatchStore

EXPECTED = {"title": "Soil and carbon", "year": 2026}
KINDS = pytest.mark.parametrize("kind", ["anthropic", "openai"])


def ask(cloud, count, store, *, url=None):
    """Make calls in batches; give their replies and the waits since the last batch was written down."""
    now = datetime(2026, 1, 5, 9, tzinfo=UTC)
    waits = []

    async def sleep(seconds):
        nonlocal now
        now += timedelta(seconds=seconds)
        waits.append((len(store.submitted), seconds))
        await asyncio.sleep(0)

    async def asked():
        provider = BUILT_IN[cloud.kind]
        dialect = dialect_of(provider)
        async with open_batch_client(
            dialect,
            dialect.batches,
            provider,
            url or cloud.url,
            "key",
            store,
            sleep=sleep,
            wall_clock=lambda: now,
        ) as client:
            calls = (cloud.call(replicate=number, user="the input") for number in range(count))
            return await asyncio.gather(
                *(client.call(call, nullcontext) for call in calls), return_exceptions=True
            )

    replies = asyncio.run(asked())
    return replies, [seconds for known, seconds in waits if known == len(store.submitted)]


@KINDS
def test_calls_that_come_together_are_one_batch_and_each_has_its_own_reply(cloud, kind):
    store = MemoryBatchStore()
    replies, waits = ask(cloud(kind), 3, store)
    assert [len(each.names) for each in store.submitted] == [3]
    assert [reply.replicate for reply in replies] == [0, 1, 2]
    assert {reply.request_id for reply in replies} == set(store.submitted[0].names)
    for reply in replies:
        assert (json.loads(reply.text), reply.batched, reply.attempts) == (EXPECTED, True, 1)
        assert reply.started_at == "2026-01-05T09:00:01.000Z"
        assert reply.latency_ms == sum(waits) * 1000


@KINDS
def test_a_batch_takes_no_more_requests_than_it_may(cloud, kind, monkeypatch):
    monkeypatch.setattr(batch, "MOST_REQUESTS", 2)
    store = MemoryBatchStore()
    replies, _ = ask(cloud(kind), 5, store)
    assert [len(each.names) for each in store.submitted] == [2, 2, 1]
    assert [json.loads(reply.text) for reply in replies] == [EXPECTED] * 5


@KINDS
def test_a_batch_that_has_enough_bytes_takes_no_further_request(cloud, kind, monkeypatch):
    monkeypatch.setattr(batch, "MOST_BYTES", 1)
    store = MemoryBatchStore()
    ask(cloud(kind), 3, store)
    assert [len(each.names) for each in store.submitted] == [1, 1, 1]


@KINDS
def test_looks_at_a_batch_come_ever_more_rarely_up_to_one_a_minute(cloud, kind):
    _, waits = ask(cloud(kind, batch_looks=9), 1, MemoryBatchStore())
    assert waits == [1, 2, 4, 8, 16, 32, LAST_LOOK_S, LAST_LOOK_S, LAST_LOOK_S]


@KINDS
def test_what_is_written_down_is_waited_for_and_not_handed_over_again(cloud, kind):
    asked, store = cloud(kind), MemoryBatchStore()
    before, _ = ask(asked, 2, store)
    again, _ = ask(asked, 2, store)
    assert (asked.app.desk.made, len(store.submitted)) == (1, 1)
    assert [reply.text for reply in again] == [reply.text for reply in before]


@KINDS
def test_a_provider_that_stays_away_is_asked_about_a_batch_so_often_and_no_longer(cloud, kind):
    asked, store = cloud(kind), MemoryBatchStore()
    ask(asked, 1, store)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: nobody else answers there
        (reply,), waits = ask(asked, 1, store, url=f"http://127.0.0.1:{free.getsockname()[1]}")
    assert (reply.error.code, reply.error.fault) == ("unreachable", "infrastructure")
    assert len(waits) == LOOKS_IN_VAIN - 1


@KINDS
def test_a_batch_that_cannot_be_written_down_ends_its_calls_with_the_error(cloud, kind):
    class Full(MemoryBatchStore):
        def add(self, _provider, _submitted):
            raise StorageError("no space left", where="batches.json", hint="free some")

    ended, _ = ask(cloud(kind), 2, Full())
    assert [type(error) for error in ended] == [StorageError, StorageError]
