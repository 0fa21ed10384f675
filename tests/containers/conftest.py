"""What the container tests ask for: the engine, the images, and a deployment that several modules share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.containers.deployments import Deployment, deployed
from tests.containers.engine import REQUIRED, is_there, left_of, run_docker
from tests.containers.images import Images, built_image, built_images

from evalsim.mindrouter import SimConfig, default_config


@pytest.fixture(scope="session")
def docker() -> Callable[..., str]:
    """The client of an engine that answers; where one is required, its absence is a failure."""
    if not is_there():
        if REQUIRED:
            pytest.fail("a Docker engine is required here (EVALUATOR_REQUIRE) and does not answer")
        pytest.skip("needs a Docker engine")
    return run_docker


@pytest.fixture(scope="session")
def base() -> list[str]:
    """Build arguments that name another base image, where the environment does."""
    image = os.environ.get("PYTHON_IMAGE")
    return ["--build-arg", f"PYTHON_IMAGE={image}"] if image else []


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest, base: list[str], project_root: Path) -> Iterator[Images]:
    """The images as a user builds them, and the simulator on top of the first."""
    request.getfixturevalue("docker")
    with built_images(project_root, base) as built:
        yield built
        assert left_of(built.project("")) == [], "a test has left something on the engine"


@pytest.fixture(scope="session")
def prometheus_image(request: pytest.FixtureRequest, base: list[str], project_root: Path) -> Iterator[str]:
    """Debian's Prometheus and promtool."""
    request.getfixturevalue("docker")
    with built_image(project_root, "prometheus", base, "tests/containers") as tag:
        yield tag


@pytest.fixture(scope="session")
def postgres_image(request: pytest.FixtureRequest, base: list[str], project_root: Path) -> Iterator[str]:
    """Debian's PostgreSQL."""
    request.getfixturevalue("docker")
    with built_image(project_root, "postgres", base, "tests/containers") as tag:
        yield tag


@pytest.fixture(scope="session")
def deployment(images: Images, project_root: Path) -> Iterator[Deployment]:
    """The deployment of all who need no settings of their own. Leave it in order, and its jobs ended."""
    with deployed(images, project_root) as up:
        yield up


@pytest.fixture(scope="session")
def disturbed(images: Images, project_root: Path) -> Iterator[Deployment]:
    """The deployment of those who kill, cut off and slow down: its models take their time."""
    with deployed(images, project_root, mindrouter=slow_models()) as up:
        yield up


def slow_models() -> SimConfig:
    """The usual models; a call of each takes a third of a second."""
    usual = default_config()
    models = tuple(msgspec.structs.replace(model, latency=0.3) for model in usual.models)
    return msgspec.structs.replace(usual, models=models)
