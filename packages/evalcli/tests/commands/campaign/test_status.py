"""`evalcli campaign status`: where a campaign stands, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalsim.mindrouter import Fault
from evalsim.testing import Hold

Make = Callable[..., Any]


def test_while_it_is_done_it_says_what_runs_where_and_what_waits(
    make_world: Make, eventually: Callable[[Callable[[], object], str], None]
) -> None:
    hold = Hold(0)
    world = make_world(sleep=hold.sleep)
    world.file.write_text("models: all\ncomponents: [memo]\nreplicates: 1\nlimits: {mindrouter: {runs: 1}}\n")
    process = world.start("run", world.file)
    eventually(hold.is_held.is_set, "a call is held")
    told = world.status()
    assert (told["campaign"], told["planned"], told["counts"]) == ("nightly", 2, {"running": 1, "waiting": 1})
    running, waiting = sorted(told["runs"], key=lambda run: run["status"])
    assert running["begun_at"] is not None
    assert running["worker"] == told["workers"][0]["id"]
    assert (running["ended_at"], running["run_dir"], running["accuracy"]) == (None, None, None)
    assert (waiting["begun_at"], waiting["worker"], waiting["attempt"]) == (None, None, 1)
    assert {run["component_version"] for run in told["runs"]} == {"1.0.0"}
    shown = world.look("status", world.file)
    assert shown.code == 0
    assert "nightly: 0 of 2 runs complete, 1 running, 1 waiting" in shown.out
    assert "1 worker is at work." in shown.out
    hold.open()
    assert world.ended(process).returncode == 0
    told = world.status()
    assert (told["counts"], told["workers"], told["end"]) == ({"complete": 2}, [], None)


def test_a_run_that_ended_partial_is_shown_with_its_reason_and_is_exit_code_1(make_world: Make) -> None:
    world = make_world(Fault(kind="quota", model="beta"))
    world.file.write_text("models: all\ncomponents: [memo]\nreplicates: 1\n")
    done = world.run("run", world.file)
    assert done.returncode == 1, done.stderr
    shown = world.look("status", "nightly")
    assert shown.code == 1
    (line,) = (line for line in shown.out.splitlines() if "partial" in line and "beta" in line)
    assert "2 of 2 calls" in line
    told = world.status()
    (beta,) = (run for run in told["runs"] if run["model"] == "beta")
    assert (beta["status"], beta["attempt"]) == ("partial", 1)
    assert beta["reason"]
