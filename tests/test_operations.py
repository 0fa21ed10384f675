"""The operator's page and the compose file know every setting that the service reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from evalhook.config.settings import inspect_settings


class Recorder(dict[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture
def settings() -> set[str]:
    """The names of all settings; of a secret, without its `_FILE`."""
    environ = Recorder()
    inspect_settings(environ)
    return {name.removesuffix("_FILE") for name in environ.asked}


def test_every_setting_is_in_the_table(project_root: Path, settings: set[str]) -> None:
    page = (project_root / "docs/operations.md").read_text()
    documented = set(re.findall(r"`([A-Z_]+)`", "".join(re.findall(r"^\| `.*$", page, re.MULTILINE))))
    assert len(settings) > 15
    assert settings <= documented


def test_every_setting_can_be_set_in_a_deployment(project_root: Path, settings: set[str]) -> None:
    compose = YAML(typ="safe").load(project_root / "docker/compose.yaml")
    handed_on = {name.removesuffix("_FILE") for name in compose["services"]["hook"]["environment"]}
    image = (project_root / "docker/hook.Dockerfile").read_text()
    in_image = set(re.findall(r"\b(EVALHOOK_[A-Z_]+)=", image))
    # By an override file, as the page shows: most deployments have a token for everything.
    elsewhere = {"EVALHOOK_GITHUB_APP_ID", "EVALHOOK_GITHUB_APP_PRIVATE_KEY", "EVALHOOK_DATA_SETS_TOKEN"}
    assert settings - elsewhere == (handed_on | in_image) - elsewhere
