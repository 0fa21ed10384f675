"""The operator's page and the compose file know every setting that the service reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from evalcore.github.permissions import PERMISSIONS
from evalhook.config.settings import inspect_settings
from evalhook.config.table import SETTINGS
from evalhook.worker.service import ANSWER_SECONDS, CANCELLED_SECONDS


@pytest.fixture
def settings() -> set[str]:
    """The names of all settings; of a secret, without its `_FILE`."""
    return {setting.name for setting in SETTINGS}


class Recorder(dict[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def test_the_service_reads_the_settings_of_the_table_and_no_others(settings: set[str]) -> None:
    environ = Recorder()
    inspection = inspect_settings(environ)
    asked = {name.removesuffix("_FILE") for name in environ.asked}
    assert asked == settings, (
        f"read each setting of config/table.py in `_read` of evalhook's config/settings.py, and no other: "
        f"not read {sorted(settings - asked)}, not in the table {sorted(asked - settings)}"
    )
    assert set(inspection.shown) == settings  # each has its line in `evalhook check`
    files = {f"{setting.name}_FILE" for setting in SETTINGS if setting.is_secret}
    assert {name for name in environ.asked if name.endswith("_FILE")} == files


def test_the_operators_page_has_the_table_as_it_is(project_root: Path) -> None:
    page = (project_root / "docs/operations.md").read_text()
    rows = [
        f"| `{setting.name}`{' (secret)' if setting.is_secret else ''} "
        f"| {setting.shown_default} | {setting.meaning} |"
        for setting in SETTINGS
    ]
    table = "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows, ""])
    assert f"\n\n{table}\n" in page, "docs/operations.md: `make docs` writes it from config/table.py"


def test_every_setting_can_be_set_in_a_deployment(project_root: Path, settings: set[str]) -> None:
    compose = YAML(typ="safe").load(project_root / "docker/compose.yaml")
    handed_on = {name.removesuffix("_FILE") for name in compose["services"]["hook"]["environment"]}
    image = (project_root / "docker/hook.Dockerfile").read_text()
    in_image = set(re.findall(r"\b(EVALHOOK_[A-Z_]+)=", image))
    # By an override file, as the page shows: most deployments have a token for everything.
    elsewhere = {"EVALHOOK_GITHUB_APP_ID", "EVALHOOK_GITHUB_APP_PRIVATE_KEY", "EVALHOOK_DATA_SETS_TOKEN"}
    can_be_set = handed_on | in_image
    assert settings - elsewhere == can_be_set - elsewhere, (
        "docker/compose.yaml: `make docs` writes what is wrong under environment:, but a secret gets its "
        "line NAME_FILE: /run/secrets/<file> by hand: "
        f"lacks {sorted(settings - elsewhere - can_be_set)}, unknown {sorted(can_be_set - settings)}"
    )


@pytest.mark.parametrize("page", ["operations.md", "runbook.md"])
def test_no_pattern_is_left_to_a_shell_that_may_not_read_the_folder(project_root: Path, page: str) -> None:
    """With sudo, `*` is expanded before: by the shell of somebody to whom the folder is closed by then."""
    text = (project_root / "docs" / page).read_text()
    commands = re.findall(r"^ *\$ (.+)$", text, re.MULTILINE)
    assert commands
    assert [command for command in commands if re.search(r"sudo [^|;&]*[*?]", command)] == []


def test_a_request_is_answered_before_the_proxy_stops_waiting(project_root: Path) -> None:
    caddy = (project_root / "docker/Caddyfile.service").read_text()
    waits = [int(wait) for wait in re.findall(r"(?:response_header_timeout|read_timeout) (\d+)s", caddy)]
    assert len(waits) == 2
    assert min(waits) >= ANSWER_SECONDS + CANCELLED_SECONDS + 5


def test_the_permissions_that_the_page_asks_for_are_those_of_the_code(project_root: Path) -> None:
    rows = re.findall(
        r"^\| ([A-Z][\w ]+) \| (\w+) \| (yes|no) \| ([^|]+) \|$",
        (project_root / "docs/operations.md").read_text(),
        re.MULTILINE,
    )
    assert rows == [
        (each.shown, each.level, "yes" if each.is_needed else "no", each.purpose) for each in PERMISSIONS
    ], "run `make docs`"
