"""The service killed: while calls are out, while it pushes, before its pull request, at random, with the VM.

A reply counts from its newline on. So of a job that is killed every call is made again whose reply was not
stored, and no other: what the gateway is asked after the kill is exactly what was missing in the state.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from pathlib import Path

import pytest
from tests.containers.deployments import Deployment
from tests.containers.engine import run_docker
from tests.containers.evaluations import Evaluation, Figures, begun, seeded
from tests.containers.operating import await_health, kill, kill_process, start
from tests.containers.outside import ask_github
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

REPLICATES = 6
KILLS = 10


@pytest.fixture(scope="module")
def undisturbed(disturbed: Deployment, project_root: Path) -> Figures:
    """What an evaluation finds that nothing happens to; each call is made once."""
    evaluation = begun(disturbed, project_root, REPLICATES)
    figures = evaluation.figures()
    assert evaluation.asked() == evaluation.stored() == evaluation.planned
    return figures


@pytest.fixture
def evaluation(disturbed: Deployment, undisturbed: Figures, project_root: Path) -> Evaluation:
    del undisturbed  # made before: it would count as a call of this one
    return begun(disturbed, project_root, REPLICATES)


def test_killed_while_calls_are_out_it_makes_again_what_was_not_stored_and_nothing_else(
    disturbed: Deployment, undisturbed: Figures, evaluation: Evaluation
) -> None:
    until(lambda: evaluation.stored() >= evaluation.planned // 4, seconds=60, what="a quarter of the replies")
    kill(disturbed, "hook")
    lost = evaluation.asked() - evaluation.stored()
    assert 0 <= lost <= 16  # calls in flight, by EVALHOOK_CONCURRENCY
    start(disturbed, "hook")
    await_health(disturbed)
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.asked() == evaluation.planned + lost
    assert evaluation.stored() == evaluation.planned


@pytest.mark.parametrize("operation", ["push", "pulls.create", "labels.add"])
def test_killed_while_github_is_asked_it_publishes_once(
    disturbed: Deployment, undisturbed: Figures, evaluation: Evaluation, operation: str
) -> None:
    # GitHub holds it for long enough to kill who asked; then it does what it was asked for.
    ask_github(disturbed, "POST", {"on": operation, "delay": 3, "times": 1})
    until(lambda: not ask_github(disturbed, "GET"), seconds=120, what=f"{operation} at GitHub")
    kill(disturbed, "hook")
    start(disturbed, "hook")
    await_health(disturbed)
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.asked() == evaluation.planned


def test_ten_kills_at_random_instants_lose_and_double_nothing(
    disturbed: Deployment, undisturbed: Figures, project_root: Path
) -> None:
    seed = int(os.environ.get("EVALUATOR_KILL_SEED", secrets.randbelow(2**32)))
    sys.stderr.write(f"EVALUATOR_KILL_SEED={seed} repeats these kills\n")
    draw = random.Random(seed)
    kills = 0
    while kills < KILLS:
        evaluation = begun(disturbed, project_root, REPLICATES)
        lost = 0
        while kills < KILLS:
            time.sleep(draw.uniform(0.0, 2.5))
            if evaluation.has_ended():
                break
            kill(disturbed, "hook")
            kills += 1
            lost = evaluation.asked() - evaluation.stored()  # of all kills of this evaluation so far
            start(disturbed, "hook")
            await_health(disturbed)
        assert seeded(evaluation.figures()) == seeded(undisturbed)
        assert evaluation.asked() == evaluation.planned + lost
        assert evaluation.stored() == evaluation.planned


def test_a_vm_that_loses_its_power_goes_on_by_itself(
    disturbed: Deployment, undisturbed: Figures, evaluation: Evaluation
) -> None:
    until(lambda: evaluation.stored() > 0, seconds=60, what="a reply")
    everything = [disturbed.container(service) for service in ("hook", "caddy")]
    kill_process(disturbed, "hook", "caddy")
    until(
        lambda: "0" not in run_docker("inspect", "--format", "{{.RestartCount}}", *everything).split(),
        seconds=60,
        what="a restart of both",
    )
    await_health(disturbed)
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.planned <= evaluation.asked() <= evaluation.planned + 16
    assert evaluation.stored() == evaluation.planned
