"""A batch that is handed over: looks that fail, results that lack, calls that are left."""

import asyncio
import json
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime

import pytest

from evalcore.clients.batch import LOOKS_IN_VAIN, open_batch_client
from evalcore.clients.registry import dialect_of
from evalcore.library.models import BUILT_IN
from evalsim.asgi import Answer
from evalsim.testing import MemoryBatchStore

EXPECTED = {"title": "Soil and carbon", "year": 2026}
KINDS = pytest.mark.parametrize("kind", ["anthropic", "openai"])


def disturb(cloud, *, look=None, results=None, upload=None):
    """Let a look at a batch, its results, or its upload be answered by a function of the answer."""
    undisturbed = cloud.app.desk.answer

    def answer(method, path, body):
        found = undisturbed(method, path, body)
        if found is None:
            return None
        of_get = results if path.endswith(("/results", "/content")) else look
        change = upload if method == "POST" else of_get
        return found if change is None else change(found)

    cloud.app.desk.answer = answer


async def at_once(_seconds):
    await asyncio.sleep(0)


@asynccontextmanager
async def opened(cloud, store, sleep=at_once):
    provider = BUILT_IN[cloud.kind]
    dialect = dialect_of(provider)
    async with open_batch_client(
        dialect,
        dialect.batches,
        provider,
        cloud.url,
        "key",
        store,
        sleep=sleep,
        wall_clock=lambda: datetime(2026, 1, 5, 9, tzinfo=UTC),
    ) as client:
        yield client


def ask(cloud, count, store=None, **changes):
    """Make calls in one batch; give their replies."""

    async def asked():
        async with opened(cloud, store or MemoryBatchStore()) as client:
            calls = [cloud.call(replicate=number, **changes) for number in range(count)]
            return await asyncio.gather(*(client.call(call, nullcontext) for call in calls))

    return asyncio.run(asked())


@KINDS
def test_looks_that_fail_now_and_then_end_nothing_however_many_they_are(cloud, kind):
    """Over a day of looks thirty that fail are nothing unusual: only so many in a row are."""
    asked, looks = cloud(kind, batch_looks=2 * LOOKS_IN_VAIN + 5), []

    def every_other(found):
        looks.append(found)
        return Answer(503, b"{}") if len(looks) % 2 else found

    disturb(asked, look=every_other)
    (reply,) = ask(asked, 1)
    assert json.loads(reply.text) == EXPECTED
    assert len(looks) // 2 > LOOKS_IN_VAIN


@KINDS
def test_a_look_that_no_waiting_mends_is_not_taken_again(cloud, kind):
    asked, looks = cloud(kind), []

    def refused(found):
        looks.append(found)
        return Answer(401, b"{}")

    disturb(asked, look=refused)
    (reply,) = ask(asked, 1)
    assert (reply.error.fault, len(looks)) == ("infrastructure", 1)


@KINDS
def test_a_state_that_cannot_be_read_is_a_failure_and_not_an_end(cloud, kind):
    asked = cloud(kind)
    disturb(asked, look=lambda _: Answer(200, b"<html>"))
    replies = ask(asked, 2)
    assert {reply.error.fault for reply in replies} == {"infrastructure"}


@KINDS
def test_a_call_without_a_result_has_none_and_the_others_have_theirs(cloud, kind):
    asked = cloud(kind)
    disturb(asked, results=lambda found: Answer(200, found.body.partition(b"\n")[2]))
    replies = ask(asked, 3)
    assert [reply.error.code for reply in replies if reply.error] == ["batch_expired"]
    assert [json.loads(reply.text) for reply in replies if not reply.error] == [EXPECTED] * 2


@KINDS
def test_a_line_that_cannot_be_read_costs_no_other_call_its_result(cloud, kind):
    asked = cloud(kind)
    disturb(asked, results=lambda found: Answer(200, b"\n<html>\n" + found.body.partition(b"\n")[2] + b"\n"))
    replies = ask(asked, 3)
    assert [reply.error is None for reply in replies].count(True) == 2


@KINDS
def test_results_that_cannot_be_had_at_once_are_asked_for_again(cloud, kind):
    asked, fetched = cloud(kind), []

    def at_the_second_time(found):
        fetched.append(found)
        return found if len(fetched) > 1 else Answer(502, b"")

    disturb(asked, results=at_the_second_time)
    (reply,) = ask(asked, 1)
    assert json.loads(reply.text) == EXPECTED


def test_a_batch_that_the_provider_could_not_read_is_final_for_all_its_calls(cloud):
    asked = cloud("openai")
    disturb(asked, look=lambda _: Answer(200, b'{"id": "b", "status": "failed"}'))
    replies = ask(asked, 2)
    assert {reply.error.code for reply in replies} == {"bad_request"}


@KINDS
def test_what_cannot_be_handed_over_fails_in_every_call_and_is_not_written_down(cloud, kind):
    asked, store = cloud(kind), MemoryBatchStore()
    disturb(asked, upload=lambda _: Answer(200, b"<html>"))
    replies = ask(asked, 2, store)
    assert {reply.error.fault for reply in replies} == {"infrastructure"}
    assert store.submitted == []


@pytest.mark.parametrize(("kind", "posts"), [("anthropic", 1), ("openai", 1), ("openai", 2)])
def test_a_refusal_of_what_is_handed_over_is_that_of_every_call(cloud, kind, posts):
    """OpenAI's are handed over in two parts, the file of the requests first: either may be refused."""
    asked, store, sent = cloud(kind), MemoryBatchStore(), []

    def refused(found):
        sent.append(found)
        return Answer(401, b"{}") if len(sent) == posts else found

    disturb(asked, upload=refused)
    replies = ask(asked, 2, store)
    assert {reply.error.code for reply in replies} == {"unauthorized"}
    assert (len(sent), store.submitted) == (posts, [])


@KINDS
def test_a_call_that_is_cancelled_ends_the_wait_of_no_other(cloud, kind):
    asked, store, tasks = cloud(kind, batch_looks=5), MemoryBatchStore(), []

    async def sleep(_seconds):
        if store.submitted:
            tasks[0].cancel()
        await asyncio.sleep(0)

    async def one_leaves():
        async with opened(asked, store, sleep) as client:
            calls = [asked.call(replicate=number) for number in range(3)]
            tasks.extend(asyncio.create_task(client.call(call, nullcontext)) for call in calls)
            return await asyncio.gather(*tasks, return_exceptions=True)

    gone, *others = asyncio.run(one_leaves())
    assert isinstance(gone, asyncio.CancelledError)
    assert [json.loads(reply.text) for reply in others] == [EXPECTED] * 2


@KINDS
def test_a_call_gives_its_place_back_for_as_long_as_its_batch_takes(cloud, kind):
    """Else no batch would hold more calls than there are places."""
    asked, store, places = cloud(kind), MemoryBatchStore(), []

    @asynccontextmanager
    async def yielded():
        places.append("given back")
        yield
        places.append(f"taken with {len(store.submitted)} handed over")

    async def two():
        async with opened(asked, store) as client:
            await asyncio.gather(*(client.call(asked.call(replicate=number), yielded) for number in range(2)))

    asyncio.run(two())
    assert places == ["given back"] * 2 + ["taken with 1 handed over"] * 2


@KINDS
def test_whether_a_model_streams_makes_no_other_call_of_it(cloud, kind):
    """A batch has no streams: whoever changes the setting meanwhile waits for the batch that is there."""
    asked, store = cloud(kind), MemoryBatchStore()
    ask(asked, 1, store, stream=True)
    ask(asked, 1, store, stream=False)
    assert len(store.submitted) == 1
    ask(asked, 1, store, params={"max_tokens": 7})
    assert len(store.submitted) == 2
