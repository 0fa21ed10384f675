"""Campaigns on three workers that share a database: undisturbed, and with workers lost, halted and restarted.

Components, models, cases and replicates are so many calls, no two alike, each of a second. The gateway counts
them: a call that was lost with its worker is made again, one whose reply was kept is not.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.containers.campaigns import CASES, WORKERS, Workers, workers_up
from tests.containers.engine import run_docker
from tests.containers.images import Images
from tests.containers.operating import execute, kill, kill_process, restart, start
from tests.containers.outside import Counted, ask_mindrouter, counted
from tests.containers.waiting import until

from evalcore.library.models import concurrency_by_default
from evalsim.mindrouter import SimConfig, SimModel

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

REPLICATES = int(os.environ.get("EVALUATOR_CAMPAIGN_REPLICATES", "2"))
ENOUGH = 80
"""Replicates from which on the time of a run is that of its calls, not of its process's start."""
DISTURBANCES = 5
COMPONENTS, MODELS = 8, 3
UNDISTURBED = COMPONENTS if REPLICATES >= ENOUGH else 2
"""Components of the undisturbed campaign."""
LATENCY_S = 1.0
LEASE_S = 5
LIMITS = {"calls": 12, "runs": 6, "runs_per_worker": 2}
LOST_AT_MOST = LIMITS["calls"] // LIMITS["runs"] * LIMITS["runs_per_worker"]
"""Calls in flight of one worker."""


@pytest.fixture(scope="module")
def up(images: Images, postgres_image: str, project_root: Path) -> Iterator[Workers]:
    models = tuple(SimModel(id=f"model-{number}", latency=LATENCY_S) for number in range(1, MODELS + 1))
    gateway = SimConfig(models=models)
    with workers_up(images, postgres_image, project_root, gateway, COMPONENTS, lease_s=LEASE_S) as made:
        yield made


def ideal_s(calls: int) -> float:
    """Seconds that so many calls take where the limit is used to the full."""
    return calls * LATENCY_S / LIMITS["calls"]


def begin(up: Workers, name: str, components: int) -> int:
    """Begin a campaign of so many components on all models; how many calls it has."""
    slugs = [f"terms-{number}" for number in range(1, components + 1)]
    up.begin(name, components=slugs, replicates=REPLICATES, limits={"mindrouter": LIMITS})
    return components * MODELS * CASES * REPLICATES


def finished(up: Workers, name: str) -> dict[str, Any]:
    """Where a campaign stands once no run of it is open."""

    def ended() -> dict[str, Any] | None:
        told = up.status(name)
        return told if {"waiting", "running", "interrupted"}.isdisjoint(told["counts"]) else None

    return until(ended, seconds=600, what=f"the end of campaign {name}")


def seconds_of(told: dict[str, Any]) -> float:
    """From the first run's begin to the last one's end, by the database's clock."""
    begun, ended = (
        [datetime.fromisoformat(run[name]) for run in told["runs"]] for name in ("begun_at", "ended_at")
    )
    return (max(ended) - min(begun)).total_seconds()


def require_each_recorded_once(up: Workers, told: dict[str, Any], runs: int) -> None:
    """Every run has ended complete, at its first attempt, and counts each case and replicate once."""
    assert told["counts"] == {"complete": runs}, [run for run in told["runs"] if run["status"] != "complete"]
    assert len({(run["component"], run["model"]) for run in told["runs"]}) == runs
    assert {run["attempt"] for run in told["runs"]} == {1}
    assert {run["accuracy"] for run in told["runs"]} == {1.0}
    kept = up.kept()
    for run in told["runs"]:
        replies = kept[run["run_id"]]
        assert len(replies) == CASES * REPLICATES
        assert set(replies.values()) == {1}, f"a reply of {run['run_id']} is kept twice"


def calls_since(up: Workers, before: Counted) -> Counted:
    """What the gateway was asked since then."""
    now = counted(up)
    return Counted(now.requests - before.requests, now.answered - before.answered)


def say(name: str, told: dict[str, Any], planned: int, made: int, most: int) -> None:
    """Report the figures, which are looked at by a person."""
    took, ideal = seconds_of(told), ideal_s(planned)
    hosts = len({run["worker"] for run in told["runs"]})
    sys.stderr.write(
        f"{name}: {told['planned']} runs by {hosts} hosts, {made} calls of {planned} planned, "
        f"{most} in flight at most, {took:.1f} s beside {ideal:.1f} s of calls alone ({took / ideal:.2f})\n"
    )


def most_in_flight(up: Workers) -> int:
    return int(ask_mindrouter(up, "GET", "/sim/state")["most_in_flight"])


def require_within_limits(up: Workers) -> None:
    """Never more calls were in flight than the provider may have, nor for a model than that may."""
    state = ask_mindrouter(up, "GET", "/sim/state")
    assert int(state["most_in_flight"]) <= LIMITS["calls"]
    assert max(state["most_of_model"].values()) <= concurrency_by_default("mindrouter")


def require_in_time(told: dict[str, Any], planned: int) -> None:
    """A campaign takes as long as its calls, and a quarter more at most."""
    if REPLICATES >= ENOUGH:
        assert seconds_of(told) <= 1.25 * ideal_s(planned)


def test_three_workers_make_each_call_once(up: Workers) -> None:
    before = counted(up)
    planned = begin(up, "undisturbed", UNDISTURBED)
    told = finished(up, "undisturbed")
    calls = calls_since(up, before)
    most = most_in_flight(up)
    say("undisturbed", told, planned, calls.requests.total(), most)
    require_each_recorded_once(up, told, UNDISTURBED * MODELS)
    assert len({run["worker"] for run in told["runs"]}) == len(WORKERS)
    assert set(calls.requests.values()) == set(calls.answered.values()) == {1}
    assert len(calls.requests) == planned
    require_within_limits(up)
    require_in_time(told, planned)


def lost(up: Workers, worker: str, draw: random.Random) -> None:
    """Gone in an instant; the engine brings it back."""
    del draw
    kill_process(up, worker)


def away(up: Workers, worker: str, draw: random.Random) -> None:
    """Gone in an instant, and back after a while."""
    kill(up, worker)
    time.sleep(draw.uniform(0.0, 2.0 * LEASE_S))
    start(up, worker)


def stopped(up: Workers, worker: str, draw: random.Random) -> None:
    """Ended in order, and started again."""
    del draw
    restart(up, worker)


def halted(up: Workers, worker: str, draw: random.Random) -> None:
    """Still, for longer than its lease or not, and then going on as if nothing had been."""
    pause = ["docker", "pause", up.container(worker)]
    # The kernel may refuse while the container's processes begin and end.
    until(
        lambda: subprocess.run(pause, capture_output=True, check=False, timeout=60).returncode == 0,
        seconds=60,
        what=f"{worker} halted",
    )
    time.sleep(draw.uniform(0.0, 2.0 * LEASE_S))
    run_docker("unpause", up.container(worker))


def is_at_work(up: Workers, worker: str) -> bool:
    """Whether its container runs: one that finds no database ends, and is begun anew by the engine."""
    states = "{{.State.Running}} {{.State.Restarting}}"
    return run_docker("inspect", "--format", states, up.container(worker)).split() == ["true", "false"]


def restart_database(up: Workers) -> None:
    """Restart it, and wait until it answers."""
    restart(up, "database")
    health = ["inspect", "--format", "{{.State.Health.Status}}", up.container("database")]
    until(lambda: run_docker(*health).strip() == "healthy", seconds=60, what="the database's answer")


WAYS = (lost, away, stopped, halted)


def test_workers_lost_and_halted_and_the_database_restarted_lose_and_double_nothing(up: Workers) -> None:
    seed = int(os.environ.get("EVALUATOR_KILL_SEED", secrets.randbelow(2**32)))
    sys.stderr.write(f"EVALUATOR_KILL_SEED={seed} repeats what happens\n")
    draw = random.Random(seed)
    use_other_prompts(up)
    before = counted(up)
    planned = begin(up, "disturbed", COMPONENTS)
    ways = draw.sample(WAYS, len(WAYS))
    for number in range(DISTURBANCES):
        time.sleep(draw.uniform(0.5, 2 * ideal_s(planned) / DISTURBANCES))
        worker = draw.choice(WORKERS)
        until(lambda one=worker: is_at_work(up, one), seconds=60, what=f"{worker} at work")
        ways[number % len(ways)](up, worker, draw)
        if number == DISTURBANCES // 2:
            restart_database(up)
    told = finished(up, "disturbed")
    calls = calls_since(up, before)
    most = most_in_flight(up)
    say("disturbed", told, planned, calls.requests.total(), most)
    require_each_recorded_once(up, told, COMPONENTS * MODELS)
    assert len(calls.requests) == planned
    # A restart may take longer than a worker's runs wait for it: then all that are in flight are lost.
    again = calls.requests.total() - planned
    assert 0 <= again <= DISTURBANCES * LOST_AT_MOST + LIMITS["calls"]
    require_within_limits(up)
    require_in_time(told, planned)


def use_other_prompts(up: Workers) -> None:
    """Change the prompts as their authors do: a call of the next campaign is none of the last one's."""
    for prompt in (up.folder / "libraries/prompt-library/components").glob("*/prompt.md"):
        prompt.write_text(f"{prompt.read_text()}\nDisturbed.\n")


def test_a_database_whose_name_is_mistaken_is_told_and_not_made(up: Workers) -> None:
    """Else whoever mistook it would be told that there is nothing to do."""
    address = "postgresql://evaluator@database/campains"
    # The file of passwords names the database that there is.
    password = 'export PGPASSWORD="$(cut -d: -f5 "$PGPASSFILE")"'
    words = f"{password}; ! evalcli campaign status any --database {address} 2>&1"
    told = run_docker("exec", up.container("operator"), "bash", "-c", words)
    assert 'database "campains" does not exist' in told
    assert told.count("\n") == 1
    listed = execute(up, "database", "psql", "--username=evaluator", "--list", "campaigns")
    assert "campains" not in listed


def test_no_secret_shows_in_what_the_engine_tells(up: Workers) -> None:
    containers = [up.container(service) for service in ("database", "operator", *WORKERS)]
    told = run_docker("inspect", *containers)
    assert up.password not in told
    assert up.key not in told
    # While they are used: the sessions of all three are by TLS, with the password.
    asked = (
        "select count(*) from pg_stat_ssl natural join pg_stat_activity where ssl and usename = 'evaluator'"
    )
    sessions = execute(
        up, "database", "psql", "--username=evaluator", "--tuples-only", "campaigns", "-c", asked
    )
    assert int(sessions) >= len(WORKERS)
