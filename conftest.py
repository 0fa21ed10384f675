"""What every test may ask for; a test that needs the real prompt library skips cleanly where it is absent."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from tests import github_description
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from evalsim.github import SimulatedGitHub
from evalsim.github.app import Exchange

# A property holds or not, however busy the machine is; what CI's own profile says besides stays.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parent
REQUIRE_ALL = os.environ.get("EVALUATOR_REQUIRE") == "all"


class _TogetherByModule(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker test after test, but whole modules of those that share an engine or a browser.

    Not by the mark `xdist_group`, which xdist 3.8 writes where pytest 9.2 no longer looks.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module.startswith(("tests/containers/", "tests/browser/")) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Keep modules together whose deployments or browsers would else be made by every worker.

    They are the largest units, which xdist hands out first: they wait more than they work.
    """
    return _TogetherByModule(config, log)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Undo what a test does to the process's logging, so that no test depends on another's."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder that holds the real prompt library; required in CI, skipped elsewhere."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        if REQUIRE_ALL:
            pytest.fail(f"{folder} is required here (EVALUATOR_REQUIRE=all) and is not there")
        pytest.skip("needs the real prompt library beside the project")
    return folder


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with the recorded answers of a real MindRouter, one request and its response a file."""
    return ROOT / "tests" / "data" / "mindrouter"


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root of this repository."""
    return ROOT


@pytest.fixture(autouse=True)
def calls_of_github_are_as_described() -> Iterator[None]:
    """Check each call of the simulated GitHub, and its answer, against GitHub's own description."""
    exchanges: list[Exchange] = []
    SimulatedGitHub.observers.append(exchanges.append)
    yield
    SimulatedGitHub.observers.remove(exchanges.append)
    if exchanges and github_description.REST.exists():
        described = github_description.description()
        problems = [each for exchange in exchanges for each in described.problems(exchange)]
        if problems:
            pytest.fail("not as GitHub describes it:\n" + "\n".join(dict.fromkeys(problems)))
