"""MindRouter cut off or slowed to a crawl, GitHub cut off: what is seen then, and that no figure changes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.containers.deployments import Deployment
from tests.containers.evaluations import Evaluation, Figures, begun, seeded
from tests.containers.operating import cut, mend
from tests.containers.outside import ask_github, ask_mindrouter
from tests.containers.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

REPLICATES = 6


@pytest.fixture(scope="module")
def undisturbed(disturbed: Deployment, project_root: Path) -> Figures:
    return begun(disturbed, project_root, REPLICATES).figures()


@pytest.fixture
def evaluation(disturbed: Deployment, undisturbed: Figures, project_root: Path) -> Evaluation:
    del undisturbed  # made before: only one evaluation runs at a time
    return begun(disturbed, project_root, REPLICATES)


@pytest.mark.parametrize("seconds", [5, 15, 60])
def test_a_cut_from_mindrouter_costs_time_and_no_reply(
    disturbed: Deployment, undisturbed: Figures, evaluation: Evaluation, seconds: int
) -> None:
    until(lambda: evaluation.stored() > 0, seconds=60, what="a reply")
    cut(disturbed, "mindrouter", "vpn")
    time.sleep(seconds)  # how long the network is away is what is tested
    meanwhile = evaluation.now()
    mend(disturbed, "mindrouter", "vpn")
    assert meanwhile["status"] == "running"
    assert meanwhile["progress"]["done"] < evaluation.planned
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.stored() == evaluation.planned


def test_a_gateway_that_crawls_is_waited_for(
    disturbed: Deployment, undisturbed: Figures, project_root: Path
) -> None:
    ask_mindrouter(disturbed, "POST", "/sim/faults", [{"kind": "slow", "seconds": 8, "times": 20}])
    evaluation = begun(disturbed, project_root, REPLICATES)
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.asked() == evaluation.stored() == evaluation.planned


def test_github_cut_off_while_results_are_published_delays_them_and_says_so(
    disturbed: Deployment, undisturbed: Figures, evaluation: Evaluation
) -> None:
    ask_github(disturbed, "POST", {"on": "push", "delay": 2, "times": 1})
    until(lambda: not ask_github(disturbed, "GET"), seconds=120, what="the push at GitHub")
    cut(disturbed, "github", "to-github")
    attention = until(lambda: evaluation.now().get("attention"), seconds=120, what="a word of the delay")
    mend(disturbed, "github", "to-github")
    assert attention["code"] == "publishing_delayed"
    assert seeded(evaluation.figures()) == seeded(undisturbed)
    assert evaluation.asked() == evaluation.planned
