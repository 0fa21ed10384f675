"""One run where one is: within its share of the budget, however often it is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from evalcli.campaigns.assignment import Assignment, Places, RunResult
from evalcli.campaigns.carry_out import carry_out
from evalcli.campaigns.file import parse_campaign
from evalcli.campaigns.plan import plan_campaign
from evalcli.leaderboards.places import Sources
from evalcore.errors import ConfigurationError
from evalcore.ids import uuid7
from evalsim.mindrouter import AnswerBook, SimConfig, SimModel, SimulatedMindRouter
from evalsim.serving import running
from evalsim.testing import write_component

# An answer is taken to cost 16.384 USD at most, and costs about a cent.
MODELS = """\
providers:
  mindrouter: {base_url: "${THE_GATEWAY}/v1"}
models:
  - {id: alpha, provider: mindrouter, concurrency: 1, price: {input: 0, output: 1000}}
"""
Do = Callable[..., RunResult]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    write_component(root, schema=schema, cases={"one": {"amount": 1}, "two": {"amount": 2}})
    (root / ".evaluator").mkdir()
    (root / ".evaluator" / "models.yaml").write_text(MODELS)
    return root


@pytest.fixture
def gateway(library: Path) -> Iterator[tuple[SimulatedMindRouter, str]]:
    mindrouter = SimulatedMindRouter(
        SimConfig(models=(SimModel(id="alpha"),)), AnswerBook.from_folders([library])
    )
    with running(mindrouter) as url:
        yield mindrouter, url


@pytest.fixture
def do(library: Path, gateway: tuple[SimulatedMindRouter, str]) -> Do:
    """Do the one run of a campaign of three replicates; what is given replaces fields of the planned run."""
    sources, runs_dir = Sources(library, None, None), library / ".evaluator" / "runs"
    campaign = parse_campaign("models: all\nreplicates: 3\n", "nightly.yaml", "nightly")
    (planned,) = plan_campaign(campaign, sources, runs_dir).runs
    runs_dir.mkdir()
    environ = {"THE_GATEWAY": gateway[1], "MINDROUTER_API_KEY": "a-key-of-the-simulation"}

    def run(**fields: object) -> RunResult:
        assignment = Assignment(
            campaign="nightly",
            attempt=1,
            job_id=uuid7(1, bytes(10)),
            run_id=uuid7(2, bytes(10)),
            run=msgspec.structs.replace(planned, **fields),
        )
        return carry_out(assignment, Places(sources, runs_dir), environ)

    return run


def test_a_run_is_called_recorded_and_done_again_it_is_what_it_was(
    do: Do, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    done = do()
    assert (done.status, done.reason) == ("complete", None)
    assert done.record is not None
    assert (Path(done.run_dir) / "record.json").is_file()
    assert do() == done
    assert gateway[0].gateway.calls == {"alpha": 6}


def test_replies_that_are_kept_are_paid_from_the_runs_share_of_the_budget(
    do: Do, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    stopped = do(max_cost=16.39)
    calls = gateway[0].gateway.calls["alpha"]
    assert (stopped.status, 1 <= calls < 6) == ("stopped", True)
    assert "budget" in (stopped.reason or "")
    assert do(max_cost=16.39).status == "stopped"
    assert gateway[0].gateway.calls["alpha"] == calls
    assert do(max_cost=100.0).status == "complete"
    assert gateway[0].gateway.calls["alpha"] == 6


def test_files_that_are_not_those_that_were_planned_are_named_before_any_call(
    do: Do, library: Path, gateway: tuple[SimulatedMindRouter, str]
) -> None:
    (library / ".evaluator" / "models.yaml").write_text(MODELS.replace("output: 1000", "output: 2000"))
    with pytest.raises(ConfigurationError, match="the entry of alpha are not those that were planned"):
        do()
    assert gateway[0].gateway.calls == {}
