"""`evalcli campaign cancel`: a campaign ends within seconds, and can be gone on with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from evalsim.testing import Hold

Make = Callable[..., Any]


def test_cancelled_from_elsewhere_its_runs_end_and_run_again_goes_on_with_what_is_kept(
    make_world: Make, eventually: Callable[[Callable[[], object], str], None]
) -> None:
    hold = Hold(4)
    world = make_world(sleep=hold.sleep)
    process = world.start("run", world.file, "--json")
    eventually(lambda: len(world.kept()) == 4 and hold.is_held.is_set(), "four replies are stored")
    done = world.look("cancel", world.file)
    assert (done.code, done.err) == (0, "2 runs are cancelled\n")
    ended = world.ended(process)
    assert ended.returncode == 1, ended.stderr
    assert "left in the middle" not in ended.stderr
    assert json.loads(ended.stdout)["counts"] == {"cancelled": 2}
    assert len(world.kept()) == 4
    again = world.look("cancel", "nightly")
    assert (again.code, again.err) == (3, "0 runs are cancelled\n")
    hold.open()
    kept = world.kept()
    told = json.loads(world.run("run", world.file, "--json").stdout)
    assert (told["counts"], {run["attempt"] for run in told["runs"]}) == ({"complete": 2}, {2})
    assert Counter(world.kept().values()) == {1: 12}
    assert kept.keys() <= world.kept().keys()


def test_a_campaign_that_was_not_begun_is_named_with_those_that_were(make_world: Make) -> None:
    world = make_world()
    assert world.look("run", world.file, "--no-work").code == 0
    for command in ("cancel", "status"):
        done = world.look(command, "nightli")
        assert (done.code, done.out) == (2, "")
        assert "no campaign 'nightli' was begun; did you mean `nightly`?" in done.err
