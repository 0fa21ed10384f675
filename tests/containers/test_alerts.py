"""Every alert by Prometheus's own promtool: it fires for its cause, and not before or without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def promtool(docker: Any, prometheus_image: str, project_root: Path) -> Any:
    """Run promtool on the alerts, which it finds beside their tests."""
    mounts = ["--volume", f"{project_root}/docker/alerts.yml:/rules/rules.yml:ro"]
    for file in (project_root / "tests/alerts").glob("*.yml"):
        mounts += ["--volume", f"{file}:/rules/{file.name}:ro"]
    command = ["run", "--rm", "--network", "none", *mounts, "--workdir", "/rules", "--entrypoint", "promtool"]
    return lambda *arguments: docker(*command, prometheus_image, *arguments, seconds=300)


def test_the_rules_are_valid(promtool: Any) -> None:
    assert "11 rules found" in promtool("check", "rules", "rules.yml")


@pytest.mark.parametrize("file", ["minutes.yml", "days.yml"])
def test_every_alert_fires_for_its_cause_alone(promtool: Any, file: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", file)
