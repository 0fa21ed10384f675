"""The real images, built once for all container tests, and the engine that they need."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REQUIRED = os.environ.get("EVALUATOR_REQUIRE") in {"all", "containers"}
BUILD_SECONDS = 900


@dataclass(frozen=True)
class Images:
    hook: str = "evaluator-test-hook"
    runner: str = "evaluator-test-runner"
    simulator: str = "evaluator-test-simulator"


def run_docker(*arguments: str, seconds: float = 60, words: str = "") -> str:
    """Run the client with some words on its standard input; what it says is in the failure."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        input=words,
    )
    if done.returncode != 0:
        pytest.fail(f"docker {arguments[0]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return done.stdout


@pytest.fixture(scope="session")
def docker() -> Callable[..., str]:
    """The client of an engine that answers; where one is required, its absence is a failure."""
    found = shutil.which("docker") is not None
    if found:
        found = (
            subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60).returncode == 0
        )
    if not found:
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
def images(docker: Callable[..., str], base: list[str], project_root: Path) -> Images:
    """The two images as a user builds them, and the simulator on top of the first."""
    built = Images()
    for tag, file, arguments in (
        (built.hook, "docker/hook.Dockerfile", base),
        (built.runner, "docker/runner.Dockerfile", base),
        (
            built.simulator,
            "tests/containers/simulator.Dockerfile",
            [*base, "--build-arg", f"HOOK_IMAGE={built.hook}"],
        ),
    ):
        docker(
            "build",
            *arguments,
            "--tag",
            tag,
            "--file",
            str(project_root / file),
            str(project_root),
            seconds=BUILD_SECONDS,
        )
    return built
