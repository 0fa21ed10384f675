"""Which worker gets which tests, of those with containers and of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from tests.scheduling import AT_ONCE, CONTAINERS, LONGEST, FewAmongContainers

WORKERS = AT_ONCE + 2


@dataclass(eq=False)
class Worker:
    """What the scheduler knows of a worker: the tests that it was sent, by their place."""

    tests: list[str]
    sent: list[str] = field(default_factory=list)
    shutting_down: bool = False
    gateway: Any = field(default_factory=lambda: SimpleNamespace(id="a worker"))

    def send_runtest_some(self, places: list[int]) -> None:
        self.sent += [self.tests[place] for place in places]

    def shutdown(self) -> None:
        self.shutting_down = True

    def groups(self) -> set[str]:
        return {test.partition("@")[2] for test in self.sent} - {""}


class Run:
    """Workers that do what they are sent, one test of each in turn."""

    def __init__(self, *tests: str) -> None:
        options = SimpleNamespace(loadscopereorder=True)
        config: Any = SimpleNamespace(option=options, getvalue=lambda _: [f"{WORKERS}*popen"], rootpath=None)
        self.scheduler = FewAmongContainers(config)
        self.workers = [Worker(list(tests)) for _ in range(WORKERS)]
        for worker in self.workers:
            self.scheduler.add_node(worker)
            self.scheduler.add_node_collection(worker, worker.tests)
        self.scheduler.schedule()
        self.done: dict[Worker, int] = dict.fromkeys(self.workers, 0)

    def current(self, worker: Worker) -> str | None:
        return worker.sent[self.done[worker]] if self.done[worker] < len(worker.sent) else None

    def step(self, worker: Worker) -> None:
        test = self.current(worker)
        if test is not None:
            self.done[worker] += 1
            self.scheduler.mark_test_complete(worker, worker.tests.index(test))

    def among(self) -> int:
        """How many workers are at a test with containers."""
        return sum(CONTAINERS in (self.current(worker) or "") for worker in self.workers)


def container_tests(*modules: str, count: int = 3) -> list[str]:
    return [f"{module}.py::test_{at}@{CONTAINERS}{module}" for module in modules for at in range(count)]


OTHERS = [f"test_other.py::test_{at}" for at in range(200)]
MODULES = ["test_doors", "test_demo", *LONGEST, "test_secrets"]


@pytest.fixture
def run() -> Run:
    return Run(*OTHERS[:100], *container_tests(*MODULES), *OTHERS[100:])


def test_never_more_than_a_few_are_among_containers_while_others_have_something_to_do(run: Run) -> None:
    assert run.among() == AT_ONCE
    while any(worker.sent and run.current(worker) for worker in run.workers):
        for worker in run.workers:
            run.step(worker)
            if any("test_other" in (run.current(each) or "") for each in run.workers):
                assert run.among() <= AT_ONCE


def test_every_test_is_run_once_and_a_group_by_one_worker(run: Run) -> None:
    while run.scheduler.has_pending:
        for worker in run.workers:
            run.step(worker)
    assert sorted(test for worker in run.workers for test in worker.sent) == sorted(run.workers[0].tests)
    groups = [group for worker in run.workers for group in worker.groups()]
    assert len(groups) == len(set(groups)) == len(MODULES)
    assert all(worker.shutting_down for worker in run.workers)


def test_the_longest_are_first(run: Run) -> None:
    first, second = (worker for worker in run.workers if CONTAINERS in str(run.current(worker)))
    assert [run.current(first), run.current(second)] == [
        f"{m}.py::test_0@{CONTAINERS}{m}" for m in LONGEST[:2]
    ]


def test_a_worker_that_is_among_containers_goes_on_with_them(run: Run) -> None:
    waiting = [worker for worker in run.workers if CONTAINERS in str(run.current(worker))]
    for _ in range(6):
        for worker in waiting:
            run.step(worker)
    assert all(CONTAINERS in str(run.current(worker)) for worker in waiting)
    assert [len(worker.groups()) for worker in waiting] == [3, 3]


def test_where_nothing_else_is_left_everybody_takes_containers() -> None:
    run = Run(*container_tests(*MODULES))
    assert run.among() == WORKERS
