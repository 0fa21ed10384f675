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
from tests.scheduling import CONTAINERS, FewAmongContainers
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from evalsim.github import SimulatedGitHub
from evalsim.github.app import Exchange

# A property holds or not, however busy the machine is; what CI's own profile says besides stays.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parent
REQUIRE_ALL = os.environ.get("EVALUATOR_REQUIRE") == "all"
LONGEST_ID = 120


# First, so that the marks are there before xdist reads them, in a hook of the same name.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares a browser in one worker, and each module with containers: each would make its own."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif item.get_closest_marker("containers"):
            item.add_marker(pytest.mark.xdist_group(f"{CONTAINERS}{item.path.stem}"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """With `--dist loadgroup`, keep all workers but a few away from containers, which are waited for."""
    return FewAmongContainers(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long text or a file by its parameter (pytest numbers them).

    What is encrypted has other bytes each time it is made, and workers must agree on the names of the tests.
    """
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return argname
    return None


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
