"""One limit over all queues, one per queue, and the queue that is furthest behind goes first."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from evalcore.evaluation.dispatch import Dispatcher, RunQueue
from evalcore.library.component import Case
from evalcore.runs.plan import call_order

CASES = [Case(name, "in", "out", "0" * 64) for name in "abc"]


def calls(cases, replicates):
    return ((replicate, CASES[index]) for replicate, index in call_order(cases, replicates))


def dispatch(limit, queues, call_for):
    """Run queues to their end; `call_for(name)` gives what makes a call of that queue."""

    async def run():
        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(limit, tasks.create_task)
            for name, queue in queues.items():
                dispatcher.add(queue, call_for(name))
            dispatcher.close()
            await dispatcher.run()

    asyncio.run(run())


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_every_call_is_made_once_and_no_limit_is_passed(limit, shapes):
    made, in_flight, most = [], {}, {"all": 0}
    queues = {n: RunQueue(calls(cases, replicates), own) for n, (own, cases, replicates) in enumerate(shapes)}

    def call_for(name):
        async def call(replicate, case):
            made.append((name, replicate, case.name))
            in_flight[name] = in_flight.get(name, 0) + 1
            most[name] = max(most.get(name, 0), in_flight[name])
            most["all"] = max(most["all"], sum(in_flight.values()))
            await asyncio.sleep(0)
            in_flight[name] -= 1

        return call

    dispatch(limit, queues, call_for)
    planned = [
        (n, replicate, CASES[index].name)
        for n, (_, cases, replicates) in enumerate(shapes)
        for replicate, index in call_order(cases, replicates)
    ]
    assert sorted(made) == sorted(planned)
    assert most["all"] <= limit
    assert all(most[n] <= own for n, (own, _, _) in enumerate(shapes))


def test_calls_are_made_replicate_by_replicate_over_all_lanes():
    made = []

    def call_for(name):
        async def call(replicate, case):
            made.append((replicate, name, case.name))

        return call

    dispatch(1, {name: RunQueue(calls(2, 3), 8) for name in "xy"}, call_for)
    assert [replicate for replicate, _, _ in made] == [0] * 4 + [1] * 4 + [2] * 4


def test_a_lane_added_later_is_called_too():
    made = []

    async def call(replicate, case):
        made.append((replicate, case.name))

    async def run():
        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(2, tasks.create_task)
            running = tasks.create_task(dispatcher.run())
            await asyncio.sleep(0)
            dispatcher.add(RunQueue(calls(1, 2), 1), call)
            dispatcher.close()
            await running

    asyncio.run(run())
    assert made == [(0, "a"), (1, "a")]


def test_a_slow_lane_does_not_hold_up_another():
    async def run():
        release, made = asyncio.Event(), []

        async def slow(_replicate, _case):
            await release.wait()

        async def quick(replicate, _case):
            made.append(replicate)
            if len(made) == 3:
                release.set()

        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(4, tasks.create_task)
            dispatcher.add(RunQueue(calls(1, 3), 1), slow)
            dispatcher.add(RunQueue(calls(1, 3), 1), quick)
            dispatcher.close()
            await dispatcher.run()
        return made

    assert asyncio.run(run()) == [0, 1, 2]


def test_a_place_that_is_lent_serves_others_and_comes_back_within_the_limit():
    async def run():
        others_done, story, out, most = asyncio.Event(), [], 0, 0

        async def away(replicate, _case):
            nonlocal out, most
            async with dispatcher.yielded_slot():
                await others_done.wait()
            out += 1
            most = max(most, out)
            await asyncio.sleep(0)
            out -= 1
            story.append(("away", replicate))

        async def there(replicate, _case):
            story.append(("there", replicate))
            if replicate == 2:
                others_done.set()

        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(2, tasks.create_task)
            dispatcher.add(RunQueue(calls(1, 6), 6), away)
            dispatcher.add(RunQueue(calls(1, 3), 1), there)
            dispatcher.close()
            await dispatcher.run()
        return story, most

    story, most = asyncio.run(run())
    assert story[:3] == [("there", replicate) for replicate in range(3)]
    assert sorted(story[3:]) == [("away", replicate) for replicate in range(6)]
    assert most == 2


def test_calls_that_are_cut_short_while_their_place_is_lent_leave_the_count_right():
    async def run():
        begun, made = [], []

        async def away(_replicate, _case):
            begun.append(asyncio.current_task())
            async with dispatcher.yielded_slot():
                await asyncio.Event().wait()

        async def there(replicate, _case):
            made.append(replicate)
            for task in begun:
                task.cancel()

        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(1, tasks.create_task)
            dispatcher.add(RunQueue(calls(1, 3), 3), away)
            dispatcher.add(RunQueue(calls(1, 3), 3), there)
            dispatcher.close()
            await dispatcher.run()
        return made, dispatcher._in_flight

    assert asyncio.run(run()) == ([0, 1, 2], 0)


def test_a_call_that_has_begun_gets_its_place_back_though_no_other_may_begin():
    async def run():
        ended, may_start = asyncio.Event(), True

        async def call(_replicate, _case):
            nonlocal may_start
            may_start = False
            async with dispatcher.yielded_slot():
                await asyncio.sleep(0)
            ended.set()

        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(1, tasks.create_task, lambda: may_start)
            dispatcher.add(RunQueue(calls(1, 3), 3), call)
            running = tasks.create_task(dispatcher.run())
            async with asyncio.timeout(20):
                await ended.wait()
            running.cancel()

    asyncio.run(run())
