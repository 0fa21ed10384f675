"""`evalcli campaign run`: every run once, whatever happens to the process, within the limits."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evalcli.campaigns.address import sqlite_url
from evalcli.campaigns.database import CampaignDatabase
from evalsim.testing import Hold

CALLS = 12
SLOW_S = 0.01
"""A latency by which a model that is to be held is known."""
Make = Callable[..., Any]
Eventually = Callable[[Callable[[], object], str], None]


def standing(told: dict[str, Any]) -> dict[str, str]:
    """How each run stands, by component and model."""
    return {f"{run['component']}/{run['model']}": run["status"] for run in told["runs"]}


ONE_RUN = "models: [alpha]\ncomponents: [memo]\nreplicates: 6\nlimits: {mindrouter: {calls: 4, runs: 1}}\n"
"""Of as many calls as the campaign of two runs."""
COMPLETE = dict.fromkeys(("memo/alpha", "memo/beta"), "complete")


def test_every_run_is_done_once_within_the_limits_and_running_again_calls_nothing(
    make_world: Make, gauge: Any
) -> None:
    world = make_world(sleep=gauge.sleep, latency=0.05)
    world.file.write_text(world.file.read_text().replace("[memo]", "all"))
    done = world.run("run", world.file, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert standing(told) == COMPLETE | {"budget/alpha": "complete", "budget/beta": "complete"}
    assert (told["campaign"], told["planned"], told["counts"]) == ("nightly", 4, {"complete": 4})
    for run in told["runs"]:
        record = json.loads((Path(run["run_dir"]) / "record.json").read_text())
        assert (record["run_id"], record["accuracy"]["mean"]) == (run["run_id"], run["accuracy"])
    # How a run ended is said once.
    assert done.stderr.count(": complete, accuracy ") == 4
    # One job for each component: its runs are published together.
    jobs = {json.loads(path.read_text())["job_id"] for path in world.runs_dir.glob("*/record.json")}
    assert len(jobs) == 2
    assert Counter(world.requests.values()) == {1: 2 * CALLS}
    assert Counter(world.kept().values()) == {1: 2 * CALLS}
    assert 2 <= gauge.most <= 4
    again = world.look("run", world.file)
    assert again.code == 0, again.err
    assert "nightly: 4 of 4 runs complete" in again.out
    assert world.calls == 2 * CALLS


def test_a_models_concurrency_holds_over_all_runs_of_it(make_world: Make) -> None:
    world = make_world(latency=0.05)
    models = world.library / ".evaluator" / "models.yaml"
    models.write_text(models.read_text().replace("params:", "concurrency: 2, params:"))
    world.file.write_text("models: all\nreplicates: 3\nlimits: {mindrouter: {calls: 12, runs: 4}}\n")
    done = world.run("run", world.file, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"complete": 4}
    # Both of their calls were used, and by two components no more than by one.
    assert world.mindrouter.gateway.most_of_model == {"alpha": 2, "beta": 2}
    assert Counter(world.requests.values()) == {1: 2 * CALLS}


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on_and_calls_nothing_that_is_kept_again(
    make_world: Make, eventually: Eventually, name: signal.Signals
) -> None:
    hold = Hold(4)
    world = make_world(sleep=hold.sleep)
    process = world.start("run", world.file)
    eventually(lambda: len(world.kept()) == 4 and hold.is_held.is_set(), "four replies are stored")
    process.send_signal(name)
    done = world.ended(process)
    assert done.returncode == 130, done.stderr
    command = done.stderr.splitlines()[-1].split()
    assert command[:3] == ["evalcli", "campaign", "run"]
    # Nobody has its runs now.
    assert standing(world.status()) == dict.fromkeys(COMPLETE, "interrupted")
    shown = world.look("status", "nightly").out
    assert "2 interrupted" in shown
    assert "No worker is at work: `evalcli campaign run` goes on" in shown
    hold.open()
    if name == signal.SIGINT:
        goes_on(world)


def goes_on(world: Any, *options: object) -> None:
    """The campaign goes on to its end, and what was kept is not called again."""
    kept = world.kept()
    called = {request: count for request, count in world.requests.items() if count}
    assert len(kept) == 4
    done = world.run("run", world.file, "--json", *options)
    assert done.returncode == 0, done.stderr
    assert " left to do in sqlite:///" in done.stderr
    assert set(standing(json.loads(done.stdout)).values()) == {"complete"}
    assert Counter(world.kept().values()) == {1: CALLS}
    assert kept.keys() <= world.kept().keys()
    # Only what was on its way when it ended came twice.
    assert len(world.requests) == CALLS
    assert world.calls == CALLS + sum(called.values()) - len(kept)


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["not-forgotten", "forgotten"])
def test_killed_its_runs_end_and_the_next_one_goes_on_with_what_is_kept(
    make_world: Make, eventually: Eventually, *, is_forgotten: bool
) -> None:
    """Forgotten, it was given one more run by its queue, when others had handed on those that it had."""
    hold = Hold(4)
    world = make_world(sleep=hold.sleep)
    world.file.write_text(ONE_RUN)
    process = world.start("run", world.file, "--lease", 2)
    eventually(lambda: len(world.kept()) == 4 and hold.is_held.is_set(), "four replies are stored")
    runs = processes_of(process.pid)
    assert runs
    process.kill()
    process.communicate()
    eventually(lambda: not any(map(is_alive, runs)), "the processes of its runs have ended")
    if is_forgotten:
        with closing(CampaignDatabase(sqlite_url(world.runs_dir / "campaigns.sqlite"))) as database:
            (worker,) = database.workers.known()
            database.workers.forget(worker.id)
    hold.open()
    goes_on(world, "--lease", 2)


def test_stopped_its_runs_end_before_its_lease_and_woken_it_begins_anew(
    make_world: Make, eventually: Eventually
) -> None:
    hold = Hold(4)
    world = make_world(sleep=hold.sleep)
    world.file.write_text(ONE_RUN)
    process = world.start("run", world.file, "--lease", 2, "--json")
    eventually(lambda: len(world.kept()) == 4 and hold.is_held.is_set(), "four replies are stored")
    runs = processes_of(process.pid)
    assert runs
    os.kill(process.pid, signal.SIGSTOP)
    eventually(lambda: not any(map(is_alive, runs)), "the processes of its runs have ended by themselves")
    kept = world.kept()
    os.kill(process.pid, signal.SIGCONT)
    hold.open()
    done = world.ended(process)
    assert done.returncode == 0, done.stderr
    assert "begins anew" in done.stderr
    assert json.loads(done.stdout)["counts"] == {"complete": 1}
    assert Counter(world.kept().values()) == {1: CALLS}
    assert kept.keys() <= world.kept().keys()


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        (signal.SIGKILL, "failed", "its process ended with code -9"),
        (signal.SIGTERM, "stopped", "it was ended"),
    ],
)
def test_a_run_whose_process_is_ended_by_somebody_is_told_and_goes_on_when_run_again(
    make_world: Make, eventually: Eventually, name: signal.Signals, status: str, reason: str
) -> None:
    hold = Hold(1)
    world = make_world(sleep=hold.sleep)
    world.file.write_text("models: [alpha]\ncomponents: [memo]\nreplicates: 1\n")
    process = world.start("run", world.file, "--json")
    eventually(lambda: len(world.kept()) == 1 and hold.is_held.is_set(), "a reply is stored")
    (run,) = processes_of(process.pid)
    os.kill(run, name)
    ended = world.ended(process)
    assert ended.returncode == 1, ended.stderr
    (told,) = json.loads(ended.stdout)["runs"]
    assert (told["status"], told["reason"].startswith(reason)) == (status, True)
    hold.open()
    kept = world.kept()
    again = world.run("run", world.file, "--json")
    assert again.returncode == 0, again.stderr
    (done,) = json.loads(again.stdout)["runs"]
    assert (done["run_id"], done["attempt"]) == (told["run_id"], 2)
    assert kept.keys() < world.kept().keys()
    assert Counter(world.kept().values()) == {1: 2}


def test_a_model_that_is_not_served_is_skipped_with_the_reason_and_tried_again(make_world: Make) -> None:
    world = make_world()
    models = world.library / ".evaluator" / "models.yaml"
    models.write_text(models.read_text() + "  - {id: gamma, provider: mindrouter}\n")
    world.file.write_text("models: [alpha, gamma]\ncomponents: [memo]\nreplicates: 1\n")
    for attempt in (1, 2):
        done = world.run("run", world.file, "--json", **world.give_up_soon())
        assert done.returncode == 1, done.stderr
        told = json.loads(done.stdout)
        assert standing(told) == {"memo/alpha": "complete", "memo/gamma": "skipped"}
        (gamma,) = (run for run in told["runs"] if run["model"] == "gamma")
        assert (gamma["attempt"], "lists no backend for it" in gamma["reason"]) == (attempt, True)
    assert world.calls == 2


def test_a_run_whose_files_have_changed_since_fails_in_one_line_and_calls_nothing(make_world: Make) -> None:
    world = make_world()
    world.file.write_text("models: [alpha]\ncomponents: [memo]\nreplicates: 1\n")
    queued = world.look("run", world.file, "--no-work")
    assert queued.code == 0, queued.err
    assert "1 run is queued" in queued.err
    case = world.library / "components" / "memo" / "evals" / "cases" / "one" / "input.md"
    case.write_text("Another question.\n")
    assert world.run("worker").returncode == 0
    told = world.status()
    assert standing(told) == {"memo/alpha": "failed"}
    assert told["runs"][0]["reason"].startswith("memo 1.0.0: the component, its cases or the entry of alpha")
    assert world.calls == 0
    refused = world.look("run", world.file)
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith("evalcli: nightly: a campaign of this name was begun")


def test_runs_of_a_provider_without_its_key_are_left_to_other_workers(make_world: Make) -> None:
    world = make_world()
    done = world.look("run", world.file, "--json", MINDROUTER_API_KEY="")
    assert done.code == 1
    assert "runs of mindrouter are left to other workers: MINDROUTER_API_KEY is not set" in done.err
    assert set(standing(json.loads(done.out)).values()) == {"waiting"}
    assert world.calls == 0
    nothing = world.look("worker", MINDROUTER_API_KEY="")
    assert (nothing.code, "MINDROUTER_API_KEY" in nothing.err) == (3, True)


def test_a_second_worker_of_a_database_that_is_a_file_is_refused(
    make_world: Make, eventually: Eventually
) -> None:
    hold = Hold(0)
    world = make_world(sleep=hold.sleep)
    world.file.write_text(ONE_RUN)
    first = world.start("run", world.file)
    eventually(hold.is_held.is_set, "a call is held")
    second = world.run("run", world.file)
    assert second.returncode == 2
    assert "a file is for one at a time" in second.stderr
    hold.open()
    assert world.ended(first).returncode == 0
    assert Counter(world.requests.values()) == {1: CALLS}


def processes_of(parent: int) -> list[int]:
    """The processes that a process has started and not yet waited for."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def is_alive(process: int) -> bool:
    """Whether a process is there and is not just waited for."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_done_with_its_own_campaign_it_leaves_the_runs_of_another_to_be_gone_on_with(
    make_world: Make, eventually: Eventually
) -> None:
    hold = Hold(2)

    async def sleep(seconds: float) -> None:
        """Let beta answer; alpha answers twice."""
        if seconds < SLOW_S:
            return
        await hold.sleep(seconds)

    world = make_world(sleep=sleep, latency=SLOW_S, beta=0.0)
    both = "components: [memo]\nreplicates: 6\nlimits: {mindrouter: {calls: 4, runs: 2}}\n"
    world.file.write_text(f"models: [alpha]\n{both}")
    assert world.run("run", world.file, "--no-work").returncode == 0
    other = world.file.with_name("other.yaml")
    other.write_text(f"models: [beta]\n{both}")
    process = world.start("run", other, "--json")
    eventually(hold.is_held.is_set, "alpha is called")
    done = world.ended(process)
    assert done.returncode == 0, done.stderr
    assert standing(json.loads(done.stdout)) == {"memo/beta": "complete"}
    assert "1 run is left in the middle, of campaign nightly" in done.stderr
    assert world.status()["counts"] == {"interrupted": 1}

    hold.open()
    assert world.run("run", world.file).returncode == 0
    assert standing(world.status()) == {"memo/alpha": "complete"}
    assert set(world.kept().values()) == {1}
    # Of two at once those that were held came to nothing, and were made again.
    assert 2 * CALLS < world.calls <= 2 * CALLS + 2
